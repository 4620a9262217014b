"""Posts each alert to a URL as JSON."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from triage.records import dataclass
from triage.watching.background import Background, Closing
from triage.watching.webhook_post import Answer, Post

if TYPE_CHECKING:
    from triage.watching.alert_gate import AlertGate
    from triage.watching.background import Delivery
    from triage.watching.fan_out import Notes
    from triage.watching.listener import Told
    from triage.watching.live_state import LiveState
    from triage.watching.session import Ended

_FLUSH_S = 5.0
_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))
_PAUSE_WHILE_CLOSING_S = 0.5


@dataclass(frozen=True, slots=True)
class Patience:
    """How often one alert is tried, and how long is waited before the next try: a random time up to ``first_s`` doubled with
    each try, and at most ``longest_s``; or what the server asks for, at most ``most_asked_s``."""

    tries: int = 8
    first_s: float = 1.0
    longest_s: float = 60.0
    most_asked_s: float = 300.0

    def pause_s(self, failed: int, asked_s: float | None) -> float:
        """Seconds to wait after ``failed`` tries."""
        # At random over the whole span: a hundred watchers of one cluster must not come back together.
        wait = random.uniform(0.1, 1.0) * min(self.longest_s, self.first_s * 2.0 ** (failed - 1))  # noqa: S311
        return max(wait, min(asked_s, self.most_asked_s)) if asked_s is not None else wait


class Webhook:
    """One URL, to which each alert that ``gate`` lets through is posted, in order and in a thread of its own.

    A try that fails by the network, by time or by one of the statuses that ask for patience is made again; what is refused
    is not. ``encode`` gives the body, one JSON object, and is called in that thread.
    """

    def __init__(
        self,
        post: Post,
        gate: AlertGate,
        encode: Callable[[Told], str],
        delivery: Delivery,
        notes: Notes,
        *,
        patience: Patience | None = None,
    ) -> None:
        self._post, self._encode, self._notes = post, encode, notes
        self._patience = patience or Patience()
        self._background = Background(gate, self._deliver, delivery, notes)
        self._in_trouble = False
        self._run = os.urandom(8).hex()

    def tell(self, told: Told) -> None:
        """Post it, if the event is worth it."""
        self._background.offer(told)

    def tick(self, state: LiveState) -> None:
        """Nothing: a webhook is for what changes."""

    def close(self, ended: Ended) -> None:
        """What waits is posted, within 5 seconds."""
        self._background.finish(_FLUSH_S)

    def _deliver(self, told: Told, closing: Closing) -> bool:
        body = self._encode(told).encode("utf-8", "backslashreplace")
        for failed in range(1, self._patience.tries + 1):
            answer = self._post.send(body, f"{self._run}-{told.sequence}", closing.left_s())
            if answer.is_taken:
                self._recovered()
                return True
            if answer.status and answer.status not in _AGAIN:
                self._note(f"{answer.text}: not tried again")
                return False
            self._failed(answer)
            if failed < self._patience.tries:
                pause_s = self._patience.pause_s(failed, answer.retry_after_s)
                closing.pause(pause_s, answer.retry_after_s or _PAUSE_WHILE_CLOSING_S)
            if closing.left_s() <= 0:
                break
        self._note("given up for this alert")
        return False

    def _failed(self, answer: Answer) -> None:
        # Once for a whole outage, not once for each try.
        if not self._in_trouble:
            self._note(f"{answer.text}: tried again")
        self._in_trouble = True

    def _recovered(self) -> None:
        if self._in_trouble:
            self._note("taken again")
        self._in_trouble = False

    def _note(self, text: str) -> None:
        self._notes.add("webhook", f"{self._post.origin}: {text}")
