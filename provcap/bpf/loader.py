"""The life of a capture: load the object, pin it, attach, detach, unload.

``load`` (or ``find_pinned``, if a capture is there already) gives a ``Capture``. It works on what
is pinned alone, so every process that may enter the pins can go on where another stopped.
"""

import contextlib
import ctypes
import errno
import mmap
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from provcap.bpf import elf, libbpf, pins
from provcap.bpf.btf import Tag, Var, kernel_btf, object_btf
from provcap.bpf.kernel import active_lsms
from provcap.bpf.layout import object_layout
from provcap.bpf.libbpf import CallError, address, call, opened, pointer, text
from provcap.bpf.maps import ARRAY_OF_MAPS, RINGBUF, Map, u32
from provcap.bpf.pins import Pins, pin, pin_name
from provcap.bpf.preemption import preempts_itself
from provcap.bpf.programs import ProgramInfo, program_info
from provcap.bpf.ring import Ring
from provcap.bpf.targets import ATTACH_TYPES, Program, Skipped, attach_rank, copy_name, skipped
from provcap.errors import KernelError, LayoutError, LoadError, SetupError

_T = TypeVar("_T")

RING_BYTES = 4 << 20  # for each possible CPU
COPIES = 2  # of each probe, on a kernel that preempts itself
OBJECT_NAME = "provcap.bpf.o"


