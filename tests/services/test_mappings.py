"""What is read out of /proc to find the files that are mapped."""

from provcap.services.mappings import Mapping, open_mapped_files, parse_maps

MAPS = b"""\
00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/dbus daemon
00e03000-00e24000 rw-p 00000000 00:00 0           [heap]
7f00-8f00 rw-s 00000000 00:01 1024                /dev/zero (deleted)
7f0000001000-7f0000002000 rw-s 00000000 00:01 7   /memfd:it (deleted)
"""


def test_only_mappings_of_files_are_taken():
    """Spans as map_files writes them; no anonymous memory, private or shared."""
    assert list(parse_maps(MAPS)) == [
        Mapping("400000-452000", (b"08:02", b"173521", b"/usr/bin/dbus daemon")),
        Mapping("7f0000001000-7f0000002000", (b"00:01", b"7", b"/memfd:it (deleted)")),
    ]


def test_each_regular_file_is_opened_once(tmp_path):
    """Two processes map one file; what has gone or is no regular file is passed over."""
    line = b"1000-2000 r--p 00000000 08:02 %d %s\n"
    for process in ("1", "2"):
        links = tmp_path / process / "map_files"
        links.mkdir(parents=True)
        (tmp_path / process / "maps").write_bytes(line % (1, b"/a"))
        (links / "1000-2000").write_text("")
    (tmp_path / "3").mkdir()
    (tmp_path / "3/maps").write_bytes(line % (2, b"/gone"))
    (tmp_path / "4/map_files/1000-2000").mkdir(parents=True)
    (tmp_path / "4/maps").write_bytes(line % (3, b"/dev/device"))
    (tmp_path / "5").mkdir()

    assert open_mapped_files(tmp_path) == 1
