"""Which lines an operator wants to see, and finding them in a file of any size, slice by slice."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import lru_cache

from triage.matching.prefix import parse_prefix
from triage.reading.line_index import LineIndex
from triage.records import dataclass
from triage.safety.visible import decode
from triage.tui.needles import Needles

_STEP = 1 << 18
"""Bytes that are searched at a time: where many lines hold what is looked for, each is looked at, and no key must wait."""
_MOST = 1 << 20
"""Lines that are remembered; a filter that lets more pass ends there."""
_ERROR = rb"(?:[A-Z]\w*(?:Error|Exception)\b|Traceback \(most|\b(?:ERROR|error|FATAL|CRITICAL|Fatal)\b)"
_WARNING = rb"(?:\b(?:WARN|WARNING|Warning|warning)\b|\w+Warning\b)"
_ERROR_NEEDLES = (b"error", b"exception", b"traceback (most", b"fatal", b"critical")
"""Every line of errors holds one of them."""
_FRONT = 1 << 10
_ERROR_LINE, _WARNING_LINE = re.compile(_ERROR), re.compile(_WARNING)


def tone_of(raw: bytes) -> str:
    """``error``, ``warning`` or nothing: how a line speaks, for colours and filters; no diagnosis rests on it."""
    front = raw[:_FRONT]
    if _ERROR_LINE.search(front):
        return "error"
    return "warning" if _WARNING_LINE.search(front) else ""


@lru_cache(maxsize=16)
def text_pattern(text: str) -> re.Pattern[bytes]:
    """``text`` as it stands, in any case unless it has a capital."""
    raw = re.escape(text.encode("utf-8", "surrogateescape"))
    return re.compile(raw, 0 if text != text.lower() else re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Lines that hold ``text`` (in any case, unless it has a capital), come from ``rank`` and speak of ``severity`` (``error``,
    or ``warning`` for both); what is empty asks for nothing."""

    text: str = ""
    rank: str = ""
    severity: str = ""

    @classmethod
    def parse(cls, words: str) -> Wanted:
        """``rank:TP3 sev:error some text``, in any order."""
        rest, found = [], {"rank": "", "sev": ""}
        for word in words.split():
            name, colon, value = word.partition(":")
            if colon and value and name in found:
                found[name] = value
            else:
                rest.append(word)
        severity = "error" if found["sev"].startswith(("e", "f")) else "warning" if found["sev"] else ""
        return cls(" ".join(rest), found["rank"].upper(), severity)

    def __str__(self) -> str:
        parts = (f"rank:{self.rank}" if self.rank else "", f"sev:{self.severity}" if self.severity else "", self.text)
        return " ".join(filter(None, parts))

    def needles(self) -> tuple[bytes, ...]:
        """Every line that is wanted holds one of them, in some case: those of the rarest of the three conditions."""
        if self.text:
            return (self.text.encode("utf-8", "surrogateescape"),)
        if self.severity:
            return _ERROR_NEEDLES if self.severity == "error" else (*_ERROR_NEEDLES, b"warn")
        number = self.rank.removeprefix("RANK")
        # Launchers write a bare number in their own ways; the number alone stands in too many lines to look at each.
        forms = ("rank{}", "rank={}", ",{}]", "[{}]") if number.isdecimal() else ("{}",)
        return tuple(form.format(number or self.rank).encode("utf-8", "surrogateescape") for form in forms)

    def holds(self, raw: bytes) -> bool:
        """Whether the whole line is wanted."""
        if self.severity and tone_of(raw) not in (("error",) if self.severity == "error" else ("error", "warning")):
            return False
        if self.rank and self.rank not in rank_of(raw).upper().split():
            return False
        return not self.text or text_pattern(self.text).search(raw) is not None


def rank_of(raw: bytes) -> str:
    """The rank that printed the line, as printed; empty if none is named."""
    return parse_prefix(decode(raw[:_FRONT])).rank or ""


