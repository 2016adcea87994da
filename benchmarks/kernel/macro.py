"""The macro set: what people do, from files in memory to files in memory.

Public: :data:`COMMANDS`, :data:`ROOT`.
"""

ROOT = "/tmp/macro"
"""Where macro.sh lays out what the commands need; they see it as the root."""

COMMANDS = {
    "tar, create": "tar cf /work/made.tar -C /work tree",
    "tar, extract": "mkdir /work/out && tar xf /work/made.tar -C /work/out",
    "grep -r": "grep -rq 799999 /work/out; [ $? = 1 ]",
    "rm -r": "rm -r /work/out",
    "50 pipelines": "for i in {}; do echo $i | cat | tr 0-9 a-j | wc >/dev/null; done".format(
        " ".join(map(str, range(50)))
    ),
    "3 compiles": "for f in a b c; do gcc -O1 -ffreestanding -c /work/$f.c -o /work/$f.o; done",
}
"""Name -> words for a shell, in the order in which they are played."""
