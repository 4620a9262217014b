"""Silence that means trouble: no batch line while requests wait or run. Pure.

What makes this hard is that SGLang prints no batch line when it has nothing to do, and a decode line only every 40 steps:
requests that end in between end unseen. So silence counts only behind a line with requests that cannot all have ended unseen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triage.matching.batch_lines import BatchSample
from triage.records import dataclass
from triage.watching.events import Event, EventKind

SILENCE_S = 30.0
_TIMES_USUAL = 5.0
"""Where gaps are longer by nature (a slow machine, long prefills), silence must be this many times the longest usual one."""
_FORGET = 0.95
"""What is left of the longest gap with each further line."""
_SURELY_RUNNING = 4
"""Fewer running requests than this may all end between two decode lines."""
_LIVE_SLACK_S = 2.0
"""Printed times are whole seconds, and our turns are not the server's."""
_TURN_S = 0.2
_LIVE_TURNS = 3
MOST_LANES = 512
"""So many ranks of a source are told apart: names of ranks come from the log."""
ADVICE = "py-spy dump --pid PID of each sglang::scheduler process, nvidia-smi, and curl -m 5 http://HOST:PORT/health_generate"

Lane = tuple[str, str]
"""A node and a rank, empty where lines name none."""


@dataclass(slots=True)
class _LaneState:
    last: BatchSample
    heard: float
    longest: float = 0.0
    answers: int = 0
    is_told: bool = False


class StallWatch:
    """The batch lines of one source. All times are seconds in which somebody looked: a pause of ours is no silence of theirs."""

    def __init__(self, label: str, silence_s: float = SILENCE_S) -> None:
        self._label, self._silence_s = label, silence_s
        self._lanes: dict[Lane, _LaneState] = {}
        self._arrival: tuple[float, float | None] | None = None
        self._turns = 0
        self._is_told = False

    @property
    def is_stalled(self) -> bool:
        """A stall was told and is not over."""
        return self._is_told or any(lane.is_told for lane in self._lanes.values())

    def take(self, samples: Sequence[BatchSample], answers: int, now: float) -> Iterator[Event]:
        """What came in this turn. ``answers``: requests logged as answered behind the last sample."""
        before = self._last_heard()
        for sample in samples:
            yield from self._hear(sample, now)
        for lane in self._lanes.values():
            # Which rank answered is not printed, so an answer counts for each: rather no alarm than a wrong one.
            lane.answers += answers
        if not samples:
            return
        self._judge_pace(samples[-1].seconds, now)
        if self._is_told:
            self._is_told = False
            yield Event(EventKind.STALL_OVER, id=self._label, seconds=now - before)

    def restart(self) -> None:
        """Another server, or another file, goes on in this source: what was awaited no longer is."""
        self._lanes.clear()
        self._arrival, self._turns, self._is_told = None, 0, False

    def check(self, now: float) -> Iterator[Event]:
        """Silence that has become too long; each is told once."""
        silent = [(name, lane) for name, lane in self._lanes.items() if self._is_silent(lane, now)]
        if not silent or self._turns < _LIVE_TURNS:
            return
        if now - self._last_heard() > self._limit(max(lane.longest for lane in self._lanes.values())):
            if not self._is_told:
                self._is_told = True
                yield self._stall("", max(silent, key=lambda item: item[1].heard)[1], now)
            return
        for name, lane in silent:
            if not lane.is_told:
                lane.is_told = True
                yield self._stall(named(name), lane, now)

    def _hear(self, sample: BatchSample, now: float) -> Iterator[Event]:
        name = (sample.node or "", sample.rank or "")
        lane = self._lanes.get(name)
        if lane is None:
            if len(self._lanes) < MOST_LANES:
                self._lanes[name] = _LaneState(sample, now)
            return
        gap = now - lane.heard
        if sample.seconds is not None and lane.last.seconds is not None:
            gap = max(gap, sample.seconds - lane.last.seconds)
        if _is_busy(lane):
            lane.longest = max(gap, lane.longest * _FORGET)
        if lane.is_told:
            yield Event(EventKind.STALL_OVER, id=self._label, state=named(name), seconds=now - lane.heard)
        lane.last, lane.heard, lane.answers, lane.is_told = sample, now, 0, False

    def _judge_pace(self, printed: float | None, now: float) -> None:
        """Is the server writing now? A finished log that is read fast, or what was written before we came, says nothing
        about silence: lines must come in several turns, and printed times pass no faster than ours."""
        if self._arrival is not None:
            arrived, earlier = self._arrival
            passed = now - arrived
            if passed < _TURN_S / 2:
                return
            in_pace = printed is None or earlier is None or printed - earlier <= 2 * passed + _LIVE_SLACK_S
            self._turns = self._turns + 1 if in_pace else 0
        self._arrival = (now, printed)

    def _is_silent(self, lane: _LaneState, now: float) -> bool:
        return _is_busy(lane) and now - lane.heard > self._limit(lane.longest)

    def _limit(self, longest_gap: float) -> float:
        return max(self._silence_s, _TIMES_USUAL * longest_gap)

    def _last_heard(self) -> float:
        return max((lane.heard for lane in self._lanes.values()), default=0.0)

    def _stall(self, rank: str, lane: _LaneState, now: float) -> Event:
        last, silence = lane.last, now - lane.heard
        who = (
            f"no batch line of {rank} for {silence:.0f} s while other ranks go on"
            if rank
            else f"no batch line for {silence:.0f} s"
        )
        waiting = (last.queued or 0) + (last.elsewhere or 0)
        shown = f"the last one showed {last.running or 0} running and {waiting} waiting requests"
        doubt = "" if waiting else "; nothing is wrong if all of them ended at once"
        return Event(
            EventKind.STALL, id=self._label, state=rank, seconds=silence, usual=self._limit(lane.longest),
            text=f"{who}; {shown}{doubt}", advice=ADVICE,
        )  # fmt: skip


def named(lane: Lane) -> str:
    """How a lane is told of."""
    return " ".join(filter(None, lane)) or "the rank without a name"


def _is_busy(lane: _LaneState) -> bool:
    """The last line showed requests that wait, or more running ones than may have ended unseen."""
    last = lane.last
    if (last.queued or 0) + (last.elsewhere or 0) > 0:
        return True
    running = last.running or 0
    return running >= _SURELY_RUNNING and lane.answers < running
