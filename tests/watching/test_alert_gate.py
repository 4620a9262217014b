"""Which events are worth waking somebody, and when."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.watching.telling import Clock, appeared, gate, resolved
from triage.model import Severity
from triage.watching.events import Event, EventKind
from triage.watching.listener import Told


def rose(sequence: int, confidence: float) -> Told:
    """A diagnosis becomes surer."""
    event = Event(EventKind.ROSE, "gpu-oom", "Out of memory", "fatal", confidence, before=0.2)
    return Told(sequence, 0.0, event)


def test_appears_and_is_over() -> None:
    """Both are told where there is no cool-down."""
    both = gate()
    assert both.offer(appeared(1))
    assert both.offer(resolved(2))


@pytest.mark.parametrize("kind", [EventKind.RESOLVED, EventKind.WITHDRAWN, EventKind.EXPLAINED])
def test_an_end_is_told_to_those_who_heard_the_beginning(kind: EventKind) -> None:
    """Every way to end ends an alarm; without one there is nothing to end."""
    end = replace(resolved(2), event=replace(resolved(2).event, kind=kind))
    assert not gate().offer(end)
    alarmed = gate()
    alarmed.offer(appeared(1))
    assert alarmed.offer(end)


@pytest.mark.parametrize("kind", [EventKind.NOTE, EventKind.PHASE, EventKind.VERDICT, EventKind.FELL])
def test_other_events_wake_nobody(kind: EventKind) -> None:
    """What is no diagnosis, or only a weaker one."""
    assert not gate().offer(Told(1, 0.0, Event(kind, "gpu-oom", severity="fatal", confidence=0.5)))


def test_severity() -> None:
    """What is milder than asked for is not told, nor is its end."""
    strict = gate(least=Severity.FATAL)
    mild = replace(appeared(1), event=replace(appeared(1).event, severity="error"))
    assert not strict.offer(mild)
    assert not strict.offer(resolved(2))
    assert strict.offer(appeared(3))


def test_becoming_likely_breaks_the_cool_down_once() -> None:
    """From possible to likely is news at once; from likely to surer is none."""
    cooled = gate(60.0)
    assert cooled.offer(appeared(1, confidence=0.2))
    assert not cooled.offer(rose(2, 0.4))
    assert cooled.offer(rose(3, 0.7))
    assert not cooled.offer(rose(4, 0.99))
    assert cooled.next_in_s() is None


def test_what_is_held_back_is_told_when_the_time_is_over() -> None:
    """Nobody is left with an alarm that is over."""
    clock = Clock()
    cooled = gate(60.0, clock)
    cooled.offer(appeared(1))
    clock.now += 10
    assert not cooled.offer(resolved(2))
    assert cooled.next_in_s() == 50
    assert cooled.due() == []
    clock.now += 50
    assert [told.sequence for told in cooled.due()] == [2]
    assert cooled.due() == []
    assert cooled.next_in_s() is None


def test_a_diagnosis_that_flaps_is_told_once() -> None:
    """Over and back within the cool-down is nothing."""
    clock = Clock()
    cooled = gate(60.0, clock)
    assert cooled.offer(appeared(1))
    for sequence in range(2, 20, 2):
        clock.now += 1
        assert not cooled.offer(resolved(sequence))
        assert not cooled.offer(appeared(sequence + 1))
    clock.now += 100
    assert cooled.due() == []


def test_each_diagnosis_has_a_cool_down_of_its_own() -> None:
    """One does not silence another."""
    cooled = gate(60.0)
    assert cooled.offer(appeared(1, "a"))
    assert cooled.offer(appeared(2, "b"))


def test_the_rest_in_the_end() -> None:
    """What is held back then is told in order."""
    cooled = gate(60.0)
    for sequence, name in enumerate(("b", "a"), start=1):
        cooled.offer(appeared(sequence, name))
    for sequence, name in enumerate(("a", "b"), start=3):
        cooled.offer(resolved(sequence, name))
    assert [told.event.id for told in cooled.rest()] == ["a", "b"]
    assert cooled.rest() == []


@given(st.lists(st.tuples(st.sampled_from(["on", "off"]), st.floats(0, 40)), max_size=30), st.floats(0, 60))
def test_the_last_state_is_always_told(steps: list[tuple[str, float]], cooldown_s: float) -> None:
    """Whatever happens when: in the end the receiver knows whether the diagnosis holds, and hears no state twice in a row."""
    clock = Clock()
    cooled = gate(cooldown_s, clock)
    heard: list[Told] = []
    for sequence, (step, pause) in enumerate(steps, start=1):
        clock.now += pause
        heard += cooled.due()
        told = appeared(sequence) if step == "on" else resolved(sequence)
        if cooled.offer(told):
            heard.append(told)
    heard += cooled.rest()
    kinds = [told.event.kind for told in heard]
    assert all(one is not other for one, other in pairwise(kinds))
    last = steps[-1][0] if steps else "off"
    ever = any(step == "on" for step, _pause in steps)
    if ever and (kinds or last == "on"):
        assert (kinds[-1] is EventKind.APPEARED) == (last == "on")


def _again(sequence: int, severity: str = "fatal") -> Told:
    """A server that was started anew shows the same."""
    return replace(appeared(sequence), event=replace(appeared(sequence).event, again=True, severity=severity))


def test_a_crash_of_a_restarted_server_is_news() -> None:
    """At once where nothing was told lately; else once the time is over, the first of those that came meanwhile."""
    clock = Clock()
    cooled = gate(60.0, clock)
    assert cooled.offer(appeared(1))
    clock.now += 61
    assert cooled.offer(_again(2))
    clock.now += 20
    first = _again(3)
    assert not cooled.offer(first)
    assert cooled.held_s(first) == 40.0
    later = _again(4)
    assert not cooled.offer(later)
    assert cooled.held_s(later) is None
    assert not cooled.offer(rose(5, 0.99)), "no news of its own, and it does not undo what is held back"
    clock.now += 40
    assert cooled.due() == [first]
    assert cooled.rest() == []


def test_a_mild_crash_is_none() -> None:
    """What is milder than asked for is not told again either, nor held back."""
    strict = gate(60.0, least=Severity.FATAL)
    mild = _again(1, "error")
    assert not strict.offer(mild)
    assert strict.held_s(mild) is None


def test_a_crash_that_is_over_is_told_by_its_last_state() -> None:
    """A server that dies and gets up again within the cool-down leaves no alarm that nothing ends."""
    clock = Clock()
    cooled = gate(60.0, clock)
    assert cooled.offer(appeared(1))
    clock.now += 61
    assert cooled.offer(resolved(2))
    clock.now += 10
    assert not cooled.offer(_again(3))
    clock.now += 10
    assert not cooled.offer(resolved(4))
    clock.now += 100
    assert cooled.due() == [], "over as it was told"
    assert cooled.offer(_again(5))
    clock.now += 10
    assert not cooled.offer(resolved(6))
    clock.now += 10
    held = _again(7)
    assert not cooled.offer(held)
    assert cooled.rest() == [held]


@given(st.lists(st.tuples(st.sampled_from(["again", "off"]), st.floats(0, 40)), max_size=30), st.floats(0, 60))
def test_crashes_and_restarts_end_as_they_stand(steps: list[tuple[str, float]], cooldown_s: float) -> None:
    """Whatever is held back: whoever was told of a server hears of its last state."""
    clock = Clock()
    cooled = gate(cooldown_s, clock)
    heard = [appeared(1)] if cooled.offer(appeared(1)) else []
    for sequence, (step, pause) in enumerate(steps, start=2):
        clock.now += pause
        heard += cooled.due()
        told = _again(sequence) if step == "again" else resolved(sequence)
        if cooled.offer(told):
            heard.append(told)
    heard += cooled.rest()
    last = steps[-1][0] if steps else "again"
    assert (heard[-1].event.kind is EventKind.APPEARED) == (last == "again")
