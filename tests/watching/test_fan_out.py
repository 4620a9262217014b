"""Events reach all listeners, in order; one that fails is left out."""

from __future__ import annotations

import io

import pytest

from tests.watching.telling import ENDED
from triage.watching.events import Event, EventKind
from triage.watching.fan_out import FanOut, Notes
from triage.watching.listener import Told
from triage.watching.live_state import LiveState
from triage.watching.session import Ended
from triage.watching.tellers import LineTeller

STATE = LiveState((), 0.0, (), None)


class Ear:
    """Remembers what it is told; raises ``error`` at the event of that text."""

    def __init__(self, error: Exception | None = None) -> None:
        self.heard: list[Told] = []
        self.ticks = 0
        self.ended: Ended | None = None
        self.error = error

    def tell(self, told: Told) -> None:
        if self.error is not None and told.event.text == "bang":
            raise self.error
        self.heard.append(told)

    def tick(self, state: LiveState) -> None:
        self.ticks += 1

    def close(self, ended: Ended) -> None:
        self.ended = ended


def note(text: str) -> Event:
    """An event."""
    return Event(EventKind.NOTE, id="-", text=text)


def fan_out(*ears: Ear | LineTeller) -> tuple[FanOut, Notes, list[str]]:
    """The listeners, the notes, and the complaints that there will be."""
    notes, complaints = Notes(), list[str]()
    return FanOut(ears, notes, clock=lambda: 12.5, complain=complaints.append), notes, complaints


def test_numbers_without_gaps() -> None:
    """From 1, with the time, for all alike; notes of listeners are events too, and come before what is told next."""
    one, other = Ear(), Ear()
    fan, notes, _ = fan_out(one, other)
    fan.tell(note("a"))
    notes.add("hook", "b")
    fan.tell(note("c"))
    notes.add("hook", "d")
    fan.tick(STATE)
    fan.close(ENDED)
    assert [(told.sequence, told.event.text, told.at) for told in one.heard] == [
        (1, "a", 12.5), (2, "b", 12.5), (3, "c", 12.5), (4, "d", 12.5),
    ]  # fmt: skip
    assert one.heard == other.heard
    assert (one.ticks, one.ended) == (1, ENDED)


def test_one_that_fails_is_left_out() -> None:
    """The others hear everything, the operator hears of it once."""
    broken, sound = Ear(ValueError("a bug")), Ear()
    fan, _, complaints = fan_out(broken, sound)
    for text in ("a", "bang", "bang", "b"):
        fan.tell(note(text))
    assert [told.event.text for told in sound.heard] == ["a", "bang", "bang", "b"]
    assert [told.event.text for told in broken.heard] == ["a"]
    assert len(complaints) == 1
    assert "a bug" in complaints[0]


def test_a_full_disk_may_have_room_again() -> None:
    """One that cannot write hears what comes all the same; each such time is told once."""
    full = Ear(OSError(28, "No space left on device"))
    fan, _, complaints = fan_out(full)
    for text in ("a", "bang", "bang", "b", "bang"):
        fan.tell(note(text))
        fan.tick(STATE)
    assert [told.event.text for told in full.heard] == ["a", "b"]
    assert complaints == ["events cannot be written (No space left on device): tried again with each"] * 2


def test_a_broken_pipe_goes_up() -> None:
    """The command ends by it, as every filter does."""
    fan, _, _ = fan_out(Ear(BrokenPipeError()))
    with pytest.raises(BrokenPipeError):
        fan.tell(note("bang"))


def test_a_reader_of_events_that_goes_away_need_not_end_all() -> None:
    """Where something else than events is at stake, such as a server."""
    gone, sound, complaints = Ear(BrokenPipeError()), Ear(), list[str]()
    fan = FanOut([gone, sound], Notes(), clock=lambda: 0.0, complain=complaints.append, ends_all=False)
    for text in ("bang", "bang"):
        fan.tell(note(text))
    assert len(sound.heard) == 2
    assert complaints == ["nobody reads the events any more"]


def test_late_notes_stand_apart() -> None:
    """What is said after the report does not stand behind it."""
    out, late = io.StringIO(), io.StringIO()

    def report(_ended: Ended) -> None:
        out.write("REPORT\n")

    teller = LineTeller(out, lambda told: told.event.text, at_end=report, late=late)

    class Slow(Ear):
        def close(self, ended: Ended) -> None:
            notes.add("hook", "late")

    fan, notes, _ = fan_out(teller, Slow())
    fan.tell(note("a"))
    fan.close(ENDED)
    assert out.getvalue() == "a\nREPORT\n"
    assert late.getvalue() == "late\n"


def test_many_notes_do_not_keep_the_watcher() -> None:
    """A listener that answers each note with another one does not end in a loop."""

    class Parrot(Ear):
        def tell(self, told: Told) -> None:
            super().tell(told)
            notes.add("hook", "again")

    parrot = Parrot()
    fan, notes, _ = fan_out(parrot)
    fan.tell(note("a"))
    fan.tick(STATE)
    assert len(parrot.heard) == 2
