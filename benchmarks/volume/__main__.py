"""Measures how much is recorded of a compile, of fetching a page and of nothing, in a guest.

    python -m benchmarks.volume [--write]

``make bench-volume`` builds what this needs.
"""

import sys

from benchmarks.command import Measurement, main
from benchmarks.volume.measure import measure
from benchmarks.volume.page import page
from benchmarks.volume.results import Volumes, dumps, loads

MEASUREMENT: Measurement[Volumes] = Measurement("volume", "volume.md", measure, page, dumps, loads)

if __name__ == "__main__":
    sys.exit(main(MEASUREMENT, __doc__))
