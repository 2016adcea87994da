"""Which objects are counted, and how many of each.

Public: :data:`KINDS`, :class:`Kind`.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Kind(NamedTuple):
    """Objects of one kind, all alive at once; ``values``: maps that keep one of each."""

    title: str
    number: int
    values: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "files": Kind("regular file, opened once", 20_000, ("inodes",)),
    "names": Kind("further name of a file, opened once", 20_000, ("names",)),
    "pipes": Kind("pipe, used", 5_000, ("blocking",)),
    "unix_sockets": Kind("AF_UNIX socket of a pair, used", 4_000, ("sockets",)),
    "tcp_sockets": Kind("TCP socket of a connection, used", 4_000, ("sockets", "streams")),
    "processes": Kind("process", 2_000, ("tasks", "memories")),
}
"""Name in ``bench hold`` -> what it makes."""
