"""Ranks that fall behind the others while a server starts: one of them hangs, and all will wait for it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triage.matching.record import PhaseChange
from triage.watching.events import Event, EventKind
from triage.watching.stalls import ADVICE, MOST_LANES, Lane, named

_BEHIND_S = 60.0
_ENDS = {"weights-begin": "weights-end", "capture-begin": "capture-end"}
"""Steps whose begin and end every rank prints."""


class RankWatch:
    """The steps of a server's start that every rank of one source prints: who is behind the others, by the same clock."""

    def __init__(self, label: str, behind_s: float = _BEHIND_S) -> None:
        self._label, self._behind_s = label, behind_s
        self._read = 0
        self._reached: dict[str, dict[Lane, float]] = {}
        self._told: dict[tuple[str, Lane], float] = {}

    @property
    def is_stalled(self) -> bool:
        """A rank that was told to be behind has not come up."""
        return bool(self._told)

    def take(self, changes: Sequence[PhaseChange], now: float) -> Iterator[Event]:
        """What is new in ``changes``, a list that grows at its end."""
        for index in range(self._read, len(changes)):
            self._read = index + 1
            change = changes[index]
            if change.name == "launch":
                self.restart()
            if change.place.rank is None:
                continue
            lane = (change.place.node or "", change.place.rank)
            end = _ENDS.get(change.name, change.name)
            if end != change.name:
                # A draft model is loaded and captured after the model itself: the step is taken again.
                self._reached.get(end, {}).pop(lane, None)
            ranks = self._reached.setdefault(change.name, {})
            if lane in ranks or len(ranks) < MOST_LANES:
                ranks[lane] = now
            since = self._told.pop((end, lane), None)
            if since is not None:
                yield Event(EventKind.STALL_OVER, id=self._label, state=named(lane), seconds=now - since)

    def restart(self) -> None:
        """The server was started again."""
        self._reached.clear()
        self._told.clear()

    def check(self, now: float) -> Iterator[Event]:
        """Ranks that began a step and have not ended it long after most others have; each is told once a step."""
        for begin, end in _ENDS.items():
            began, ended = self._reached.get(begin, {}), self._reached.get(end, {})
            behind = [lane for lane in began if lane not in ended]
            if not behind or len(behind) >= len(ended):
                continue
            lasted = max(at - began.get(lane, at) for lane, at in ended.items())
            waited = now - max(ended.values())
            if waited <= max(self._behind_s, lasted):
                continue
            for lane in behind:
                if (end, lane) not in self._told:
                    self._told[end, lane] = max(ended.values())
                    rank = named(lane)
                    yield Event(
                        EventKind.STALL, id=self._label, state=rank, seconds=waited, usual=max(self._behind_s, lasted),
                        text=f"{rank} has not come to {end} {waited:.0f} s after {len(ended)} of {len(began)} ranks had",
                        advice=ADVICE,
                    )  # fmt: skip
