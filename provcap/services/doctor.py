"""Finds out whether this machine can capture, without ever loading a program.

``gather()`` looks (the thin edge); ``diagnose(facts)`` judges and is pure.
"""

import os
import platform
import shutil
from collections.abc import Callable
from ctypes.util import find_library
from pathlib import Path
from typing import NamedTuple, TypeVar

from provcap.bpf import loader, pins
from provcap.bpf.btf import Btf, kernel_btf
from provcap.bpf.helpers import missing_helpers
from provcap.bpf.kernel import active_lsms
from provcap.bpf.lost import PREEMPTION, gaps, losses, plain, unmet_needs
from provcap.bpf.preemption import AT_WILL, preemption
from provcap.errors import ProvcapError

_T = TypeVar("_T")


class Facts(NamedTuple):
    """What was found; ``None`` means that it could not be found out."""

    lsms: list[str] | None
    has_btf: bool
    has_bpf_lsm: bool
    euid: int
    capabilities: int
    lockdown: str
    bpffs: bool
    libbpf: bool
    object_path: str | None
    preemption: str
    missing_hooks: list[str] | None
    unmet_needs: list[str]
    missing_helpers: list[str] | None
    tools: dict[str, bool]


class Line(NamedTuple):
    """One finding: what was looked at, whether it is well, what that means, how to change it."""

    way: str
    ok: bool
    subject: str
    meaning: str
    fix: str = ""
    needed: bool = True


class Diagnosis(NamedTuple):
    """Every finding and the sentence that sums them up."""

    lines: list[Line]
    can_record: bool
    can_boot: bool

    @property
    def conclusion(self) -> str:
        """One sentence: what to run now."""
        if self.can_record:
            return "Capture works on this kernel: provcap record -- COMMAND"
        if self.can_boot:
            return "Capture works in a guest, this kernel is left alone: provcap vm run -- COMMAND"
        return "Capture is not possible yet: mend the lines marked no of either way."


HERE, GUEST = "this kernel", "guest kernel"
CAPABILITIES = {"CAP_SYS_ADMIN": 21, "CAP_PERFMON": 38, "CAP_BPF": 39}
TOOLS = {
    "qemu": ("qemu-system-x86_64",),
    "virtiofsd": ("virtiofsd", "/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"),
    "busybox": ("busybox",),
    "clang": ("clang-16", "clang-17", "clang-18", "clang-19", "clang"),
}
_TOOL_NOTES = {
    "qemu": ("runs the guest kernel", "apt install qemu-system-x86"),
    "virtiofsd": ("shows the guest this machine's files, read-only",
                  "apt install qemu-system-common (Debian 12) or virtiofsd"),
    "busybox": ("boots kernels that have virtiofs as a module", "apt install busybox-static"),
    "clang": ("compiles the kernel object", "apt install clang-16 libbpf-dev"),
}  # fmt: skip


def gather() -> Facts:
    """Look at this machine; raises nothing: what cannot be seen counts as absent."""
    status = _status_numbers(_read("/proc/self/status"))
    btf = _or_none(kernel_btf)
    path = _or_none(loader.find_object)
    return Facts(
        lsms=active_lsms(),
        has_btf=btf is not None,
        has_bpf_lsm=btf is not None and btf.has_func("bpf_lsm_file_open"),
        euid=os.geteuid(),
        capabilities=status.get("CapEff", 0),
        lockdown=lockdown_mode(_read("/sys/kernel/security/lockdown")),
        bpffs=pins.has_bpffs(_read("/proc/self/mounts")),
        libbpf=find_library("bpf") is not None or Path("/usr/lib/libbpf.so.1").exists(),
        object_path=None if path is None else str(path),
        preemption=preemption(),
        missing_hooks=None if path is None else _or_none(lambda: _missing_hooks(path)),
        unmet_needs=[] if btf is None else _unmet_needs(btf),
        missing_helpers=None if path is None else _or_none(lambda: _missing_helpers(path)),
        tools={tool: any(map(shutil.which, names)) for tool, names in TOOLS.items()},
    )


def diagnose(facts: Facts) -> Diagnosis:
    """Judge the facts: one line each, and which way is open."""
    lines = [*_kernel_lines(facts), *_object_lines(facts), *_guest_lines(facts)]
    shut = {line.way for line in lines if line.needed and not line.ok}
    built = facts.object_path is not None or facts.tools.get("clang", False)
    return Diagnosis(lines, HERE not in shut, GUEST not in shut and built)


def lockdown_mode(text: str) -> str:
    """The mode in brackets of ``[none] integrity confidentiality``; ``none`` if there is none."""
    return text.partition("[")[2].partition("]")[0] or "none"


