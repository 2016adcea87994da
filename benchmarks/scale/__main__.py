"""Measures whether the cost of capture grows with CPUs, live nodes or time, in guests.

    python -m benchmarks.scale [--write]

The status is 1 if it does. ``make bench-scale`` builds what this needs.
"""

import sys

from benchmarks.command import Measurement, main
from benchmarks.scale.measure import measure
from benchmarks.scale.page import grows, page
from benchmarks.scale.results import Scale, dumps, loads

MEASUREMENT: Measurement[Scale] = Measurement(
    "scale", "scale.md", measure, page, dumps, loads, grows
)

if __name__ == "__main__":
    sys.exit(main(MEASUREMENT, __doc__))
