"""Measures what capture costs in the kernel, in a guest that counts instructions.

    python -m benchmarks.kernel [--quick] [--json] [--check | --write | --page]

Prints the tables, and what has moved since the baseline was written by more than repeated
measurements do. ``make bench-kernel`` builds what this needs.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import TextIO

from benchmarks.kernel import compare, figures, page, results
from benchmarks.kernel.measure import measure
from benchmarks.kernel.results import Results
from benchmarks.kernel.tables import tables
from provcap.cli.vm import progress
from provcap.errors import GuestError, OutputError, ProvcapError
from provcap.vm import kernels

BASELINE = Path(__file__).with_name("baseline.json")
QUICK_S = 120
PAGE = Path(__file__).resolve().parents[2] / "docs/reference/performance.md"


def main() -> int:
    """Measure and tell; 1 if something moved and that was asked, or if records were lost."""
    args = _parser().parse_args()
    try:
        if args.page:
            return _write_page()
        begun_s = time.monotonic()
        with progress() as report:
            found = measure(kernels.resolve(args.kernel, report), args.quick, report)
        status = _tell(found, args)
        print(_took(time.monotonic() - begun_s, args.quick), file=_aside(args))
        return status
    except ProvcapError as error:
        print(f"bench-kernel: {error}", file=sys.stderr)
        return error.exit_status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("benchmarks.kernel", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--kernel", default="6.12", help="as for provcap vm run (default 6.12)")
    parser.add_argument("--quick", action="store_true", help="fewer operations, less often")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    one_of = parser.add_mutually_exclusive_group()
    one_of.add_argument("--check", action="store_true", help="return 1 if anything has moved")
    one_of.add_argument("--write", action="store_true", help="write the page and the baseline")
    one_of.add_argument("--page", action="store_true", help="only write the page again")
    return parser


def _tell(found: Results, args: argparse.Namespace) -> int:
    shown = tables(found, figures.read())
    if args.json:
        print(results.dumps(found))
    else:
        page.show(found, shown, figures.read())
    if found.lost:
        raise GuestError(f"records were lost ({', '.join(found.lost)}): the numbers say too little")
    moved = _compared(found, _aside(args))
    if args.write:
        _write(BASELINE, results.dumps(found))
        _write_page()
    return 1 if args.check and moved else 0


def _aside(args: argparse.Namespace) -> TextIO:
    """Where everything goes that is not the results."""
    return sys.stderr if args.json else sys.stdout


def _took(seconds: float, quick: bool) -> str:
    """How long it took, and whether that is longer than a quick measurement may take."""
    late = quick and seconds > QUICK_S
    return f"Took {seconds:.0f} s{f': more than the {QUICK_S} s of a quick one' * late}."


def _write_page() -> int:
    """Write the page of what is stored, to the last digit; the status of the process."""
    found = results.loads(BASELINE.read_text())
    _write(PAGE, page.page(found, tables(found, figures.read())))
    return 0


def _compared(found: Results, out: TextIO) -> bool:
    """Say what has moved since the baseline was stored; whether anything has."""
    if not BASELINE.is_file():
        return False
    before = results.loads(BASELINE.read_text())
    other = compare.difference(before, found)
    moved = compare.moves(before, found, figures.read())
    lines = [f"made with something else than the baseline: {other}"] if other else []
    lines += [f"moved: {move}" for move in moved] or ["nothing moved since the baseline"]
    print("\n".join(lines), file=out)
    return bool(moved)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main())
