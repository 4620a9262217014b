"""The evidence marks of one file, by the places of their lines."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from triage.tui.marks import Mark


class LogMarks:
    """Marks in the order of their lines. ``by_offset``: where the line begins -> its mark."""

    def __init__(self, marks: Iterable[Mark] = ()) -> None:
        self.all = sorted(marks, key=lambda mark: mark.place.offset)
        self._offsets = [mark.place.offset for mark in self.all]
        self.by_offset: Mapping[int, Mark] = dict(zip(self._offsets, self.all, strict=True))

    def beside(self, offset: int, step: int) -> Mark | None:
        """The next (1) or previous (-1) mark, seen from the line at ``offset``; None if there is none."""
        at = bisect_left(self._offsets, offset + 1) if step > 0 else bisect_left(self._offsets, offset) - 1
        return self.all[at] if 0 <= at < len(self.all) else None
