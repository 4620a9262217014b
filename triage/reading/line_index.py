"""Lines of a file of any size, by byte or by number: what lies between is counted once, in slices, and never kept."""

from __future__ import annotations

import os
import threading
from array import array
from bisect import bisect_left

from triage.reading.block_file import BlockFile, Change
from triage.reading.encoding import detect
from triage.reading.opening import Refused, open_path
from triage.reading.unpack import refused, sniff
from triage.records import dataclass

_SLICE = 16
"""Blocks that are counted at a time: some milliseconds from the page cache."""
_NEAR = 4 << 20
"""How far from a known line others are still counted, where the index has not come yet."""
_HEAD = 1 << 16
SHOWN = 1 << 14
"""The most bytes of one line that are handed out."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line: ``raw`` are its first bytes (at most `SHOWN`) without the line feed, ``end`` is where the next one begins."""

    offset: int
    end: int
    raw: bytes

    @property
    def is_cut(self) -> bool:
        """The line has more bytes than ``raw``."""
        return self.end - self.offset > len(self.raw) + 1


class LineIndex:
    """The lines of a file, which may grow; lines end at line feeds and are numbered from 1.

    `after`, `before` and `start_of` work at once, at any byte, and in any thread. Numbers are known as far as `advance` has
    counted, and near places that were told by `learn`. One thread may call `advance` while another does all the rest.
    """

    def __init__(self, file: BlockFile) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._feeds = array("q", [0])
        self._places: list[tuple[int, int]] = []
        self._told = (0, 1)
        self._total = (-1, 0)

    @property
    def size(self) -> int:
        """Bytes, as of the last refresh."""
        return self._file.size

    @property
    def is_complete(self) -> bool:
        """Every block but the last, unfinished one was counted."""
        return len(self._feeds) > self.size // self._file.block_size

    @property
    def counted(self) -> int:
        """Bytes that were counted, for showing progress."""
        return self.size if self.is_complete else (len(self._feeds) - 1) * self._file.block_size

    @property
    def lines(self) -> int:
        """The number of lines: exact once ``is_complete``, before that estimated from what was counted."""
        whole, size = len(self._feeds) - 1, self.size
        if self.is_complete:
            if self._total[0] != size:
                tail = self._file.block(whole)
                open_end = size > 0 and self.read(size - 1, 1) != b"\n"
                self._total = (size, int(self._feeds[whole]) + tail.count(b"\n") + open_end)
            return self._total[1]
        if not whole:
            first = self._file.block(0)
            return max(1, first.count(b"\n") * size // max(1, len(first)))
        return max(1, self._feeds[whole] * size // (whole * self._file.block_size))

    def advance(self) -> bool:
        """Count some more blocks; True while there are more. What a read or a truncation disturbs is left for the next call."""
        table = self._feeds
        first = len(table) - 1
        number = min(_SLICE, self.size // self._file.block_size - first)
        if number <= 0 or self._file.is_closed:
            return False
        counts = self._file.feeds(first, number)
        with self._lock:
            # A table that was begun anew belongs to other bytes than those that were just counted.
            if table is self._feeds and len(table) == first + 1:
                for count in counts:
                    table.append(table[-1] + count)
        return bool(counts) and not self.is_complete

    def refresh(self) -> Change:
        """Look at the file again. Its lines are counted anew when it was ``truncated``; ``replaced`` is told once, and the
        open file stays the one that is shown."""
        change = self._file.refresh()
        if change == "truncated":
            with self._lock:
                self._feeds, self._places = array("q", [0]), []
                self._told, self._total = (0, 1), (-1, 0)
        return change

    def learn(self, number: int, offset: int) -> None:
        """Line ``number`` begins at ``offset``: known from elsewhere before the index comes there."""
        place = (offset, number)
        at = bisect_left(self._places, place)
        if self._places[at : at + 1] != [place]:
            self._places.insert(at, place)

    def after(self, offset: int, count: int) -> list[Line]:
        """Up to ``count`` lines from the one that begins at ``offset`` on."""
        found: list[Line] = []
        while len(found) < count and 0 <= offset < self.size:
            found.append(self._line(offset))
            offset = found[-1].end
        return found

    def before(self, offset: int, count: int) -> list[Line]:
        """Up to ``count`` lines that end at or before ``offset``, in the order of the file."""
        found: list[Line] = []
        while len(found) < count and offset > 0:
            offset = self.start_of(min(offset, self.size) - 1)
            found.append(self._line(offset))
        return found[::-1]

    def start_of(self, offset: int) -> int:
        """Where the line begins that holds the byte at ``offset``."""
        block, end = self._file.block_size, max(0, min(offset, self.size))
        while end > 0:
            number = (end - 1) // block
            if self._has_feeds(number):
                at = self._file.block(number).rfind(b"\n", 0, end - number * block)
                if at >= 0:
                    return number * block + at + 1
            end = number * block
        return 0

    def number_of(self, offset: int) -> int | None:
        """The number of the line that begins at ``offset``; None where nothing was counted yet."""
        block = offset // self._file.block_size
        if block < len(self._feeds):
            # Lines are asked for in their order, so that most of the block was counted just now.
            near, number = self._told
            if not block * self._file.block_size <= near <= offset:
                near, number = block * self._file.block_size, int(self._feeds[block]) + 1
            self._told = (offset, number + self._count(near, offset))
            return self._told[1]
        at = bisect_left(self._places, (offset, 0))
        for place, number in self._places[at : at + 1] + self._places[max(0, at - 1) : at]:
            if abs(place - offset) <= _NEAR:
                between = self._count(min(place, offset), max(place, offset))
                return number + (between if offset >= place else -between)
        return None

    def offset_of(self, number: int) -> int | None:
        """Where line ``number`` begins; None if there is none, or if nothing was counted so far."""
        feeds = number - 1
        if feeds <= 0:
            return 0 if feeds == 0 and self.size else None
        block = bisect_left(self._feeds, feeds) - 1
        if block == len(self._feeds) - 1 and not self.is_complete:
            return None
        at = _after_feed(self._file.block(block), feeds - self._feeds[block])
        offset = block * self._file.block_size + at
        return offset if at and offset < self.size else None

    def read(self, offset: int, size: int) -> bytes:
        """The bytes from ``offset`` on, fewer at the end."""
        return self._file.read(offset, size)

    def close(self) -> None:
        """Give the descriptor back; a second call does nothing."""
        self._file.close()

    def _line(self, offset: int) -> Line:
        end = self._end_of(offset)
        raw = self._slice(offset, min(end, offset + SHOWN + 1))
        return Line(offset, end, raw[:-1] if raw.endswith(b"\n") and offset + len(raw) == end else raw[:SHOWN])

    def _end_of(self, offset: int) -> int:
        block = self._file.block_size
        number = offset // block
        while number * block < self.size:
            if self._has_feeds(number):
                at = self._file.block(number).find(b"\n", max(0, offset - number * block))
                if at >= 0:
                    return number * block + at + 1
            number += 1
        return self.size

    def _has_feeds(self, number: int) -> bool:
        """False only for a counted block without any: a line of gigabytes is stepped over and not read."""
        feeds = self._feeds
        return number + 1 >= len(feeds) or feeds[number + 1] > feeds[number]

    def _count(self, start: int, end: int) -> int:
        total, block = 0, self._file.block_size
        while start < end:
            number = start // block
            stop = min(end, (number + 1) * block)
            total += self._file.block(number).count(b"\n", start - number * block, stop - number * block)
            start = stop
        return total

    def _slice(self, start: int, end: int) -> bytes:
        block = self._file.block_size
        number = start // block
        part = self._file.block(number)[start - number * block : end - number * block]
        return part if end <= (number + 1) * block else part + self._slice((number + 1) * block, end)


def open_lines(path: str) -> LineIndex | None:
    """The index of a plain file; None for what a scan reads otherwise than as it lies on the disk (packed, UTF-16, holes,
    pipes) or not at all: its lines are those of a spool."""
    try:
        opened = open_path(path, privileged=os.geteuid() == 0, fifo_wait_s=0.0)
    except Refused:
        return None
    head = os.pread(opened.fd, _HEAD, 0) if opened.regular else b""
    encoding, mark = detect(head)
    plain = encoding in ("", "utf-8") and not (sniff(head) or refused(head)) and not head[mark:].startswith(b"\0")
    if not opened.regular or not plain or _has_hole(opened.fd, opened.status.st_size):
        os.close(opened.fd)
        return None
    return LineIndex(BlockFile(opened.fd, base=mark, path=path))


def _has_hole(fd: int, size: int) -> bool:
    try:
        return 0 < size != os.lseek(fd, 0, os.SEEK_HOLE)
    except OSError:
        return False


def _after_feed(text: bytes, number: int) -> int:
    """The index behind the ``number``-th line feed; 0 if there are fewer."""
    parts = text.split(b"\n", number)
    return len(text) - len(parts[number]) if len(parts) > number else 0
