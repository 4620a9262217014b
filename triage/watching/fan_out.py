"""Numbers events and hands them to all listeners; one that fails is left out, and watching goes on."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from triage.watching.events import Event, EventKind
from triage.watching.listener import Listener, Told

if TYPE_CHECKING:
    from triage.watching.live_state import LiveState
    from triage.watching.session import Ended

_NOTES_A_TURN = 100


class Notes:
    """What listeners have to say themselves, from whatever thread: `FanOut` tells it as events of kind ``note``."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def add(self, who: str, text: str) -> None:
        """``text``: one line, hostile text as in any event; ``who``: ``hook``, ``webhook`` and the like."""
        self._waiting.put(Event(EventKind.NOTE, id=who, text=text))

    def take(self) -> list[Event]:
        """What was added since, at most a hundred, so that two who answer each other do not keep the watcher."""
        found: list[Event] = []
        while len(found) < _NOTES_A_TURN:
            try:
                found.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return found


class FanOut:
    """The listeners of one run, in order. ``clock`` gives seconds since 1970; ``complain`` gets one line about a listener
    that failed: one that could not write, on a full disk such as it is, is told what comes all the same, another one nothing.

    `BrokenPipeError` goes up where it ``ends_all``: nobody reads what we print, and the command ends by it as any filter does.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        notes: Notes,
        *,
        clock: Callable[[], float],
        complain: Callable[[str], None],
        ends_all: bool = True,
    ) -> None:
        self._listeners = list(listeners)
        self._notes, self._clock, self._complain = notes, clock, complain
        self._ends_all = ends_all
        self._unwritten: set[int] = set()
        self._sequence = 0

    def tell(self, event: Event) -> None:
        """Tell all, and what listeners had to say meanwhile before it."""
        self._tell_notes()
        self._tell(event)

    def tick(self, state: LiveState) -> None:
        """Show all how things stand."""
        self._tell_notes()
        self._call(lambda listener: listener.tick(state))

    def close(self, ended: Ended) -> None:
        """Let all finish, the first first; what they say while they do is told to those that still take it."""
        self._tell_notes()
        self._call(lambda listener: listener.close(ended))
        self._tell_notes()

    def _tell_notes(self) -> None:
        for event in self._notes.take():
            self._tell(event)

    def _tell(self, event: Event) -> None:
        self._sequence += 1
        told = Told(self._sequence, self._clock(), event)
        self._call(lambda listener: listener.tell(told), writes=True)

    def _call(self, action: Callable[[Listener], None], *, writes: bool = False) -> None:
        """``writes``: a listener that does not fail can write again."""
        for listener in tuple(self._listeners):
            try:
                action(listener)
                if writes:
                    self._unwritten.discard(id(listener))
            except BrokenPipeError:
                if self._ends_all:
                    raise
                self._listeners.remove(listener)
                self._complain("nobody reads the events any more")
            except OSError as error:
                if id(listener) not in self._unwritten:
                    self._unwritten.add(id(listener))
                    self._complain(f"events cannot be written ({error.strerror or error}): tried again with each")
            except Exception as error:  # noqa: BLE001  (whatever one of them gets wrong, the server is watched on)
                self._listeners.remove(listener)
                self._complain(f"{type(listener).__name__} failed and is told no more: {type(error).__name__}: {error}")
