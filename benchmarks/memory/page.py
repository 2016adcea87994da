"""Lays out what the measurement found as a page of the reference.

Public: :func:`page`, :func:`bounded_bytes`.
"""

from collections.abc import Iterator, Sequence

from benchmarks.maps import TYPES, MapShape, map_shapes
from benchmarks.memory.bounds import STORAGES, element_bytes, most_bytes, read
from benchmarks.memory.plan import KINDS
from benchmarks.memory.results import Footprint, Held
from benchmarks.show import NOTHING, Page, Table, number
from provcap.bpf import loader
from provcap.bpf.maps import PERCPU_ARRAY
from provcap.services.record import DEFAULT_RING_BYTES

_HEAD = """# Kernel memory

What capture takes of the kernel's memory: what is there from the beginning, what each object that
lives adds, and how far each map can grow. Measured and written by

    make bench-memory

in a guest with Linux {kernel} and {cpus} CPU.
The declarations of the maps are read from the compiled object. Lost in the same run: nothing, or
the numbers would have been refused.
"""
_MIB = 1 << 20
LEFT_BYTES, LEFT_PART = 8, 0.05
"""Of one object, and of what is added for one: what is less is everything else in the guest."""


def page(found: Footprint) -> Page:
    """The whole page; raises ``SetupError`` if the object is not built."""
    shapes = map_shapes(loader.read_object(loader.find_object()))
    head = _HEAD.format(kernel=found.kernel, cpus=found.cpus)
    return Page(head, [_objects(found, shapes), _fixed(found, shapes), _bounds(shapes)])


def _objects(found: Footprint, shapes: Sequence[MapShape]) -> Table:
    by_name = {shape.name: shape for shape in shapes}
    rows = [
        _object_row(KINDS[name].title, held, [by_name[value] for value in KINDS[name].values])
        for name, held in found.kinds.items()
    ]
    about = (
        "Bytes of one object. Each kind is made in so many copies in a process that keeps them,"
        " without capture and then with it; counted are the live objects of all slab caches"
        " (`/proc/slabinfo`, after each cache has given back what is free), before, while they"
        " live and when they are gone. *Value* is what our maps keep of one; *expected* what that"
        " takes with the heads of the kernel and rounded up to its sizes; entries of maps that"
        " have all their memory from the beginning take nothing more. *Left* is what is still"
        " there of one half a minute after all are gone, beyond what is left without capture."
        " Then as many are made *again*: what they add beyond that, and what is left of both."
        " A few bytes more or less are everything else in the guest, the recording among it,"
        " which lies in memory."
    )
    head = ["object", "value", "copies", "without capture", "expected", "added", "left"]
    head += ["added again", "left again", "in"]
    return Table("Each object", about, head, rows, texts=2, more=_returned(found))


def _object_row(title: str, held: Held, values: Sequence[MapShape]) -> list[str]:
    grown = [shape for shape in values if not _is_fixed(shape)]
    caches = ", ".join(
        f"`{name}` {size / held.number:+,.0f}"
        for name, size in sorted(held.caches.items(), key=lambda item: -item[1])[:3]
    )
    return [
        title,
        " + ".join(f"{shape.value_bytes:,} (`{shape.name}`)" for shape in values),
        number(held.number),
        number(held.base / held.number),
        number(sum(map(element_bytes, grown))),
        *(
            number(size / held.number)
            for size in (held.added, held.left, held.added_again, held.left_again)
        ),
        caches,
    ]


def _is_fixed(shape: MapShape) -> bool:
    """Whether all of its memory is there from the beginning: those without BPF_F_NO_PREALLOC."""
    return shape.preallocated


def _returned(found: Footprint) -> str:
    kept = {name: held for name, held in found.kinds.items() if _is_much(held, held.left)}
    grown = [KINDS[name].title for name, held in kept.items() if _grows(held)]
    parts = ["What is added goes with the object"]
    if kept:
        titles = "; ".join(KINDS[name].title for name in kept)
        parts[0] += (
            f", but for: {titles}. There the kernel's allocator for BPF keeps what it got back"
        )
        parts.append(
            f"**It grows for: {'; '.join(grown)}.**"
            if grown
            else "It is not lost: as many objects made later take it, and leave no more behind."
        )
    percpu = sum(held.percpu for held in found.kinds.values())
    parts += [
        f"Memory that each CPU has of its own (`Percpu`) changed by {percpu:,} bytes over all of"
        " them.",
        "A thread takes what a process does: the place of an address space is there already.",
        "The storage of an inode lives as long as the kernel has the inode in its cache, open or"
        " not; what the kernel lets go while the file exists goes on in `evicted`.",
    ]
    return ". ".join(parts[:1]) + ". " + " ".join(parts[1:])


