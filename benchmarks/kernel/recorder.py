"""Records a command with some programs of the kernel object only, in the guest.

    python -m benchmarks.kernel.recorder RAW PROGRAMS COMMAND...

As ``provcap record``, but that it loads no more than a quick measurement passes: the verifier takes
most of the time of a guest that counts instructions. PROGRAMS is their names, with commas between.
"""

import sys
from pathlib import Path

from provcap.services.record import Settings, record

if __name__ == "__main__":
    settings = Settings(programs=frozenset(sys.argv[2].split(",")))
    sys.exit(record(sys.argv[3:], Path(sys.argv[1]), settings))
