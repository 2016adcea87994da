"""An argument parser that takes options as they are written and says which one was meant."""

import argparse
import difflib
import re
from typing import Any, NoReturn

_UNKNOWN = re.compile(r"unrecognized arguments: (--[\w-]+)")


class Parser(argparse.ArgumentParser):
    """As argparse's, without abbreviations: ``--track-fil`` is a mistake, not ``--track-file``."""

    def __init__(self, **settings: Any) -> None:
        """The settings of ``argparse.ArgumentParser``."""
        super().__init__(**{"allow_abbrev": False} | settings)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and, of an unknown option, which one comes close."""
        found = _UNKNOWN.match(message)
        close = difflib.get_close_matches(found[1], self._options(), n=1) if found else []
        super().error(f"{message} (did you mean {close[0]}?)" if close else message)

    def _options(self) -> list[str]:
        """Every long option of this parser and of the actions below it."""
        options: list[str] = []
        for action in self._actions:
            options += [word for word in action.option_strings if word.startswith("--")]
            if isinstance(action, argparse._SubParsersAction):
                for below in action.choices.values():
                    options += [word for word in below._option_string_actions if word[:2] == "--"]
        return options
