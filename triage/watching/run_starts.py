"""Where another run of a server begins, told by who starts it: one that dies before it prints its arguments says nothing."""

from __future__ import annotations

from collections.abc import Sequence

from triage.lazy_regex import lazy_regex

_MARK = b"systemd["
# Not "Started": of a service that tells when it is ready that comes long after the start.
_OVER = lazy_regex(rb"systemd\[\d+\]: (?:Stopped |[^:\n]{1,200}: Scheduled restart job)")
_KEPT_BYTES = 512
_MOST = 1000


class RunStarts:
    """Lines of one source behind which another run of its server speaks: where systemd says so in a journal, and where the
    reader of the source says so (`begin`)."""

    def __init__(self) -> None:
        self._lines: list[int] = []
        self._rest = b""

    @property
    def lines(self) -> Sequence[int]:
        """The first lines, 1-based, of the runs that were told last, in their order."""
        return tuple(self._lines)

    def take(self, data: bytes, line: int) -> None:
        """More bytes of the source; the first of them stands in that line."""
        feed = data.find(b"\n")
        # A line may come in parts, of which the front says enough.
        first = (self._rest + data[: feed if feed >= 0 else len(data)])[:_KEPT_BYTES]
        if _MARK in first and _OVER.search(first):
            self.begin(line)
        if feed < 0:
            self._rest = first
            return
        if data.find(_MARK, feed) >= 0:
            for found in _OVER.finditer(data, feed):
                self.begin(line + data.count(b"\n", 0, found.start()))
        last = data.rfind(b"\n") + 1
        self._rest = data[last : last + _KEPT_BYTES]

    def end_line(self) -> None:
        """The last line goes on no more."""
        self._rest = b""

    def begin(self, line: int) -> None:
        """What comes from that line on is another run."""
        if not self._lines or line > self._lines[-1]:
            self._lines.append(line)
            del self._lines[:-_MOST]
