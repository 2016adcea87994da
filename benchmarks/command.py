"""The command line that measurements with a page of their own have in common.

Public: :class:`Measurement`, :func:`main`.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

from benchmarks import show
from benchmarks.guests import ROOT, Report
from benchmarks.show import Page
from provcap.cli.vm import progress
from provcap.errors import GuestError, OutputError, ProvcapError
from provcap.vm import kernels
from provcap.vm.kernels import Kernel


class Found(Protocol):
    """What a measurement finds: its results, and what the recordings behind them lack."""

    @property
    def lost(self) -> tuple[str, ...]:
        """For people; empty: nothing."""


T = TypeVar("T", bound=Found)


def _none(found: object) -> Sequence[str]:
    return ()


class Measurement(NamedTuple, Generic[T]):
    """What a command measures, stores and writes; ``T``: what it finds."""

    name: str
    """As in ``make bench-NAME``; its results are in ``benchmarks/NAME/results.json``."""
    page_name: str
    """Of the page in ``docs/reference``."""
    measure: Callable[[Kernel, Report], T]
    page: Callable[[T], Page]
    dumps: Callable[[T], str]
    loads: Callable[[str], T]
    failures: Callable[[T], Sequence[str]] = _none
    """What is not as it should be, for people."""

    @property
    def results_path(self) -> Path:
        """Where what was found last is stored."""
        return ROOT / "benchmarks" / self.name / "results.json"

    @property
    def page_path(self) -> Path:
        """The page."""
        return ROOT / "docs/reference" / self.page_name

    def stored_page(self) -> str:
        """The page of what was found last; raises ``OSError`` if there is nothing."""
        return show.page(self.page(self.loads(self.results_path.read_text())))


def main(measurement: Measurement[T], about: str | None) -> int:
    """Measure and tell; refuse the numbers if anything was lost. The status of the process.

    1 if something is not as it should be: the numbers are kept all the same.
    """
    args = _parser(measurement.name, about).parse_args()
    failures: Sequence[str] = ()
    try:
        if not args.page:
            with progress() as report:
                found = measurement.measure(kernels.resolve(args.kernel, report), report)
            _keep(measurement, found, args.write)
            show.show(measurement.page(found).tables)
            failures = measurement.failures(found)
        if args.page or args.write:
            _write(measurement.page_path, measurement.stored_page())
    except ProvcapError as error:
        print(f"bench-{measurement.name}: {error}", file=sys.stderr)
        return error.exit_status
    for failure in failures:
        print(f"bench-{measurement.name}: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _parser(name: str, about: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"benchmarks.{name}", description=about)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--kernel", default="6.12", help="as for provcap vm run (default 6.12)")
    parser.add_argument("--write", action="store_true", help="write the page and the results")
    parser.add_argument("--page", action="store_true", help="only write the page again")
    return parser


def _keep(measurement: Measurement[T], found: T, write: bool) -> None:
    """GuestError, and nothing is kept, if records were lost."""
    if found.lost:
        raise GuestError(f"records were lost ({', '.join(found.lost)}): the numbers say too little")
    if write:
        _write(measurement.results_path, measurement.dumps(found))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
