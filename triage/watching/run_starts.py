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
        self._rest_line = 0

    @property
    def lines(self) -> Sequence[int]:
        """The first lines, 1-based, of the runs that were told last, in their order."""
        return tuple(self._lines)

    def take(self, data: bytes, line: int) -> None:
        """More bytes of the source; the first of them stands in that line."""
        text = self._rest + data if line == self._rest_line else data
        if _MARK in text:
            for found in _OVER.finditer(text):
                self.begin(line + text.count(b"\n", 0, found.start()))
        # A line may come in parts, of which the front says enough.
        feed = text.rfind(b"\n")
        self._rest_line = line + data.count(b"\n")
        self._rest = text[feed + 1 : feed + 1 + _KEPT_BYTES]

    def begin(self, line: int) -> None:
        """What comes from that line on is another run."""
        if not self._lines or line > self._lines[-1]:
            self._lines.append(line)
            del self._lines[:-_MOST]
