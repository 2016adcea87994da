"""Measures whether the cost of capture grows with CPUs, live nodes or time, in guests.

    python -m benchmarks.scale [--write]

``make bench-scale`` builds what this needs.
"""

import sys

from benchmarks.command import Measurement, main
from benchmarks.scale.measure import measure
from benchmarks.scale.page import page
from benchmarks.scale.results import Scale, dumps, loads

MEASUREMENT: Measurement[Scale] = Measurement("scale", "scale.md", measure, page, dumps, loads)

if __name__ == "__main__":
    sys.exit(main(MEASUREMENT, __doc__))
