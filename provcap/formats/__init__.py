"""One module per format: nodes and edges in, messages (finished bytes) out.

The name a user gives is the name of a module here; each has ``make(origin) -> Format``.
"""

from collections.abc import Sequence
from typing import Protocol

from provcap.records import Record


class Format(Protocol):
    """Turns records into messages, each of which an output writes as a whole."""

    def encode(self, records: Sequence[Record]) -> list[bytes]:
        """The messages of this batch; none for an empty one."""
