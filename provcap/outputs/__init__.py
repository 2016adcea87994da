"""One module per output: takes finished bytes and knows no format.

The name a user gives is the name of a module here; each has ``open_output(target) -> Output``.
"""

from typing import Protocol


class Output(Protocol):
    """Where messages go."""

    def write(self, message: bytes) -> None:
        """Keep one whole message; OutputError if that is not possible."""

    def close(self) -> None:
        """Release what is open; a second call does nothing."""
