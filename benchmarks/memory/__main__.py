"""Measures what capture takes of the kernel's memory, in a guest.

    python -m benchmarks.memory [--write]

``make bench-memory`` builds what this needs.
"""

import sys

from benchmarks.command import Measurement, main
from benchmarks.memory.measure import measure
from benchmarks.memory.page import page
from benchmarks.memory.results import Footprint, dumps, loads

MEASUREMENT: Measurement[Footprint] = Measurement(
    "memory", "kernel-memory.md", measure, page, dumps, loads
)

if __name__ == "__main__":
    sys.exit(main(MEASUREMENT, __doc__))
