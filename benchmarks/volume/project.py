"""A small C project to compile, the same each time.

Public: :func:`lay_out`.
"""

from pathlib import Path

from benchmarks.volume.plan import HEADERS, SOURCES

_MAKEFILE = """\
OBJECTS := $(patsubst %.c,%.o,$(wildcard f*.c))
program: main.o libparts.a
	gcc -o $@ main.o -L. -lparts
libparts.a: $(OBJECTS)
	ar rcs $@ $(OBJECTS)
%.o: %.c $(wildcard *.h)
	gcc -O1 -c -o $@ $<
"""


def lay_out(folder: Path) -> None:
    """Sources, headers that all of them share, and a Makefile, in a folder that is made."""
    folder.mkdir(parents=True)
    (folder / "Makefile").write_text(_MAKEFILE)
    for number in range(HEADERS):
        (folder / f"h{number}.h").write_text(_header(number))
    for number in range(SOURCES):
        (folder / f"f{number}.c").write_text(_source(number))
    calls = " + ".join(f"f{number}(n)" for number in range(SOURCES))
    (folder / "main.c").write_text(
        '#include "h0.h"\n#include <stdio.h>\n'
        f'int main(int n, char **words) {{ (void)words; return !printf("%d\\n", {calls}); }}\n'
    )


def _header(number: int) -> str:
    declared = "".join(f"int f{at}(int n);\n" for at in range(SOURCES))
    return f"#ifndef H{number}\n#define H{number} {number}\n{declared * (number == 0)}#endif\n"


def _source(number: int) -> str:
    included = "".join(f'#include "h{at}.h"\n' for at in range(HEADERS))
    body = "".join(f"\ts = s * {at + 3} ^ (s >> {at % 7});\n" for at in range(40))
    return f"{included}int f{number}(int n)\n{{\n\tint s = n + H1;\n{body}\treturn s;\n}}\n"
