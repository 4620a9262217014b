"""A thread that hands alerts over, so that whoever takes long to take them does not hold up the watcher."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Protocol

from triage.watching.alert_gate import AlertGate
from triage.watching.fan_out import Notes
from triage.watching.listener import Told

MOST_WAITING = 100


class Delivery:
    """What became of alerts, counted: ``delivered``, ``failed``, ``dropped`` (there was no room or no time for them)."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self._lock = threading.Lock()
        self._counts = {"delivered": 0, "failed": 0, "dropped": 0}

    def count(self, outcome: str, number: int = 1) -> None:
        """More of one outcome. Raises KeyError if there is no such outcome."""
        with self._lock:
            self._counts[outcome] += number

    def counts(self) -> dict[str, int]:
        """All three as they stand."""
        with self._lock:
            return dict(self._counts)


class Closing:
    """Says whether the end has come, and how much time is left then."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._until = float("inf")

    def ask(self, within_s: float) -> None:
        """From now on there are ``within_s`` seconds."""
        self._until = time.monotonic() + within_s
        self._asked.set()

    def left_s(self) -> float:
        """Seconds left: without limit before the end has come, 0 when they are over."""
        return max(0.0, self._until - time.monotonic())

    def pause(self, seconds: float, short_s: float) -> None:
        """Wait; once the end has come no longer than ``short_s``, for then patience is of no use."""
        if self._asked.wait(seconds):
            time.sleep(min(seconds, short_s, self.left_s()))


class Deliver(Protocol):
    """Hands one alert over and says whether it arrived; ends by the time that ``closing`` leaves."""

    def __call__(self, told: Told, closing: Closing) -> bool: ...


class Background:
    """Passes what ``gate`` lets through to ``deliver``, one at a time, in a thread of its own.

    At most 100 wait; of more the oldest is dropped, counted, and noted the first time.
    """

    def __init__(self, gate: AlertGate, deliver: Deliver, delivery: Delivery, notes: Notes) -> None:
        self._gate, self._deliver, self._delivery, self._notes = gate, deliver, delivery, notes
        self._closing = Closing()
        self._changed = threading.Condition()
        self._waiting: deque[Told] = deque()
        self._over = False
        # A daemon: one that hangs in a name server must not keep us from ending.
        self._thread = threading.Thread(target=self._run, name=delivery.channel, daemon=True)

    def offer(self, told: Told) -> None:
        """An event; never waits."""
        with self._changed:
            if self._gate.offer(told):
                self._add(told)
            elif told.event.again and (left := self._gate.held_s(told)) is not None:
                text = f"{told.event.id}: again after a restart, {left:.0f} s before news of it is due (--hook-cooldown): held back"
                self._notes.add(self._delivery.channel, text)
            # Also where something is held back: the thread has to know when to look again.
            self._changed.notify()
            if self._thread.ident is None:
                self._thread.start()

    def finish(self, within_s: float) -> None:
        """Hand over what is left, within that time; what is not handed over then is dropped, and noted."""
        if self._thread.ident is None:
            return
        with self._changed:
            for told in self._gate.rest():
                self._add(told)
            self._over = True
            self._closing.ask(within_s)
            self._changed.notify()
        self._thread.join(within_s + 0.5)
        with self._changed:
            # What is under way and did not arrive counts with those that still wait.
            left = len(self._waiting) + self._thread.is_alive()
            self._waiting.clear()
        if left:
            self._delivery.count("dropped", left)
            self._notes.add(self._delivery.channel, f"{left} not handed over in the {within_s:g} s that there were")

    def _add(self, told: Told) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            if not self._delivery.counts()["dropped"]:
                self._notes.add(self._delivery.channel, f"more than {MOST_WAITING} wait: the oldest are dropped")
            self._delivery.count("dropped")
        self._waiting.append(told)

    def _run(self) -> None:
        while (told := self._next()) is not None:
            try:
                arrived = self._deliver(told, self._closing)
            except Exception as error:  # noqa: BLE001  (a bug must be seen, and must not silence all alerts after it)
                arrived = False
                self._notes.add(self._delivery.channel, f"failed: {type(error).__name__}: {error}")
            self._delivery.count("delivered" if arrived else "failed")

    def _next(self) -> Told | None:
        """The next one, waited for; None when there will be none, or no time for it."""
        with self._changed:
            while not self._waiting:
                if self._over:
                    return None
                self._changed.wait(self._gate.next_in_s())
                for told in self._gate.due():
                    self._add(told)
            return self._waiting.popleft() if self._closing.left_s() > 0 else None
