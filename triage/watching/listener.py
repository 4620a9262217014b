"""Who is told what happens while a server is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from triage.records import dataclass
from triage.watching.events import Event

if TYPE_CHECKING:
    from triage.watching.live_state import LiveState
    from triage.watching.session import Ended


@dataclass(frozen=True, slots=True)
class Told:
    """An event as listeners get it. ``sequence`` counts from 1 without gaps, so that a reader sees what it missed; ``at``:
    seconds since 1970."""

    sequence: int
    at: float
    event: Event


class Listener(Protocol):
    """Somebody who is told. Called from one thread, that of the watcher, which must not be kept waiting: what takes longer
    than a write goes to a thread of the listener's own (`Background`)."""

    def tell(self, told: Told) -> None:
        """Something happened."""

    def tick(self, state: LiveState) -> None:
        """How things stand, a few times a second."""

    def close(self, ended: Ended) -> None:
        """Watching is over. May take some seconds to hand over what is left; a late note may still be told afterwards."""