class Hits:
    """Where the wanted lines begin. `advance` searches from ``origin`` to the end, then back to the beginning, and afterwards what
    the file grows by; one thread may do so while another reads. What was searched is one piece of the file at any time.

    ``toward``: -1 searches back first, for whoever waits for an earlier line.
    """

    def __init__(self, index: LineIndex, wanted: Wanted, origin: int = 0) -> None:
        self.wanted = wanted
        self._index, self._needles = index, Needles(wanted.needles())
        self.toward = 1
        # Earlier lines are found the last first: with their signs turned they are in order too.
        self._later, self._earlier = array("q"), array("q")
        self._later_at = self._earlier_at = origin

    def __len__(self) -> int:
        return len(self._later) + len(self._earlier)

    @property
    def is_complete(self) -> bool:
        """All of the file was searched, as far as it is known."""
        return self.is_full or (self._later_at >= self._index.size and self._earlier_at <= 0)

    @property
    def is_full(self) -> bool:
        """So many lines are wanted that the rest was not looked for."""
        return len(self) >= _MOST

    @property
    def share(self) -> float:
        """The part of the file that was searched, 0 to 1."""
        done = self._later_at - self._earlier_at
        return min(1.0, done / self._index.size) if self._index.size else 1.0

    def advance(self) -> bool:
        """Search a bit more; True while there is more."""
        if self.is_complete:
            return False
        has_more = self._later_at < self._index.size
        if self._earlier_at > 0 and (self.toward < 0 or not has_more):
            self._earlier_at = self._search_back(self._earlier_at)
        else:
            self._later_at = self._search_on(self._later_at, self._index.size)
        return not self.is_complete

    def next(self, offset: int) -> int | None:
        """The first found line that begins behind ``offset``."""
        at = bisect_left(self._earlier, -offset)
        if at:
            return -self._earlier[at - 1]
        at = bisect_right(self._later, offset)
        return self._later[at] if at < len(self._later) else None

    def previous(self, offset: int) -> int | None:
        """The last found line that begins before ``offset``."""
        at = bisect_left(self._later, offset)
        if at:
            return self._later[at - 1]
        at = bisect_right(self._earlier, -offset)
        return -self._earlier[at] if at < len(self._earlier) else None

    def knows(self, offset: int, step: int) -> bool:
        """Whether `next` (``step`` 1) or `previous` (-1) cannot change any more by searching on, unless the file grows."""
        if self.is_complete or not self.reaches(offset):
            return self.is_complete
        if step > 0:
            return self._later_at >= self._index.size or self.next(offset) is not None
        return self._earlier_at <= 0 or self.previous(offset) is not None

    def reaches(self, offset: int) -> bool:
        """The line at ``offset`` lies in what was searched, or at its edge."""
        return self._earlier_at <= offset <= self._later_at

    def _search_on(self, start: int, stop: int) -> int:
        """Search whole lines from ``start`` on; where to go on."""
        data = self._index.read(start, min(_STEP, stop - start))
        end = data.rfind(b"\n") + 1
        if not end or start + len(data) >= stop:
            end = len(data)
        for place in self._places(data[:end], start):
            if not self._later or self._later[-1] < place:
                self._later.append(place)
        return start + end if end else stop

    def _search_back(self, stop: int) -> int:
        """Search whole lines that end at ``stop``; where to go on."""
        start = max(0, stop - _STEP)
        data = self._index.read(start, stop - start)
        begin = data.find(b"\n") + 1 if start else 0
        # A line that is longer than what is searched at a time is searched piece by piece.
        begin = begin if begin < len(data) else 0
        for place in reversed([*self._places(data[begin:], start + begin)]):
            if not self._earlier or self._earlier[-1] < -place:
                self._earlier.append(-place)
        return start + begin

    def _places(self, data: bytes, start: int) -> Iterator[int]:
        """Where the wanted lines of ``data`` begin, which lies at ``start``."""
        for begin, finish in self._needles.lines(data):
            if self.wanted.holds(data[begin:finish]):
                # A piece of a long line belongs to where that line begins.
                yield start + begin if begin else self._index.start_of(start)
