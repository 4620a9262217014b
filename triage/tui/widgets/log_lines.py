"""The lines that a log view shows: those of a file, or those of them that pass a filter."""

from __future__ import annotations

from triage.reading.line_index import Line, LineIndex
from triage.tui.line_filter import Hits


class LogLines:
    """Lines by byte, forwards and backwards. ``hits``: only these; None: all."""

    def __init__(self, index: LineIndex, hits: Hits | None = None) -> None:
        self.index, self.hits = index, hits

    def after(self, offset: int, count: int) -> list[Line]:
        """Up to ``count`` lines from the one that begins at ``offset``, or the next one that is shown, on."""
        if self.hits is None:
            return self.index.after(offset, count)
        found: list[Line] = []
        place = self.hits.next(offset - 1)
        while place is not None and len(found) < count:
            found += self.index.after(place, 1)
            place = self.hits.next(place)
        return found

    def before(self, offset: int, count: int) -> list[Line]:
        """Up to ``count`` lines that begin before ``offset``, in the order of the file."""
        if self.hits is None:
            return self.index.before(offset, count)
        found: list[Line] = []
        place = self.hits.previous(offset)
        while place is not None and len(found) < count:
            found += self.index.after(place, 1)
            place = self.hits.previous(place)
        return found[::-1]

    def nearest(self, offset: int) -> int | None:
        """Where the shown line begins that holds the byte at ``offset``, or is the next one, or the last; None without any."""
        start = self.index.start_of(offset)
        shown = self.after(start, 1) or self.before(self.index.size, 1)
        return shown[0].offset if shown else None

    def last(self) -> int | None:
        """Where the last shown line begins."""
        shown = self.before(self.index.size, 1)
        return shown[0].offset if shown else None
