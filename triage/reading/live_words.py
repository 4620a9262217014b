"""What a client (docker, kubectl, journalctl) says itself, told apart from the log that it prints."""

from __future__ import annotations

from triage.lazy_regex import lazy_regex

STAMP = (
    rb"(?:\[[^\]\n]{1,300}\] )?(?P<second>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,]\d{1,9})?(?P<zone>Z|[+-]\d\d:?\d\d) "
)
"""What docker, kubectl (with its --prefix) and journalctl put before a line of the log."""
_STAMPED = lazy_regex(STAMP)
_MOST_LINES = 20
_MOST_BYTES = 4096
_PATIENCE_S = 1.0
"""A client that failed says so and ends at once: what it printed longer ago was no word of farewell."""
_TOLD = 5


class LastWords:
    """Takes what a client prints where the log and its own errors come as one stream. Lines without a time stamp behind which
    nothing else came are held back for a second: if the client fails meanwhile, they are its own."""

    def __init__(self) -> None:
        self._held = b""
        self._since = 0.0
        self._is_line_start = True
        self._is_unstamped = False

    def take(self, data: bytes, now: float) -> bytes:
        """What is surely log."""
        if self._is_unstamped:
            return data
        if not self._held:
            self._since = now
        data = self._held + data
        keep = self._end_of_log(data)
        self._is_unstamped = len(data) - keep > _MOST_BYTES or data.count(b"\n", keep) > _MOST_LINES
        return self._release(data, len(data) if self._is_unstamped else keep)

    def due(self, now: float) -> bytes:
        """What was held back for long enough."""
        return self._release(self._held, len(self._held)) if self._held and now - self._since >= _PATIENCE_S else b""

    def end(self, *, failed: bool) -> tuple[bytes, list[str]]:
        """(what of the rest is log, the client's own lines)."""
        held, self._held = self._held, b""
        return (b"", _lines(held)) if failed else (held, [])

    def _end_of_log(self, data: bytes) -> int:
        """Where the last line ends that has a stamp, or that goes on from what was released."""
        stop = len(data)
        for _ in range(_MOST_LINES + 2):
            start = data.rfind(b"\n", 0, max(0, stop - 1)) + 1
            if _STAMPED.match(data, start) or (start == 0 and not self._is_line_start):
                return stop
            if start == 0:
                return 0
            stop = start
        return stop

    def _release(self, data: bytes, keep: int) -> bytes:
        self._held = data[keep:]
        if keep:
            self._is_line_start = data[keep - 1] == 0x0A
        return data[:keep]


class SideWords:
    """Takes what a client prints to a stream of its own, beside the log. Each line is told once; of those that come while it
    runs on the first five."""

    def __init__(self) -> None:
        self._held = b""
        self._since = 0.0
        self._told: set[str] = set()

    def take(self, data: bytes, now: float) -> None:
        """More of it."""
        if not self._held:
            self._since = now
        self._held = (self._held + data)[-_MOST_BYTES:]

    def due(self, now: float) -> list[str]:
        """Lines that are new, of a client that did not end over them."""
        if not self._held or now - self._since < _PATIENCE_S:
            return []
        lines = [line for line in dict.fromkeys(self.end()) if line not in self._told]
        lines = lines[: max(0, _TOLD - len(self._told))]
        self._told.update(lines)
        return lines

    def end(self) -> list[str]:
        """The lines that were not told."""
        held, self._held = self._held, b""
        return _lines(held)


def _lines(data: bytes) -> list[str]:
    return [line for part in data.decode("utf-8", "replace").splitlines() if (line := part.strip())]
