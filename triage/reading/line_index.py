"""Lines of a file of any size, by byte or by number: what lies between is counted once, in slices, and never kept."""

from __future__ import annotations

import os
import threading
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, Literal

from triage.reading.encoding import detect
from triage.reading.opening import Refused, open_path
from triage.reading.unpack import refused, sniff
from triage.records import dataclass

if TYPE_CHECKING:
    from typing import TypeAlias

BLOCK = 1 << 20
_SLICE = 16
"""Blocks that are counted at a time: some milliseconds from the page cache."""
_LARGE = 64 << 20
"""From this size on numpy is worth its import: it counts five times as fast, and beside other threads."""
_KEPT_BLOCKS = 4
_NEAR = 4 * BLOCK
"""How far from a known line others are still counted, where the index has not come yet."""
_HEAD = 1 << 16
SHOWN = 1 << 14
"""The most bytes of one line that are handed out."""

Change: TypeAlias = Literal["same", "grown", "truncated", "replaced"]


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
    """The lines of an open regular file, which may grow; lines end at line feeds and are numbered from 1.

    `after`, `before` and `start_of` work at once, at any byte. Numbers are known as far as `advance` has counted, and near
    places that were told by `learn`. One thread may call `advance` while another reads. Owns ``fd``; the first ``base``
    bytes (a byte order mark) do not count. ``path`` is looked at to see whether the file was replaced.
    """

    def __init__(self, fd: int, *, base: int = 0, path: str | None = None) -> None:
        self._fd, self._base, self._path = fd, base, path
        self._lock = threading.Lock()
        self._feeds = array("q", [0])
        self._places: list[tuple[int, int]] = []
        self._told = (0, 1)
        self._blocks: dict[tuple[int, int], bytes] = {}
        self._replaced = self._closed = False
        self.size = self._size_now()

    @property
    def is_complete(self) -> bool:
        """Every block but the last, unfinished one was counted."""
        return len(self._feeds) > self.size // BLOCK

    @property
    def counted(self) -> int:
        """Bytes that were counted, for showing progress."""
        return self.size if self.is_complete else (len(self._feeds) - 1) * BLOCK

    @property
    def lines(self) -> int:
        """The number of lines: exact once ``is_complete``, before that estimated from what was counted."""
        whole = len(self._feeds) - 1
        if self.is_complete:
            tail = self._block(whole)
            return self._feeds[whole] + tail.count(b"\n") + (self.size > 0 and not self._ends_with_feed())
        if not whole:
            first = self._block(0)
            return max(1, first.count(b"\n") * self.size // max(1, len(first)))
        return max(1, self._feeds[whole] * self.size // (whole * BLOCK))

    def advance(self) -> bool:
        """Count some more blocks; True while there are more. What a read or a truncation disturbs is left for the next call."""
        table = self._feeds
        first = len(table) - 1
        number = min(_SLICE, self.size // BLOCK - first)
        if number <= 0 or self._closed:
            return False
        data = self._read(first * BLOCK, number * BLOCK)
        counts = _feeds_of_blocks(data, self.size >= _LARGE)
        with self._lock:
            # A table that was begun anew belongs to other bytes than those that were just counted.
            if table is self._feeds and len(table) == first + 1:
                for count in counts:
                    table.append(table[-1] + count)
        return bool(counts) and not self.is_complete

    def refresh(self) -> Change:
        """Look at the file again. Its lines are counted anew when it was ``truncated``; ``replaced`` is told once, and the
        open file stays the one that is shown."""
        now, before = self._size_now(), self.size
        if now < before:
            with self._lock:
                self._feeds, self._places, self._told = array("q", [0]), [], (0, 1)
                self._blocks.clear()
                self.size = now
            return "truncated"
        self.size = now
        if not self._replaced and self._is_replaced():
            self._replaced = True
            return "replaced"
        return "grown" if now > before else "same"

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
        end = max(0, min(offset, self.size))
        while end > 0:
            number = (end - 1) // BLOCK
            if self._has_feeds(number):
                at = self._block(number).rfind(b"\n", 0, end - number * BLOCK)
                if at >= 0:
                    return number * BLOCK + at + 1
            end = number * BLOCK
        return 0

    def number_of(self, offset: int) -> int | None:
        """The number of the line that begins at ``offset``; None where nothing was counted yet."""
        block = offset // BLOCK
        if block < len(self._feeds):
            # Lines are asked for in their order, so that most of the block was counted just now.
            near, number = self._told
            if not block * BLOCK <= near <= offset:
                near, number = block * BLOCK, int(self._feeds[block]) + 1
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
        at = _after_feed(self._block(block), feeds - self._feeds[block])
        offset = block * BLOCK + at
        return offset if at and offset < self.size else None

    def close(self) -> None:
        """Give the descriptor back; a second call does nothing."""
        if not self._closed:
            self._closed = True
            os.close(self._fd)

    def read(self, offset: int, size: int) -> bytes:
        """The bytes from ``offset`` on, fewer at the end."""
        return self._read(offset, min(size, self.size - offset)) if offset < self.size else b""

    def _line(self, offset: int) -> Line:
        end = self._end_of(offset)
        raw = self._slice(offset, min(end, offset + SHOWN + 1))
        return Line(offset, end, raw[:-1] if raw.endswith(b"\n") and offset + len(raw) == end else raw[:SHOWN])

    def _end_of(self, offset: int) -> int:
        number = offset // BLOCK
        while number * BLOCK < self.size:
            if self._has_feeds(number):
                at = self._block(number).find(b"\n", max(0, offset - number * BLOCK))
                if at >= 0:
                    return number * BLOCK + at + 1
            number += 1
        return self.size

    def _has_feeds(self, number: int) -> bool:
        """False only for a counted block without any: a line of gigabytes is stepped over and not read."""
        return number + 1 >= len(self._feeds) or self._feeds[number + 1] > self._feeds[number]

    def _count(self, start: int, end: int) -> int:
        total = 0
        while start < end:
            number = start // BLOCK
            stop = min(end, (number + 1) * BLOCK)
            total += self._block(number).count(b"\n", start - number * BLOCK, stop - number * BLOCK)
            start = stop
        return total

    def _slice(self, start: int, end: int) -> bytes:
        number = start // BLOCK
        part = self._block(number)[start - number * BLOCK : end - number * BLOCK]
        return part if end <= (number + 1) * BLOCK else part + self._slice((number + 1) * BLOCK, end)

    def _block(self, number: int) -> bytes:
        """A block; the last ones that were asked for are kept. The unfinished one is another for each size."""
        length = max(0, min(BLOCK, self.size - number * BLOCK))
        key = (number, length)
        found = self._blocks.pop(key, None)
        if found is None:
            found = self._read(number * BLOCK, length)
        self._blocks[key] = found
        while len(self._blocks) > _KEPT_BLOCKS:
            self._blocks.pop(next(iter(self._blocks)), None)
        return found

    def _read(self, offset: int, size: int) -> bytes:
        try:
            return os.pread(self._fd, max(0, size), self._base + offset)
        except OSError:
            # Closed by its owner, or a disk that fails: there is nothing to show, and the scan tells of it.
            return b""

    def _ends_with_feed(self) -> bool:
        return self._read(self.size - 1, 1) == b"\n"

    def _size_now(self) -> int:
        try:
            return max(0, os.fstat(self._fd).st_size - self._base)
        except OSError:
            return 0

    def _is_replaced(self) -> bool:
        if self._path is None:
            return False
        try:
            return not os.path.samestat(os.stat(self._path), os.fstat(self._fd))  # noqa: PTH116
        except OSError:
            return False


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
    return LineIndex(opened.fd, base=mark, path=path)


def _has_hole(fd: int, size: int) -> bool:
    try:
        return 0 < size != os.lseek(fd, 0, os.SEEK_HOLE)
    except OSError:
        return False


def _feeds_of_blocks(data: bytes, large: bool) -> list[int]:
    """Line feeds of each whole block in ``data``."""
    whole = len(data) // BLOCK
    if not large:
        return [data.count(b"\n", at * BLOCK, (at + 1) * BLOCK) for at in range(whole)]
    # Late: a small file does without its 70 ms.
    import numpy as np

    blocks = np.frombuffer(data, np.uint8, whole * BLOCK).reshape(whole, BLOCK)
    return [int(np.count_nonzero(block == 10)) for block in blocks]


def _after_feed(text: bytes, number: int) -> int:
    """The index behind the ``number``-th line feed; 0 if there are fewer."""
    parts = text.split(b"\n", number)
    return len(text) - len(parts[number]) if len(parts) > number else 0
