"""A sliding buffer over one source: whole lines in, with enough of what came before to understand them."""

from __future__ import annotations

from collections.abc import Iterator

from triage.matching.context import LOOKBACK
from triage.matching.normalize import open_partial_start
from triage.records import dataclass

BLOCK = 4 << 20
MAX_LINE = 1 << 20
FIRST_ROOM = 256 << 10
"""What a buffer begins with: to fill megabytes with zeros takes longer than to scan a small log."""
OVERLAP = 16 << 10
"""A line longer than MAX_LINE is looked at in pieces that overlap by this much."""


@dataclass(frozen=True, slots=True)
class Region:
    """Bytes to scan: ``start:end`` in the buffer. A ``piece`` of an overlong line counts from ``fresh`` on; ``ends_line``
    tells whether its line ends with it. Whole lines otherwise (``fresh == start``)."""

    start: int
    fresh: int
    end: int
    piece: bool = False
    ends_line: bool = True


class SlidingBuffer:
    """Bytes come in through ``room``/``advance``; ``regions`` yields what can be scanned, the same for any chunking.

    ``origin`` is the absolute offset of the buffer's first byte.
    """

    __slots__ = ("_filled", "_line_start", "_next", "_size", "bytes", "origin")

    def __init__(self) -> None:
        self._size = LOOKBACK + BLOCK + 2 * MAX_LINE
        self.bytes = bytearray(min(FIRST_ROOM, self._size))
        self.origin = 0
        self._filled = 0
        self._next = 0  # first byte not yet handed out
        self._line_start = 0  # start of the line that `_next` is in (earlier only within an overlong line)

    def room(self) -> memoryview:
        """Where the next bytes go; never empty after ``regions`` has been exhausted. The one before must be let go first: the
        buffer may grow."""
        if len(self.bytes) < self._size and len(self.bytes) - self._filled < FIRST_ROOM // 4:
            self.bytes += bytes(self._size - len(self.bytes))
        return memoryview(self.bytes)[self._filled : len(self.bytes)]

    def advance(self, count: int) -> None:
        """``count`` bytes were written into ``room``."""
        self._filled += count

    @property
    def filled(self) -> int:
        """Offset in the buffer of the end of what was taken in."""
        return self._filled

    def waiting(self) -> tuple[int, int]:
        """Where in the buffer the bytes are that no region was made of yet."""
        return self._next, self._filled

    def last_byte(self) -> int | None:
        """The last byte taken in, or None before the first."""
        return self.bytes[self._filled - 1] if self._filled else None

    def regions(self, *, final: bool = False) -> Iterator[Region]:
        """Everything that can be scanned now; with ``final`` the unfinished rest too. Unless ``final``, the buffer then makes
        room: until then no byte moves."""
        while True:
            region = self._piece(final=final) or self._lines(final=final)
            if region is None:
                break
            yield region
        if not final:
            self._slide()

    def _lines(self, *, final: bool) -> Region | None:
        """Whole lines up to the last line feed, stopping before an overlong line."""
        if self._next != self._line_start:
            return None
        end = self.bytes.rfind(b"\n", self._next, self._filled) + 1
        if final and end < self._filled:
            end = self._filled
        elif end:
            end = open_partial_start(self.bytes, self._next, end) if not final else end
        if end <= self._next:
            return None
        end = self._before_overlong(end)
        if end <= self._next:
            return None  # an overlong line of which the next piece is not complete yet
        region = Region(self._next, self._next, end)
        self._next = self._line_start = end
        return region

    def _before_overlong(self, end: int) -> int:
        """Cut ``end`` back to the start of the first line in the region that is longer than MAX_LINE."""
        position = self._next
        while end - position > MAX_LINE:
            # The last line feed within reach proves that every line before it is short enough.
            feed = self.bytes.rfind(b"\n", position, position + MAX_LINE + 1)
            if feed < 0:
                return position
            position = feed + 1
        return end

    def _piece(self, *, final: bool) -> Region | None:
        """The next piece of an overlong line, cut at fixed distances from the line's start."""
        if self._next == self._line_start:
            feed = self.bytes.find(b"\n", self._next, min(self._filled, self._next + MAX_LINE + 1))
            if feed >= 0 or self._filled - self._next <= MAX_LINE:
                return None
        limit = self._next + MAX_LINE
        # At the end of the source there is no piece after this one to which the last bytes of the line could be left.
        last = final and self._filled <= limit + 3
        feed = self.bytes.find(b"\n", self._next, self._filled if last else min(self._filled, limit))
        if feed >= 0:
            end, ends_line = feed + 1, True
        elif self._filled >= limit + 4 and not final:
            end, ends_line = self._character_start(limit), False
        elif final and self._filled > self._next:
            end, ends_line = (self._filled, True) if last else (self._character_start(limit), False)
        else:
            return None
        region = Region(max(self._line_start, self._next - OVERLAP), self._next, end, piece=True, ends_line=ends_line)
        self._next = end
        if ends_line:
            self._line_start = end
        return region

    def _character_start(self, position: int) -> int:
        """``position`` or up to three bytes before it, so that no UTF-8 character is cut."""
        for back in range(4):
            if self.bytes[position - back] & 0xC0 != 0x80:
                return position - back
        return position

    def _slide(self) -> None:
        """Drop what is older than LOOKBACK before the next byte once the room gets small."""
        if len(self.bytes) < self._size or len(self.bytes) - self._filled >= BLOCK:
            return
        keep = max(0, self._next - LOOKBACK - OVERLAP)
        kept = self._filled - keep
        self.bytes[:kept] = self.bytes[keep : self._filled]
        self.origin += keep
        self._next -= keep
        self._line_start -= keep
        self._filled = kept
