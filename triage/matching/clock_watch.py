"""Did the clock behind a log's times go back: an NTP step, a restored machine, the end of daylight saving, files put together?

The first `EXACT` bytes are looked at line by line, then a line every `STRIDE` bytes, which are absolute offsets: the answer
does not depend on how the bytes came. There a step is found if it is longer than the time that ``STRIDE`` bytes of the log
took, some four hundred lines, and in the quietest logs, which are looked at whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from triage.lazy_regex import lazy_regex
from triage.matching.clock_lane import STEP_S, ClockLane
from triage.matching.context import LOOKBACK
from triage.matching.prefix import parse_prefix, strip_ansi
from triage.matching.timestamps import seconds_of
from triage.model import ClockStep
from triage.records import dataclass, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

EXACT = 64 << 10
STRIDE = LOOKBACK
_QUIET_S = 3000.0
"""Where a stride takes longer, an hour back could hide in it: its lines are looked at one by one."""
_HALF_HOUR_S = 1800
_HEAD = 512
_TRIES = 16
_MOST_LANES = 64
_TIME = lazy_regex(rb"\d\d:\d\d:\d\d")
_STAMP, _DAY, _HOUR = len("[2026-03-01 09:14:32"), len("[2026-03-01"), len("[2026-03-01 09")

_LaneName: TypeAlias = "tuple[str, tuple[str, ...], str | None]"
_PLAIN: _LaneName = ("[0000-00-00 00:00:00", (), None)
_DIGITS = str.maketrans("123456789", "000000000")
_FRACTION = lazy_regex(r"([.,])\d+")


@dataclass(frozen=True, slots=True)
class _View:
    """Where in the buffer ``raw`` the lines to look at stand: ``start:end``, behind ``lines`` others. ``origin``: the absolute
    offset of the buffer."""

    raw: bytes | bytearray
    start: int
    end: int
    origin: int
    lines: int

    def number(self, at: int) -> int:
        """The 1-based number of the line that begins at ``at``, which may stand before ``start``."""
        if at >= self.start:
            return self.lines + self.raw.count(b"\n", self.start, at) + 1
        return self.lines - self.raw.count(b"\n", at, self.start) + 1


@dataclass(slots=True)
class ClockWatch:
    """Sees the lines of one source in order, and keeps where its clock went back."""

    _due: int = 0
    _seen_to: int = 0
    _tries: int = 0
    _is_open: bool = False
    _quiet: bool = False
    _plain: bytes = b""
    _lanes: dict[_LaneName, ClockLane] = field(default_factory=dict)

    def twin(self) -> ClockWatch:
        """Another one that knows the same, and goes on by itself."""
        return replace(self, _lanes={name: lane.twin() for name, lane in self._lanes.items()})

    def look(self, raw: bytes | bytearray, start: int, end: int, origin: int, lines: int) -> None:
        """Whole lines came, ``start:end`` of the buffer ``raw`` whose first byte has the offset ``origin``; ``lines`` came
        before them. As many bytes as the scanner looks back at still stand before ``start``."""
        if origin + end <= self._due:
            return
        view = _View(raw, start, end, origin, lines)
        at = _line_start(raw, max(start, self._due - origin), start, end)
        while at < end:
            head = bytes(raw[at : min(at + _STAMP, end)])
            if not self._is_open and self._is_usual(head):
                self._plain, self._tries, self._quiet = head, 0, False
                self._go_on(origin + at, origin + at + 1)
            else:
                stop = raw.find(b"\n", at, end)
                self._sample(view, at, stop if stop >= 0 else end)
            at = _line_start(raw, max(self._due - origin, at + 1), at, end)

    def steps(self) -> tuple[ClockStep, ...]:
        """Where the clock went back, by line: of each node what the form of line says that showed it first, for a second
        form tells of the same clock."""
        first: dict[str | None, list[ClockStep]] = {}
        for lane in self._lanes.values():
            found = lane.found()
            known = first.get(lane.node)
            if found and (known is None or found[0].line < known[0].line):
                first[lane.node] = found
        return tuple(sorted((step for found in first.values() for step in found), key=lambda step: step.line))

    def _sample(self, view: _View, at: int, stop: int) -> None:
        """Look at one line, at those that were passed over before it if they may hide something, and set the next one."""
        offset = view.origin + at
        exact = offset < EXACT
        is_timed = self._judge(view, at, stop) if exact else self._judge_with_gap(view, at, stop)
        self._tries = 0 if is_timed else self._tries + 1
        self._is_open = any(lane.is_open for lane in self._lanes.values())
        if is_timed:
            self._go_on(offset, offset + 1)
        elif self._tries < _TRIES or exact:
            self._due = offset + 1
        else:
            self._tries = 0
            self._go_on(offset, self._seen_to)

    def _go_on(self, offset: int, seen_to: int) -> None:
        """Set which line is next: the one behind the one at ``offset``, or the first of the next stride."""
        self._seen_to = seen_to
        near = offset < EXACT or self._is_open
        self._due = offset + 1 if near else (offset // STRIDE + 1) * STRIDE

    def _judge_with_gap(self, view: _View, at: int, stop: int) -> bool:
        name, seconds = _read(_head(view.raw, at, stop))
        lane = self._lane(name)
        if seconds is None or lane is None or lane.is_mixed:
            return self._judge(view, at, stop)
        was_quiet, self._quiet = self._quiet, seconds - lane.last > _QUIET_S
        if was_quiet or self._quiet or seconds < lane.last - STEP_S:
            self._walk(view, at)
        return self._judge(view, at, stop)

    def _walk(self, view: _View, to: int) -> None:
        """Look at the lines that were passed over before the one at ``to``."""
        at = max(0, to - LOOKBACK, self._seen_to - view.origin)
        at = _line_start(view.raw, at, at - 1 if at else 0, to)
        while at < to:
            stop = view.raw.find(b"\n", at, to)
            self._judge(view, at, stop)
            at = stop + 1

    def _judge(self, view: _View, at: int, stop: int) -> bool:
        """Take the time of a line; False if it has none."""
        head = _head(view.raw, at, stop)
        if self._is_usual(head):
            self._plain = head[:_STAMP]
            return True
        name, seconds = _read(head)
        if seconds is None:
            return False
        lane = self._lane(name)
        if lane is not None:
            lane.take(seconds, lambda: view.number(at))
        elif len(self._lanes) < _MOST_LANES:
            lane = self._lanes[name] = ClockLane(name[2], seconds)
        if name == _PLAIN and lane is not None:
            self._plain = head[:_STAMP] if head[:1] == b"[" and lane.is_settled else b""
        return True

    def _is_usual(self, head: bytes) -> bool:
        """The plain form, on the day of the last of its lines, no earlier and not much later: nine samples of ten, told
        without a look at the rest of the line."""
        plain = self._plain
        if not head[:_DAY] == plain[:_DAY] != b"" or head[:_STAMP] < plain:
            return False
        return head[:_HOUR] == plain[:_HOUR] or 0 <= _minute(head) - _minute(plain) < _QUIET_S // 60

    def _lane(self, name: _LaneName) -> ClockLane | None:
        """The lane of that name, up to date."""
        lane = self._lanes.get(name)
        if lane is not None and name == _PLAIN and self._plain:
            told = seconds_of(self._plain[1:].decode("ascii", "replace"))
            lane.last = lane.last if told is None else max(lane.last, told)
        return lane


def clock_note(source: str, steps: Sequence[ClockStep]) -> str:
    """What to say of a source whose clock went back, in one line."""
    first = steps[0]
    more = f", and {len(steps) - 1:,} more times" if len(steps) > 1 else ""
    off = abs(first.seconds - _HALF_HOUR_S * max(1, round(first.seconds / _HALF_HOUR_S)))
    zone = " (another time zone, or the end of daylight saving time?)" if off <= STEP_S else ""
    return (
        f"clock went back {first.seconds:.0f} s at line {first.line:,} of {source}{zone}{more}: "
        "the order of its lines counts, not their times"
    )


def _line_start(raw: bytes | bytearray, at: int, start: int, end: int) -> int:
    """Where the first line begins at or behind ``at``; ``start`` is the front of a line. ``end`` if there is none."""
    if at <= start:
        return start
    feed = raw.find(b"\n", at - 1, end)
    return end if feed < 0 else feed + 1


def _minute(stamp: bytes) -> int:
    """Of the day; -1 if that is not what it says."""
    digits = stamp[_DAY + 1 : _HOUR] + stamp[_HOUR + 1 : _HOUR + 3]
    return int(digits[:2]) * 60 + int(digits[2:]) if len(digits) == 4 and digits.isdigit() else -1


def _head(raw: bytes | bytearray, at: int, stop: int) -> bytes:
    return bytes(memoryview(raw)[at : min(stop, at + _HEAD)])


def _read(head: bytes) -> tuple[_LaneName, float | None]:
    """Which clock a line tells, and its time."""
    if _TIME.search(head) is None:
        return _PLAIN, None
    prefix = parse_prefix(strip_ansi(head.decode("utf-8", "surrogateescape")))
    if prefix.seconds is None or prefix.time is None:
        return _PLAIN, None
    form = _FRACTION.sub(r"\1", prefix.time).translate(_DIGITS)
    # In brackets it is the server's own; whose message follows does not matter.
    return ("[" * head.startswith(b"[") + form, prefix.wrappers, prefix.node), prefix.seconds
