"""``python -m provcap``: the same as the command."""

import sys

from provcap.cli.main import main

sys.exit(main())