class Capture:
    """A loaded object, attached or not; a context manager that closes descriptors, nothing else."""

    def __init__(self, tree: Pins) -> None:
        """Take over what is pinned there; use ``load`` or ``find_pinned``."""
        self._pins = tree
        self._maps: dict[str, Map] = {}

    def map(self, name: str) -> Map:
        """The map of this name, open until the capture is closed; raises ``CallError``."""
        if name not in self._maps:
            self._maps[name] = Map.pinned(self._pins.maps / name)
        return self._maps[name]

    @property
    def fingerprint(self) -> bytes:
        """Fingerprint of the layout that the pinned object was built with, 32 bytes."""
        return self.map("layout").lookup(u32(0)) or b""

    def attached(self) -> list[str]:
        """Names of the programs that run now."""
        return self._pins.attached()

    def programs(self) -> dict[str, ProgramInfo]:
        """Counters of every loaded program by name."""
        return {
            name: self._with_program(kind, name, program_info)
            for kind, name in self._pins.pinned_programs()
        }

    def probes(self) -> list[str]:
        """Names of the programs with spare copies; the place of each is its cookie."""
        names = {name for _kind, name in self._pins.pinned_programs()}
        return sorted(name for name in names if copy_name(name, 1) in names)

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Nobody else changes what is pinned, or a map by the same rule, within the block."""
        return self._pins.locked()

    def attach(self) -> None:
        """Attach every program that is not attached; iterators wait for ``run_iterator``.

        All or nothing: raises ``LoadError`` with nothing newly attached.
        """
        with self._pins.locked():
            done: list[Path] = []
            running, cookies = set(self.attached()), self._cookies()
            try:
                for program in self._loaded():
                    if program.kind != "iter" and program.name not in running:
                        done.append(self._attach(program, cookies.get(program.name)))
            except BaseException as error:
                for path in reversed(done):
                    path.unlink(missing_ok=True)
                if isinstance(error, CallError):
                    raise LoadError(f"cannot attach: {error}") from error
                raise

    def run_iterator(self, name: str) -> None:
        """Have the iterator of this name visit everything once; none if this kernel lacks it.

        Raises ``LoadError``.
        """
        if ("iter", name) not in self._pins.pinned_programs():
            return
        try:
            self._with_program("iter", name, _run_iterator)
        except CallError as error:
            raise LoadError(f"cannot run {name}: {error}") from error

    def detach(self) -> None:
        """Unpin every link, in the opposite order; maps and programs stay, nothing runs.

        The kernel frees a link a moment later. Links that another process has open still run.
        """
        with self._pins.locked():
            for program in reversed(self._loaded()):
                self._pins.link(program.name).unlink(missing_ok=True)

    def unload(self) -> None:
        """Unpin everything; the capture is over and its object unusable."""
        self.close()
        with self._pins.locked():
            self._pins.clear()

    @contextlib.contextmanager
    def rings(self) -> Iterator[list[Ring]]:
        """The mapped ring of every possible CPU, in order of CPU."""
        with contextlib.ExitStack() as stack:
            outer = self.map("rings")
            yield [
                stack.enter_context(_open_ring(stack, outer, cpu))
                for cpu in range(outer.info.max_entries)
            ]

    def close(self) -> None:
        """Close what is open here; what is pinned goes on."""
        for opened_map in self._maps.values():
            opened_map.close()
        self._maps.clear()

    def __enter__(self) -> Self:
        """The capture itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close; capture goes on."""
        self.close()

    def _cookies(self) -> dict[str, int]:
        """Name -> cookie, of all copies of each probe that has some."""
        return {
            copy_name(name, copy): place
            for place, name in enumerate(self.probes())
            for copy in range(COPIES)
        }

    def _loaded(self) -> list[Program]:
        """Pinned programs in the order to attach them; a program's name holds its hook's name."""
        found = [Program(name, kind, kind, name) for kind, name in self._pins.pinned_programs()]
        return sorted(found, key=attach_rank)

    def _attach(self, program: Program, cookie: int | None) -> Path:
        path = self._pins.link(program.name)
        self._with_program(
            program.kind, program.name, lambda fd: _pin_link(fd, program, path, cookie)
        )
        return path

    def _with_program(self, kind: str, name: str, act: Callable[[int], _T]) -> _T:
        path = self._pins.program(kind, name)
        with opened(call("bpf_obj_get", os.fsencode(path), about=str(path))) as fd:
            return act(fd)


def find_pinned(fingerprint: bytes, tree: Pins | None = None) -> Capture | None:
    """The capture that is loaded now, ``None`` if there is none.

    Raises ``LayoutError`` if it was loaded from an object with another layout.
    """
    tree = tree or Pins()
    if not tree.complete():
        return None
    capture = Capture(tree)
    if capture.fingerprint != fingerprint:
        found = capture.fingerprint.hex()[:12]
        capture.close()
        raise LayoutError(
            f"{tree.root} holds a capture of another build (layout {found}, this is "
            f"{fingerprint.hex()[:12]}): use that build, or, if no recorder is at work, "
            f"remove it: rm -r {tree.root}"
        )
    return capture


def load(
    path: Path,
    *,
    ring_bytes: int = RING_BYTES,
    settings: Mapping[str, int] | None = None,
    programs: Collection[str] | None = None,
    prepare: Callable[[Capture], None] | None = None,
    tree: Pins | None = None,
) -> Capture:
    """Load and pin the object, attached to nothing yet; the capture that is there if one is.

    ``ring_bytes`` is the size of one CPU's ring, a power of two of pages. ``settings`` are values
    for the object's read-only globals. ``programs``: names of those to load, the others are
    switched off (None: all). ``prepare`` fills maps before anybody can find the capture.
    On failure nothing stays pinned. Raises ``SetupError``, ``KernelError``, ``LayoutError`` and
    ``LoadError``.
    """
    pages = ring_bytes // mmap.PAGESIZE
    if pages < 1 or ring_bytes % mmap.PAGESIZE or pages & (pages - 1):
        raise KernelError(f"a ring has a power of two of pages, not {ring_bytes} bytes")
    tree, image = tree or Pins(), read_object(path)
    fingerprint = object_layout(image).fingerprint()
    require_kernel(path.name)
    pins.require_bpffs(Path("/proc/self/mounts").read_text())
    with tree.locked():
        found = find_pinned(fingerprint, tree)
        if found is not None:
            return found
        tree.clear()  # what a loader that was killed left behind
        try:
            plan = _Plan(ring_bytes, settings or {}, programs, prepare)
            return _load(path.name, image, plan, tree, fingerprint)
        except BaseException:
            tree.clear()
            raise


def find_object() -> Path:
    """The kernel object to use: ``$PROVCAP_OBJECT``, else the first of the usual places.

    Raises ``SetupError`` if there is none.
    """
    here = Path(__file__).resolve().parents[2]
    named = os.environ.get("PROVCAP_OBJECT")
    places = [Path(named)] if named else [here / "build", Path("/usr/lib/provcap")]
    for place in places:
        candidate = place if named else place / OBJECT_NAME
        if candidate.is_file():
            return candidate
    tried = ", ".join(map(str, places))
    raise SetupError(f"no {OBJECT_NAME} in {tried} (build it: make -C kernel)")


def read_object(path: Path) -> bytes:
    """Bytes of the compiled object; raises ``SetupError``."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(
            f"cannot read {path}: {error.strerror} (build it: make -C kernel)"
        ) from error


