"""Which events are worth waking somebody, and when: what hooks and webhooks are called for."""

from __future__ import annotations

from collections.abc import Callable

from triage.model import Severity
from triage.reasoning.weights import LIKELY
from triage.records import dataclass
from triage.watching.events import Event, EventKind
from triage.watching.listener import Told

_GONE = (EventKind.RESOLVED, EventKind.WITHDRAWN, EventKind.EXPLAINED)


@dataclass(slots=True)
class _Known:
    """What was told of one diagnosis: ``level`` 0 it is over, 1 it is possible, 2 it is likely; ``held``: the event that
    changed this since, kept back."""

    level: int
    at: float
    held: Told | None = None


class AlertGate:
    """Lets through that a diagnosis of at least ``least`` severity appeared, also once more after a restart of the server, became
    likely, or is over after it was told.

    After each, further news of the same diagnosis is held back for ``cooldown_s`` seconds, unless it becomes likely
    meanwhile. What is held back is not lost: when the time is over the last state is told, if it is another one, so that
    nobody is left with an alarm that is long over. ``clock`` gives monotonic seconds. Memory: one entry a diagnosis.
    """

    def __init__(self, least: Severity, cooldown_s: float, clock: Callable[[], float]) -> None:
        self._least, self._cooldown_s, self._clock = least, cooldown_s, clock
        self._known: dict[str, _Known] = {}

    def offer(self, told: Told) -> bool:
        """Whether it is to be told now."""
        level = self._level(told.event)
        if level is None:
            return False
        known = self._known.setdefault(told.event.id, _Known(0, float("-inf")))
        if told.event.again:
            return self._offer_again(told, known, level)
        if level == known.level or (level == 1 and known.level == 2):
            # A crash that is held back stays news while its diagnosis holds, however sure; told when that is over it would be
            # an alarm that nothing ends.
            is_crash = known.held is not None and known.held.event.again
            known.held = known.held if is_crash and level else None
            return False
        if self._clock() < known.at + self._cooldown_s and not 0 < known.level < level:
            known.held = told
            return False
        self._tell(known, level)
        return True

    def held_s(self, told: Told) -> float | None:
        """For how many seconds ``told`` is still held back; None if it is not."""
        known = self._known.get(told.event.id)
        if known is None or known.held is not told:
            return None
        return max(0.0, known.at + self._cooldown_s - self._clock())

    def due(self) -> list[Told]:
        """What was held back for long enough, the earliest first."""
        now = self._clock()
        return self._release(lambda known: now >= known.at + self._cooldown_s)

    def rest(self) -> list[Told]:
        """All that is held back, the earliest first: nothing will come any more."""
        return self._release(lambda _known: True)

    def next_in_s(self) -> float | None:
        """Seconds until `due` has something, None if nothing is held back."""
        ends = [known.at + self._cooldown_s for known in self._known.values() if known.held is not None]
        return max(0.0, min(ends) - self._clock()) if ends else None

    def _offer_again(self, told: Told, known: _Known, level: int) -> bool:
        """A server that was started anew failed of the same: news, if nothing else, when the time is over."""
        if self._clock() >= known.at + self._cooldown_s:
            self._tell(known, level)
            return True
        if known.held is None or not known.held.event.again:
            known.held = told
        return False

    def _level(self, event: Event) -> int | None:
        """What the event makes of its diagnosis; None: it is no news for anybody who sleeps."""
        if event.kind in _GONE:
            return 0 if event.id in self._known else None
        if event.kind not in (EventKind.APPEARED, EventKind.ROSE) or Severity(event.severity).rank < self._least.rank:
            return None
        return 2 if (event.confidence or 0.0) >= LIKELY else 1

    def _release(self, is_due: Callable[[_Known], bool]) -> list[Told]:
        found: list[Told] = []
        for known in self._known.values():
            if known.held is not None and is_due(known):
                found.append(known.held)
                self._tell(known, self._level(known.held.event) or 0)
        return sorted(found, key=lambda told: told.sequence)

    def _tell(self, known: _Known, level: int) -> None:
        known.level, known.at, known.held = level, self._clock(), None
