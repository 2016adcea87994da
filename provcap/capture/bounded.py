"""A mapping that forgets what was not used for long, so that no stream can fill the memory."""

from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class RecentMap(Generic[Key, Value]):
    """Holds at least the ``capacity`` keys used last, and at most twice as many.

    Two generations: what is used moves to the young one; when that is full it becomes the old one
    and the old one is forgotten. A look-up of a key in use costs one dictionary access.
    """

    def __init__(
        self, capacity: int, on_forget: Callable[[Key, Value], None] | None = None
    ) -> None:
        """``on_forget`` is told each key that is forgotten for want of room."""
        self._capacity = capacity
        self._on_forget = on_forget
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}

    def get(self, key: Key) -> Value | None:
        """The value, which counts as used now; None if unknown or forgotten."""
        value = self._young.get(key)
        if value is None and (value := self._old.pop(key, None)) is not None:
            self.put(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Remember; None cannot be a value."""
        if len(self._young) >= self._capacity and key not in self._young:
            self._age()
        self._old.pop(key, None)
        self._young[key] = value

    def remove(self, key: Key) -> None:
        """Forget on purpose; unknown keys are fine, ``on_forget`` is not told."""
        self._young.pop(key, None)
        self._old.pop(key, None)

    def _age(self) -> None:
        forgotten, self._old, self._young = self._old, self._young, {}
        if self._on_forget:
            for key, value in forgotten.items():
                self._on_forget(key, value)

    def __len__(self) -> int:
        """Keys held now."""
        return len(self._young) + len(self._old)