def object_programs(image: bytes) -> list[Program]:
    """Programs of an object given as its bytes, in its order. Needs no privilege."""
    with _opened_object("object", image) as bpf_object:
        return [program for _handle, program in _programs(bpf_object)]


def skipped_programs(image: bytes) -> list[Skipped]:
    """Programs that ``load`` switches off on this kernel. Needs no privilege."""
    return skipped(object_programs(image), kernel_btf())


def require_kernel(object_name: str, lsms: list[str] | None = None) -> None:
    """Raise ``LoadError`` unless BPF is an active security module.

    An object loads and attaches without it all the same, and then its hooks are never called.
    """
    lsms = active_lsms() if lsms is None else lsms
    if lsms is None:
        raise SetupError(
            "cannot tell whether the BPF LSM is active "
            "(run: mount -t securityfs securityfs /sys/kernel/security)"
        )
    if "bpf" not in lsms:
        raise LoadError(
            f"cannot load {object_name}: BPF is not in the active LSM list "
            f"(add lsm={','.join(lsms)},bpf to the kernel command line)"
        )


def refusal(object_name: str, number: int, said: list[str]) -> LoadError:
    """The error for a load that failed with this error number, from what libbpf printed.

    Names the program, if libbpf did, and ends with the last lines of the verifier's log.
    """
    program = next((m[1] for line in said if (m := _PROGRAM_FAILED.search(line))), None)
    who = f"program {program} was refused" if program else "the kernel refused it"
    log = [line for line in said if not _LIBBPF_FRAME.search(line)] or said
    tail = "".join(f"\n  {line}" for line in log[-_LOG_LINES:])
    return LoadError(f"cannot load {object_name}: {who} ({libbpf.errno_name(number)}){tail}")


_LOG_LINES = 20
_PROGRAM_FAILED = re.compile(r"prog '([^']+)': (?:BPF program load failed|failed to load)")
_LIBBPF_FRAME = re.compile(
    r"PROG LOAD LOG --|^libbpf: failed to load object|: failed to load: -\d+"
)


class _Plan(NamedTuple):
    """What ``load`` is asked for."""

    ring_bytes: int
    settings: Mapping[str, int]
    programs: Collection[str] | None
    prepare: Callable[[Capture], None] | None


def _load(name: str, image: bytes, plan: _Plan, tree: Pins, fingerprint: bytes) -> Capture:
    copied = _copied(image, plan.programs)
    with _opened_object(name, image) as bpf_object:
        _switch_off(bpf_object, plan.programs)
        _size_rings(bpf_object)
        _set_globals(bpf_object, image, {**plan.settings, **_place_among_copies(0, copied)})
        _load_object(name, bpf_object)
        _fill_rings(call("bpf_map__fd", _named_map(bpf_object, "rings")), plan.ring_bytes)
        _pin_all(bpf_object, tree)
        for copy in range(1, COPIES if copied else 1):
            _load_spare(name, image, copied, copy, bpf_object, tree)
        capture = Capture(tree)
        try:
            if plan.prepare is not None:
                plan.prepare(capture)
        except BaseException:
            capture.close()
            raise
        marker = call("bpf_map__fd", _named_map(bpf_object, "layout"))
        call("bpf_map_update_elem", marker, u32(0), fingerprint, 0, about="layout")
        pin(marker, tree.marker)
    return capture


def probes(image: bytes) -> frozenset[str]:
    """Names of the programs of an object that may have copies (kernel/graph/probe.h)."""
    btf = object_btf(image)
    tagged = (
        tag.target for _id, tag in btf.types() if isinstance(tag, Tag) and tag.name == "probe"
    )
    return frozenset(btf.decode(target).name for target in tagged)


def _copied(image: bytes, programs: Collection[str] | None) -> frozenset[str]:
    """The programs, of those that are wanted, which this kernel needs copies of."""
    found = probes(image) if preempts_itself() else frozenset()
    return found if programs is None else found.intersection(programs)


