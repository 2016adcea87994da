"""Recordings of many things: a build whose parts are alike, and one where no two are."""

import random

from tests.graph.builder import Log
from tests.graph.story import file

LIBC = "/usr/lib/libc.so.6"


def build(units: int) -> Log:
    """Make compiles and assembles each unit and links them: seven things for each unit."""
    log = Log()
    file(log, LIBC)
    log.process(10, "/usr/bin/make", "make")
    log.reads("10", file(log, "/src/Makefile"))
    for unit in range(units):
        compile_unit(log, unit)
    run(log, 11, "ld")
    for unit in range(units):
        log.reads("11", f"/src/part{unit}.o")
    log.writes("11", file(log, "/src/program"))
    log.account()
    return log


def compile_unit(log: Log, unit: int) -> None:
    compiler, assembler = 100 + 2 * unit, 101 + 2 * unit
    run(log, compiler, "cc1")
    log.reads(str(compiler), file(log, f"/src/part{unit}.c"))
    log.writes(str(compiler), file(log, f"/tmp/cc{unit}.s"))
    run(log, assembler, "as")
    log.reads(str(assembler), f"/tmp/cc{unit}.s")
    log.writes(str(assembler), file(log, f"/src/part{unit}.o"))


def run(log: Log, pid: int, program: str) -> None:
    log.forks("10", pid, "/usr/bin/make")
    log.execs(str(pid), f"/usr/bin/{program}", program)
    log.reads(str(pid), LIBC, "mmap_private")


def jumble(things: int, seed: int = 1) -> Log:
    """Programs of different names that read and write files at random places."""
    log, chance = Log(), random.Random(seed)
    log.process(10, "/usr/bin/init")
    files = [file(log, f"/data{place}/first.{place}") for place in range(3)]
    for pid in range(100, 100 + things // 2):
        log.process(pid, f"/opt/tool{pid}")
        log.writes("10", f"t{pid}", "clone")
        for path in chance.sample(files[-12:], k=chance.choice((1, 1, 2, 3))):
            log.reads(str(pid), path)
        files.append(file(log, f"/data{pid}/file.{pid}"))
        log.writes(str(pid), files[-1])
    log.account()
    return log
