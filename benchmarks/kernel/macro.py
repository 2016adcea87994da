"""The macro set: what people do, from files in memory to files in memory.

Public: :data:`COMMANDS`, :data:`ROOT`.
"""

ROOT = "/tmp/macro"
"""Where macro.sh lays out what the commands need; they see it as the root."""

COMMANDS = {
    "tar, create": "tar cf /files/made.tar -C /files tree",
    "tar, extract": "mkdir /files/out && tar xf /files/made.tar -C /files/out",
    "grep -r": "grep -rq 799999 /files/out; [ $? = 1 ]",
    "rm -r": "rm -r /files/out",
    "50 pipelines": "for i in {}; do echo $i | cat | tr 0-9 a-j | wc >/dev/null; done".format(
        " ".join(map(str, range(50)))
    ),
    "3 compiles": "for f in a b c; do gcc -O1 -ffreestanding -c /files/$f.c -o /files/$f.o; done",
}
"""Name -> words for a shell, in the order in which they are played."""
