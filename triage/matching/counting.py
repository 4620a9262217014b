"""Counting line feeds and undecodable bytes at the speed of memory; numpy only once an input has proved to be large."""

from __future__ import annotations

from math import inf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGE = 32 << 20
_STEP = 1 << 16
_TYPICAL_LINE = 128
_SHORT_STRIDE = 8192
_FEW_LINES = 500


class LineCounter:
    """Counts in parts of a buffer. numpy (70 ms to import) is taken once LARGE bytes have been counted, unless ``live``."""

    __slots__ = ("_large", "_numpy", "_room", "_seen")

    def __init__(self, *, live: bool = False) -> None:
        # What grows in small pieces for days never makes up for numpy's memory, nor for the pause while it is imported.
        self._large = inf if live else LARGE
        self._seen = 0
        self._numpy: Any = None
        self._room: dict[int, Any] = {}

    def survey(self, text: bytes | bytearray, start: int, end: int, lane: int) -> tuple[int, bool]:
        """(line feeds in ``text[start:end]``, is all of it ASCII). For small parts, which are still in the processor's cache
        after a scan; calls at the same time need a ``lane`` each."""
        size = end - start
        self._seen += size
        if self._seen < self._large:
            part = bytes(memoryview(text)[start:end])
            return part.count(b"\n"), part.isascii()
        numpy = self._load()
        room = self._room.get(lane)
        if room is None or len(room) < size:
            room = self._room[lane] = numpy.empty(size, bool)
        found = numpy.frombuffer(text, numpy.uint8, size, start)
        feeds = numpy.count_nonzero(numpy.equal(found, 10, out=room[:size]))
        return int(feeds), not int(numpy.bitwise_or.reduce(found)) & 0x80

    def feeds(self, text: bytes | bytearray, start: int, end: int) -> int:
        """Line feeds in ``text[start:end]``."""
        size = end - start
        if size <= 0:
            return 0
        self._seen += size
        if size < _STEP or self._seen < self._large:
            return text.count(b"\n", start, end)
        numpy = self._load()
        return int(numpy.count_nonzero(numpy.frombuffer(text, numpy.uint8, size, start) == 10))

    def skip_lines(self, text: bytes | bytearray, start: int, end: int, lines: int) -> int:
        """Offset of the line that begins ``lines`` line feeds after ``start`` (``end`` when there are fewer)."""
        position, width = start, min(end - start, _TYPICAL_LINE * lines)
        # Counting in ever smaller strides nears the place; the last few lines are walked.
        while lines and position < end:
            stop = min(end, position + max(width, _SHORT_STRIDE))
            inside = text.count(b"\n", position, stop)
            if inside < lines:
                lines -= inside
                position = stop
                width = min(end - position, _TYPICAL_LINE * lines)
            elif stop - position <= _SHORT_STRIDE:
                for _ in range(lines):
                    position = text.find(b"\n", position, stop) + 1
                return position
            else:
                width = (stop - position) // 2
        return position if not lines else end

    def line_start(self, text: bytes | bytearray, start: int, end: int, index: int, lines: int) -> int:
        """Offset of line ``index`` of the ``lines`` lines in ``text[start:end]``, walked to from the nearer end."""
        if lines - index > _FEW_LINES:
            return self.skip_lines(text, start, end, index)
        position = end - 1 if text[end - 1 : end] == b"\n" else end
        for _ in range(lines - index):
            position = text.rfind(b"\n", start, position)
        return position + 1 if position >= 0 else start

    def decode_errors(self, text: bytes | bytearray, start: int, end: int) -> int:
        """Bytes of ``text[start:end]`` that are not UTF-8."""
        if self._is_ascii(text, start, end):
            return 0
        part = bytes(memoryview(text)[start:end])
        try:
            part.decode("utf-8")
        except UnicodeDecodeError:
            decoded = part.decode("utf-8", "surrogateescape")
            return sum(0xDC80 <= ord(char) <= 0xDCFF for char in decoded if char >= "\ud800")
        return 0

    def _is_ascii(self, text: bytes | bytearray, start: int, end: int) -> bool:
        size = end - start
        if size < _STEP or self._seen < self._large:
            return bytes(memoryview(text)[start:end]).isascii()
        numpy = self._load()
        return not int(numpy.bitwise_or.reduce(numpy.frombuffer(text, numpy.uint8, size, start))) & 0x80

    def numpy(self, size: int) -> Any | None:
        """The module for the caller's own work on ``size`` bytes, once the input has proved to be large."""
        self._seen += size
        return self._load() if self._seen >= self._large else None

    def _load(self) -> Any:
        if self._numpy is None:
            import numpy  # noqa: ICN001  (kept on the instance; a large input has proved worth its start-up)

            self._numpy = numpy
        return self._numpy
