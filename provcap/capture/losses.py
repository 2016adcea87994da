"""Says what is missing from a stream: from the sequence numbers, the counters and the skips.

Numbers are given per CPU and can be out of ring order by thousands, so a gap is only known at the
end: highest - lowest + 1 - arrived. A full ring explains it; what no counter explains is said
apart.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from provcap.capture.decoder import KernelRecord
from provcap.capture.disclosed import CPU, Disclosed
from provcap.capture.raw import Status
from provcap.vocabulary import HARMLESS

KEYS = (
    "complete",
    "records",
    "records_cpus",
    "missing",
    "missing_uncounted",
    "skipped",
    "late",
    "cut",
    "restrictions",
)
SWITCHED_OFF = "switched_off"  # of the restrictions: the one that makes a recording incomplete
_REFUSED = ("event_ring_full", "node_ring_full", "text_ring_full")  # these took a number


class Losses(NamedTuple):
    """What is known to be missing; ``causes``: name -> CPU -> count, without zeros.

    ``unknown``: there is no final status, so losses may have gone uncounted. ``restrictions``: what
    was left out on purpose; ``refused``: cause -> what applications disclosed and was not taken.
    """

    records: int
    missing: int
    missing_uncounted: int
    skipped: int
    late: int
    cut: bool
    unknown: bool
    causes: dict[str, dict[int, int]]
    records_by_cpu: dict[int, int]
    restrictions: tuple[str, ...] = ()
    refused: Mapping[str, int] = {}

    @property
    def complete(self) -> bool:
        """Whether all that belongs to the graph arrived."""
        harmful = (self.causes.keys() | self.refused.keys()) - HARMLESS.keys()
        uncounted = self.missing_uncounted or self.skipped or self.cut or self.unknown
        return not (uncounted or harmful or SWITCHED_OFF in self.restrictions)

    def words(self) -> Iterator[str]:
        """What is missing, for people: ``2 task storage``."""
        if self.unknown:
            yield "losses not known: the recorder did not write its last counters"
        counts = {"missing": self.missing, "skipped": self.skipped, "late": self.late}
        counts |= {cause: sum(cpus.values()) for cause, cpus in self.causes.items()}
        counts |= self.refused
        yield from (f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)

    def attributes(self) -> dict[str, object]:
        """As attributes of the machine node: ``complete``, and ``losses`` as key -> text."""
        counts = {"records": self.records, "missing": self.missing, "skipped": self.skipped}
        counts |= {"missing_uncounted": self.missing_uncounted, "late": self.late}
        texts = {key: str(value) for key, value in counts.items()}
        texts["records_cpus"] = _by_cpu(self.records_by_cpu)
        texts["cut"] = "true" if self.cut else "false"
        texts["restrictions"] = " ".join(self.restrictions)
        for cause, cpus in sorted(self.causes.items()):
            texts[f"lost_{cause}"] = str(sum(cpus.values()))
            texts[f"lost_{cause}_cpus"] = _by_cpu(cpus)
        texts |= {f"lost_{cause}": str(count) for cause, count in sorted(self.refused.items())}
        return {"complete": self.complete, "losses": texts}


class Account:
    """A stage that changes nothing and keeps count of the sequence numbers of each CPU."""

    def __init__(self) -> None:
        """Nothing has arrived yet."""
        self._cpus: dict[int, _Numbers] = {}

    def __call__(
        self, records: Sequence[KernelRecord | Disclosed]
    ) -> Sequence[KernelRecord | Disclosed]:
        """The same records."""
        by_cpu: dict[int, list[int]] = {}
        for record in records:
            by_cpu.setdefault(record[2], []).append(record[1])
        by_cpu.pop(CPU, None)  # disclosed: in the file as they were accepted, no ring between
        for cpu, numbers in by_cpu.items():
            self._cpus.setdefault(cpu, _Numbers(numbers[0])).add(numbers)
        return records

    def finish(self) -> Sequence[KernelRecord | Disclosed]:
        """Nothing is held back."""
        return []

    def losses(
        self, base: Status | None, last: Status | None, *, late: int = 0, cut: bool = False
    ) -> Losses:
        """``base``: a status from before the first record, whose counts are not of this stream."""
        causes = _since(base, last)
        missing = {cpu: numbers.missing for cpu, numbers in self._cpus.items()}
        missing |= self._not_arrived(base, last)
        uncounted = 0
        for cpu, count in missing.items():
            refused = sum(causes.get(name, {}).get(cpu, 0) for name in _REFUSED)
            uncounted += max(0, count - refused)
        return Losses(
            sum(numbers.arrived for numbers in self._cpus.values()),
            sum(missing.values()),
            uncounted,
            _skips(last) - _skips(base),
            late,
            cut,
            last is None or not last.final,
            causes,
            {cpu: numbers.arrived for cpu, numbers in self._cpus.items()},
            tuple(last.policy.get("restrictions", "").split()) if last else (),
            {cause: count for cause, count in (last.refused if last else {}).items() if count},
        )

    def _not_arrived(self, base: Status | None, last: Status | None) -> dict[int, int]:
        """CPU -> numbers that were given and did not arrive; exact, but known at the end only.

        It also sees what is missing before the first record that arrived and behind the last.
        """
        if base is None or last is None or not last.final:
            return {}
        arrived = {cpu: numbers.arrived for cpu, numbers in self._cpus.items()}
        return {
            cpu: max(0, given - base.given.get(cpu, 0) - arrived.get(cpu, 0))
            for cpu, given in last.given.items()
        }


class _Numbers:
    """The sequence numbers of one CPU, continued beyond 32 bits."""

    def __init__(self, first: int) -> None:
        self.arrived = 0
        self._lowest = self._highest = first

    @property
    def missing(self) -> int:
        """Numbers between the lowest and the highest that did not arrive."""
        return max(0, self._highest - self._lowest + 1 - self.arrived)

    def add(self, numbers: list[int]) -> None:
        self.arrived += len(numbers)
        for number in numbers:
            near = self._highest + ((number - self._highest + (1 << 31)) % (1 << 32) - (1 << 31))
            if near > self._highest:
                self._highest = near
            elif near < self._lowest:
                self._lowest = near


def _by_cpu(counts: Mapping[int, int]) -> str:
    return " ".join(f"{cpu}:{count}" for cpu, count in sorted(counts.items()))


def _since(base: Status | None, last: Status | None) -> dict[str, dict[int, int]]:
    """Cause -> CPU -> count since the base, without zeros."""
    causes: dict[str, dict[int, int]] = {}
    for cpu, counts in (last.counters if last else {}).items():
        before = base.counters.get(cpu, {}) if base else {}
        for name, count in (Counter(counts) - Counter(before)).items():
            causes.setdefault(name, {})[cpu] = count
    return causes


def _skips(status: Status | None) -> int:
    return sum(status.recursion_misses.values()) if status else 0