def _grows(held: Held) -> bool:
    """Whether what is left is more after the second time than after the first."""
    return _is_much(held, held.left_again - held.left)


def _is_much(held: Held, size: int) -> bool:
    return size >= max(LEFT_BYTES * held.number, LEFT_PART * held.added)


def _fixed(found: Footprint, shapes: Sequence[MapShape]) -> Table:
    small = {name: size for name, size in found.maps.items() if size < _MIB // 16}
    rows = [
        [f"`{name}`", number(size), f"{size / _MIB:,.2f}"]
        for name, size in sorted(found.maps.items(), key=lambda item: -item[1])
        if name not in small
    ]
    rest = sum(small.values())
    rows.append([f"{len(small)} further maps, constants included", number(rest), _mib(rest)])
    total = sum(found.maps.values())
    rows.append(["all maps", number(total), _mib(total)])
    rings = found.maps.get("rings", 0)
    rows.append(["all maps but the rings", number(total - rings), _mib(total - rings)])
    programs = found.program_bytes
    rows.append([f"{found.programs} programs, as bytecode", number(programs), _mib(programs)])
    about = (
        "Bytes after loading, as the kernel accounts them (`memlock` of each descriptor), with"
        f" rings of {DEFAULT_RING_BYTES / _MIB:g} MiB, which is what `--ring-size` is if nothing is"
        f" said, on {found.cpus} CPU. Their machine code comes on top of the programs."
    )
    return Table("Fixed", about, ["what", "bytes", "MiB"], rows, more=_each_cpu(shapes))


def _each_cpu(shapes: Sequence[MapShape]) -> str:
    arrays = [shape for shape in shapes if shape.type == PERCPU_ARRAY]
    size = sum(most_bytes(shape, 1) or 0 for shape in arrays)
    names = " and ".join(f"`{shape.name}`" for shape in arrays)
    return (
        f"Each further CPU adds a ring and {size:,} bytes for {names}; nothing else grows with"
        " the number of CPUs."
    )


def _mib(size: int) -> str:
    return f"{size / _MIB:,.2f}"


def _bounds(shapes: Sequence[MapShape]) -> Table:
    known = read()
    rows = []
    for shape in sorted(shapes, key=lambda shape: shape.name):
        bound = known[shape.name]
        counter = f"[`{bound.counter}`](losses.md)" if bound.counter else NOTHING
        rows.append([f"`{shape.name}`", bound.holds, bound.full, counter, *_numbers(shape)])
    about = (
        "Every map of the object: what it keeps one of, what happens when there are more, and"
        " which counter tells that. *Entry* is with the kernel's own head, rounded up to what its"
        " allocator gives; *at the bound* with the table, on one CPU. Maps of the kind *storage*"
        " hang on the object itself: the kernel frees them with it."
    )
    rows.append(["all maps but `rings` and storages", *[NOTHING] * 6, _mib(bounded_bytes(shapes))])
    head = ["map", "one for each", "when it is full", "counter", "kind"]
    head += ["entry", "entries", "MiB at the bound"]
    return Table("Bounds", about, head, rows, texts=5, more=_at_most(shapes))


def bounded_bytes(shapes: Sequence[MapShape]) -> int:
    """What all maps with a bound of their own take together when they are full, on one CPU."""
    return sum(most_bytes(shape, 1) or 0 for shape in shapes)


def _at_most(shapes: Sequence[MapShape]) -> str:
    """What there can be in all."""
    whole = bounded_bytes(shapes) + DEFAULT_RING_BYTES
    storages = [shape for shape in shapes if shape.type in STORAGES]
    parts = ", ".join(f"{element_bytes(shape):,} (`{shape.name}`)" for shape in storages)
    return (
        f"So capture takes **at most {whole / _MIB:,.0f} MiB** for its maps on one CPU with a ring"
        f" of {DEFAULT_RING_BYTES / _MIB:g} MiB, each full, and what hangs on the objects that are"
        f" alive: for each of them {parts} bytes. Those are bounded by what bounds the objects:"
        " threads by `pid_max`, sockets by descriptors, inodes by the memory that the kernel's"
        " cache may take, which it gives back with them. The programs are not in it."
    )


def _numbers(shape: MapShape) -> Iterator[str]:
    most = most_bytes(shape, 1)
    yield TYPES[shape.type]
    yield number(element_bytes(shape) or None)
    yield number(shape.entries if most is not None else None)
    yield NOTHING if most is None else _mib(most)