def _load_spare(
    name: str, image: bytes, copied: frozenset[str], copy: int, first: int, tree: Pins
) -> None:
    """Load and pin the probes once more, with the maps of the first object."""
    with _opened_object(name, image) as bpf_object:
        _switch_off(bpf_object, copied)
        _share_maps(bpf_object, first)
        _set_globals(bpf_object, image, _place_among_copies(copy, copied))
        _load_object(name, bpf_object)
        for handle, program in _loaded_programs(bpf_object):
            path = tree.program(program.kind, copy_name(program.name, copy))
            pin(call("bpf_program__fd", handle), path)


def _place_among_copies(copy: int, copied: frozenset[str]) -> dict[str, int]:
    """The settings that kernel/graph/probe.h asks for, if there are copies."""
    return {"probe_copy": copy, "probe_copies": COPIES} if copied else {}


def _share_maps(bpf_object: int, other: int) -> None:
    """Use the maps of another object; constants, by which the two differ, stay its own."""
    theirs = {_pin_name_of(handle): handle for handle in _each("bpf_object__next_map", other)}
    for handle in _each("bpf_object__next_map", bpf_object):
        name = _pin_name_of(handle)
        if not name.startswith("rodata"):
            call("bpf_map__reuse_fd", handle, call("bpf_map__fd", theirs[name]), about=name)


def _load_object(name: str, bpf_object: int) -> None:
    libbpf.messages.clear()
    try:
        call("bpf_object__load", bpf_object)
    except CallError as error:
        raise refusal(name, error.errno, list(libbpf.messages)) from error


@contextlib.contextmanager
def _opened_object(name: str, image: bytes) -> Iterator[int]:
    """Handle of the object within the block. Opening asks nothing of the kernel."""
    stem = name.partition(".")[0].encode()
    options = libbpf.OpenOptions(ctypes.sizeof(libbpf.OpenOptions), stem)
    libbpf.messages.clear()
    try:
        handle = pointer("bpf_object__open_mem", image, len(image), ctypes.byref(options))
    except CallError as error:
        said = libbpf.messages[-1] if libbpf.messages else str(error)
        raise KernelError(f"cannot open {name}: {said}") from error
    try:
        yield handle
    finally:
        libbpf.library().bpf_object__close(handle)


def _programs(bpf_object: int) -> list[tuple[int, Program]]:
    handles = _each("bpf_object__next_program", bpf_object)
    return [
        (h, Program.of(text("bpf_program__name", h), text("bpf_program__section_name", h)))
        for h in handles
    ]


def _each(step: str, bpf_object: int) -> list[int]:
    """Handles of all programs or maps."""
    found: list[int] = []
    handle = address(step, bpf_object, None)
    while handle:
        found.append(handle)
        handle = address(step, bpf_object, handle)
    return found


def _switch_off(bpf_object: int, wanted: Collection[str] | None) -> None:
    """What this kernel lacks, and what is not wanted."""
    handles = {program: handle for handle, program in _programs(bpf_object)}
    off = {program for program, _missing in skipped(list(handles), kernel_btf())}
    if wanted is not None:
        off |= {program for program in handles if program.name not in wanted}
    for program in off:
        call("bpf_program__set_autoload", handles[program], False, about=program.name)


def _loaded_programs(bpf_object: int) -> Iterator[tuple[int, Program]]:
    for handle, program in _programs(bpf_object):
        if libbpf.library().bpf_program__autoload(handle):
            yield handle, program


def _size_rings(bpf_object: int) -> None:
    """One slot for each possible CPU; which ones are online may change at any time."""
    rings = _named_map(bpf_object, "rings")
    if call("bpf_map__type", rings) != ARRAY_OF_MAPS:
        raise KernelError("the object's map rings is not an array of maps")
    call("bpf_map__set_max_entries", rings, libbpf.possible_cpus(), about="rings")


def _fill_rings(outer_fd: int, ring_bytes: int) -> None:
    for cpu in range(libbpf.possible_cpus()):
        with Map.ringbuf(f"ring_{cpu}", ring_bytes) as ring:
            call("bpf_map_update_elem", outer_fd, u32(cpu), u32(ring.fd), 0, about="rings")


