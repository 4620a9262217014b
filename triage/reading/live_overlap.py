"""The last lines of a client, so that those which it prints again when it is started anew are known."""

from __future__ import annotations

from collections import Counter, deque
from datetime import datetime

from triage.lazy_regex import lazy_regex
from triage.reading.live_words import STAMP

_KEPT = 4 << 20
_LOOKED_AT = 200
BEFORE_S = 1.0
"""How much earlier than its last line a client is asked to begin: lines of several containers come a little out of order."""
_STAMP = lazy_regex(STAMP)


class Overlap:
    """Takes what a client prints. After `begin_again` the lines that it printed before are left out, as often as they came.

    Lines are known by their bytes: with a time stamp in front, two equal ones are the same one. A line without one is left
    out only behind one that is: journalctl stamps the first line of a message alone.
    """

    def __init__(self) -> None:
        self._kept: deque[bytes] = deque()
        self._size = 0
        self._known: Counter[bytes] = Counter()
        self._expected = 0
        self._rest = b""
        self._leaving_out = False
        self.complete = True

    def since(self) -> float | None:
        """From when (seconds since 1970, of the client's clock) it has to print again; None if no line tells a time.

        Sets ``complete``: whether all lines from then on are known, so that none can come twice.
        """
        lines = b"".join(self._kept).split(b"\n")
        last = next((time for line in lines[: -_LOOKED_AT - 1 : -1] if (time := _time(line)) is not None), None)
        if last is None:
            return None
        since = last - BEFORE_S
        first = next((time for line in lines[1:_LOOKED_AT] if (time := _time(line)) is not None), last)
        self.complete = self._size < _KEPT or first < since
        return since

    def begin_again(self) -> None:
        """What comes from now on is printed by the client's next run."""
        *lines, _half = b"".join(self._kept).split(b"\n")
        self._known = Counter(lines)
        self._expected = self._size
        self._rest = b""
        self._leaving_out = False

    def take(self, data: bytes) -> bytes:
        """What of ``data`` is new. Half a line is held back while lines are looked for that came before."""
        if self._known:
            *lines, self._rest = (self._rest + data).split(b"\n")
            data = b"".join([line + b"\n" for line in lines if not self._is_known(line)])
            self._expected -= sum(map(len, lines))
            if self._expected < 0 or not self._known.total():
                self._known.clear()
                data += self.rest()
        self._kept.append(data)
        self._size += len(data)
        while self._size - len(self._kept[0]) >= _KEPT:
            self._size -= len(self._kept.popleft())
        return data

    def rest(self) -> bytes:
        """What is held back, which is given up: the client ended."""
        rest, self._rest = self._rest, b""
        return rest

    def _is_known(self, line: bytes) -> bool:
        self._leaving_out = bool(self._known[line]) and (self._leaving_out or _STAMP.match(line) is not None)
        if self._leaving_out:
            self._known[line] -= 1
        return self._leaving_out


def _time(line: bytes) -> float | None:
    found = _STAMP.match(line)
    if found is None:
        return None
    zone = found["zone"].decode().replace("Z", "+0000").replace(":", "")
    try:
        return datetime.strptime(found["second"].decode() + zone, "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError:
        return None