def _kernel_lines(facts: Facts) -> list[Line]:
    here = HERE
    return [
        _lsm_line(facts.lsms),
        Line(here, facts.has_btf, "kernel BTF", "the kernel describes its types",
             "use a kernel with CONFIG_DEBUG_INFO_BTF=y (Debian's have it)"),
        Line(here, facts.has_bpf_lsm, "CONFIG_BPF_LSM", "the kernel has hooks for BPF programs",
             "use a kernel with CONFIG_BPF_LSM=y (Debian's have it)"),
        _privilege_line(facts),
        Line(here, facts.lockdown != "confidentiality", "lockdown",
             f"mode {facts.lockdown}; confidentiality forbids BPF to read kernel memory",
             "boot without lockdown=confidentiality"),
        Line(here, facts.bpffs, "BPF file system", f"keeps a capture alive at {pins.BPFFS}",
             f"mount -t bpf bpf {pins.BPFFS}"),
        Line(here, facts.libbpf, "libbpf", "loads the kernel object", "apt install libbpf1"),
    ]  # fmt: skip


def _lsm_line(lsms: list[str] | None) -> Line:
    if lsms is None:
        return Line(HERE, False, "LSM list", "cannot be read",
                    "mount -t securityfs securityfs /sys/kernel/security")  # fmt: skip
    listed = ",".join(lsms)
    fix = f"add lsm={listed},bpf to the kernel command line and reboot"
    return Line(HERE, "bpf" in lsms, "LSM list", f"bpf must be in it: {listed}", fix)


def _privilege_line(facts: Facts) -> Line:
    absent = [name for name, bit in CAPABILITIES.items() if not facts.capabilities >> bit & 1]
    if facts.euid != 0:
        return Line(HERE, False, "privilege", "loading and pinning need root", "run as root")
    meaning = "root, but without " + ", ".join(absent) if absent else "root with every capability"
    return Line(HERE, not absent, "privilege", meaning, "leave the container or its restrictions")


def _object_lines(facts: Facts) -> list[Line]:
    if facts.object_path is None:
        return [Line(HERE, False, "kernel object", "not built", "make -C kernel")]
    lines = [Line(HERE, True, "kernel object", facts.object_path), _helper_line(facts)]
    if facts.missing_hooks is None:
        return [*lines, Line(HERE, False, "hooks", "the object cannot be read", "make -C kernel")]
    lines += _hook_lines(facts.missing_hooks)
    lines += _gap_lines(facts.missing_hooks, facts.unmet_needs)
    return [*lines, _preemption_line(facts.preemption)]


def _preemption_line(mode: str) -> Line:
    once = mode in AT_WILL
    told = "" if once else f": programs on functions are attached {loader.COPIES} times"
    return Line(HERE, True, "preemption", mode + told, needed=False)


def _hook_lines(missing: list[str]) -> list[Line]:
    """What is off here, and what is lost by it; often there is another way."""
    off = list(losses(missing))
    told = f"{len(missing)} absent" if missing else "all there"
    if len(off) < len(missing):
        told += f", others stand in for {len(missing) - len(off)}"
    lines = [Line(HERE, not off, "hooks", told, needed=False)]
    return lines + [Line(HERE, False, name, f"lost: {what}", needed=False) for name, what in off]


def _gap_lines(missing: list[str], unmet: list[str]) -> list[Line]:
    """What else this kernel lacks: hooks and preemption have lines of their own."""
    return [
        Line(HERE, gap.harmless, gap.kernel, plain(f"lacks {gap.lacks}: {gap.so}"), needed=False)
        for gap in gaps(missing, unmet)
        if not gap.hooks and PREEMPTION not in gap.needs
    ]


def _helper_line(facts: Facts) -> Line:
    missing = facts.missing_helpers
    if missing is None:
        return Line(HERE, False, "helpers", "the kernel does not list its own",
                    "use a kernel with CONFIG_DEBUG_INFO_BTF=y")  # fmt: skip
    meaning = f"absent: {', '.join(missing)}" if missing else "all there"
    return Line(HERE, not missing, "helpers", meaning, "use a kernel from 6.1 on")


def _guest_lines(facts: Facts) -> list[Line]:
    return [
        Line(GUEST, present, tool, *_TOOL_NOTES[tool], needed=tool in ("qemu", "virtiofsd"))
        for tool, present in facts.tools.items()
    ]


def _missing_hooks(path: Path) -> list[str]:
    """Hooks and functions that this kernel lacks, sorted."""
    image = loader.read_object(path)
    return sorted({program.target for program, _missing in loader.skipped_programs(image)})


def _unmet_needs(btf: Btf) -> list[str]:
    return unmet_needs(btf, platform.release(), _read("/proc/kallsyms"))


def _missing_helpers(path: Path) -> list[str]:
    return missing_helpers(loader.read_object(path), kernel_btf())


def _status_numbers(text: str) -> dict[str, int]:
    """Capability sets of /proc/self/status, which are hexadecimal."""
    pairs = (line.split(":", 1) for line in text.splitlines() if line.startswith("Cap"))
    return {name: int(value, 16) for name, value in pairs}


def _or_none(look: Callable[[], _T]) -> _T | None:
    try:
        return look()
    except ProvcapError:
        return None


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