def _set_globals(bpf_object: int, image: bytes, settings: Mapping[str, int]) -> None:
    """Write integers into ``.rodata`` before it is frozen; their places come from the symbols."""
    places = _global_places(image) if settings else {}
    for name, value in settings.items():
        if name not in places:
            raise KernelError(f"the object has no read-only global {name}")
        offset, length = places[name]
        try:
            data = value.to_bytes(length, sys.byteorder, signed=value < 0)
        except OverflowError as error:
            raise KernelError(f"{name} has {length} bytes: {value} does not fit") from error
        rodata = _initial_value(bpf_object, "rodata")
        ctypes.memmove(ctypes.byref(rodata, offset), data, length)


def _initial_value(bpf_object: int, name: str) -> "ctypes.Array[ctypes.c_char]":
    """The memory that libbpf copies into this map of globals when it loads."""
    size = ctypes.c_size_t()
    for handle in _each("bpf_object__next_map", bpf_object):
        if _pin_name_of(handle) == name:
            start = pointer("bpf_map__initial_value", handle, ctypes.byref(size))
            return (ctypes.c_char * size.value).from_address(start)
    raise KernelError(f"the object has no globals in .{name}")


def _global_places(image: bytes) -> dict[str, tuple[int, int]]:
    """Read-only global -> offset and bytes in ``.rodata``."""
    btf = object_btf(image)
    sizes = {
        var.name: btf.size_of(var.type)
        for place in btf.section(".rodata").places
        if isinstance(var := btf.resolve(place.var), Var)
    }
    return {
        symbol.name: (symbol.offset, sizes[symbol.name])
        for symbol in elf.symbols(image)
        if symbol.section == ".rodata" and symbol.name in sizes
    }


def _pin_all(bpf_object: int, tree: Pins) -> None:
    """Pin every map but the marker, and every program that was loaded."""
    for handle in _each("bpf_object__next_map", bpf_object):
        path = tree.maps / _pin_name_of(handle)
        if path != tree.marker:
            pin(call("bpf_map__fd", handle), path)
    for handle, program in _loaded_programs(bpf_object):
        pin(call("bpf_program__fd", handle), tree.program(program.kind, program.name))


def _pin_name_of(map_handle: int) -> str:
    return pin_name(text("bpf_map__name", map_handle))


def _named_map(bpf_object: int, name: str) -> int:
    handle = address("bpf_object__find_map_by_name", bpf_object, name.encode())
    if not handle:
        raise KernelError(f"the object has no map {name}")
    return handle


def _pin_link(program_fd: int, program: Program, path: Path, cookie: int | None) -> None:
    """Attach and pin; the link that is not pinned goes with its descriptor."""
    kind, options = ATTACH_TYPES[program.kind], None
    if cookie is not None:
        size = ctypes.sizeof(libbpf.LinkOptions)
        options = ctypes.byref(libbpf.LinkOptions(sz=size, cookie=cookie))
    with opened(call("bpf_link_create", program_fd, 0, kind, options, about=program.name)) as link:
        pin(link, path)


def _run_iterator(program_fd: int) -> None:
    """Have an iterator visit everything once: it works while its output is read."""
    kind = ATTACH_TYPES["iter"]
    with (
        opened(call("bpf_link_create", program_fd, 0, kind, None, about="iterator")) as link,
        opened(call("bpf_iter_create", link)) as output,
    ):
        while _read_again(output):
            pass


def _read_again(fd: int) -> bool:
    """Read a piece; ``False`` at the end. The kernel asks for patience after many objects."""
    try:
        return bool(os.read(fd, 1 << 16))
    except OSError as error:
        if error.errno == errno.EAGAIN:
            return True
        raise KernelError(f"an iterator failed: {error.strerror}") from error


def _open_ring(stack: contextlib.ExitStack, outer: Map, cpu: int) -> Ring:
    """Map the ring in slot ``cpu``; a look-up in an array of maps gives the inner map's id."""
    id = outer.lookup(u32(cpu))
    if id is None:
        raise KernelError(f"no ring for CPU {cpu}")
    inner = stack.enter_context(Map.by_id(int.from_bytes(id, sys.byteorder)))
    if inner.info.type != RINGBUF:
        raise KernelError(f"slot {cpu} of rings holds no ring buffer")
    return Ring(cpu, inner.fd, inner.info.max_entries)
