"""The watched servers, one a source: their life, their silences and their vital signs, told apart by label. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence

from triage.matching.record import PhaseChange
from triage.model import Report
from triage.records import dataclass
from triage.watching.events import Event
from triage.watching.life_cycle import LifeCycle, Stage
from triage.watching.live_state import WINDOW_S, LiveState, SourceState
from triage.watching.ranks import RankWatch
from triage.watching.sampler import Sampled
from triage.watching.stalls import StallWatch
from triage.watching.vital_signs import VitalSigns

_RATE_S = 5.0
_MOST_TURN_S = 1.5
"""A turn that took longer than this was a pause of ours (a stopped process, a machine asleep): the rest of it is no silence of
the server's."""


@dataclass(slots=True)
class _Server:
    life: LifeCycle
    stalls: StallWatch
    ranks: RankWatch
    signs: VitalSigns
    lines: int = 0


class Servers:
    """Takes what a `LiveScan` found in a turn. ``now``: seconds of the caller's monotonic clock."""

    def __init__(self) -> None:
        self._servers: dict[str, _Server] = {}
        self._rate: deque[tuple[float, int]] = deque()
        self._turn: float | None = None
        self._attended = 0.0

    @property
    def up(self) -> frozenset[str]:
        """The sources whose servers take requests."""
        stages = {label: server.life.stage for label, server in self._servers.items()}
        return frozenset(label for label, stage in stages.items() if stage is not None and stage.is_up)

    def follow(self, changes: Mapping[str, Sequence[PhaseChange]], now: float) -> Iterator[Event]:
        """What the phase lines say: lists by label, which grow at their end."""
        for label, found in changes.items():
            server = self._server(label)
            before = server.life.stage
            yield from server.life.take(found, now)
            yield from server.ranks.take(found, self._attended)
            if server.life.stage is not before and server.life.stage in (Stage.LAUNCH, Stage.INSTALL, Stage.WEIGHTS):
                server.stalls.restart()
                server.signs.forget()

    def hear(self, sampled: Mapping[str, Sampled], now: float) -> Iterator[Event]:
        """What the batch lines of this turn say, by label."""
        self._attend(now)
        for label, turn in sampled.items():
            server = self._server(label)
            server.lines += turn.lines
            server.signs.take(turn.samples, now)
            if turn.samples:
                yield from server.life.work(now, generated=any(item.kind == "decode" for item in turn.samples))
            yield from server.stalls.take(turn.samples, turn.answers, self._attended)
        self._rate.append((now, sum(turn.lines for turn in sampled.values())))
        while self._rate and now - self._rate[0][0] > _RATE_S:
            self._rate.popleft()

    def check(self, now: float, failed: Collection[str]) -> Iterator[Event]:
        """What took too long. ``failed``: sources of which it is known why they say no more, so that silence is no news."""
        for label, server in self._servers.items():
            if label in failed or server.life.stage in (Stage.DEAD, Stage.ENDED):
                continue
            yield from server.life.check(now)
            yield from server.stalls.check(self._attended)
            if server.life.stage is not None and not server.life.stage.is_up:
                yield from server.ranks.check(self._attended)

    def excuse(self, label: str) -> None:
        """Lines of this source may be missing: what it said last is not what its server did last."""
        self._server(label).stalls.restart()

    def end(self, now: float, failed: Collection[str]) -> Iterator[Event]:
        """Nothing more comes from any source; ``failed``: those of which it is known why."""
        for label, server in self._servers.items():
            yield from server.life.end(now, failed=label in failed)

    def state(self, now: float, report: Report | None, over: frozenset[str] = frozenset()) -> LiveState:
        """How all stand; ``over``: the diagnoses of the report that restarts got over."""
        series = [server.signs.series(now) for server in self._servers.values()]
        total = tuple(sum(second) for second in zip(*series, strict=True)) if series else (0.0,) * WINDOW_S
        sources = tuple(_state(label, server, now) for label, server in self._servers.items())
        return LiveState(sources, self._lines_per_s(now), total, report, over)

    def _lines_per_s(self, now: float) -> float:
        if len(self._rate) < 2:
            return 0.0
        # The first turn's lines came before it, in a time that is not known.
        lines = sum(count for _, count in self._rate) - self._rate[0][1]
        return lines / max(now - self._rate[0][0], 0.1)

    def _attend(self, now: float) -> None:
        if self._turn is not None:
            self._attended += min(max(now - self._turn, 0.0), _MOST_TURN_S)
        self._turn = now

    def _server(self, label: str) -> _Server:
        server = self._servers.get(label)
        if server is None:
            server = _Server(LifeCycle(label), StallWatch(label), RankWatch(label), VitalSigns())
            self._servers[label] = server
        return server


def _state(label: str, server: _Server, now: float) -> SourceState:
    stage, signs = server.life.stage, server.signs
    return SourceState(
        label,
        stage.phase if stage is not None else None,
        max(now - server.life.since, 0.0) if stage is not None else 0.0,
        server.lines,
        signs.running(now),
        signs.queued(now),
        signs.token_usage(now),
        signs.throughput(now),
        stage.value if stage is not None else "",
        server.stalls.is_stalled or server.ranks.is_stalled,
    )
