"""A server that is started anew and fails of the same again is news; what belongs to its former run is none."""

from __future__ import annotations

import pytest

from tests.watching.batches import LAUNCH_LINE, READY_LINE
from triage.engine import scan_text
from triage.knowledge.compiled import Knowledge
from triage.model import Report
from triage.watching.events import Event, EventKind, between

FAILURE = "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.\n"
CAUSE = "gpu-oom-kv-pool"
LIFE = LAUNCH_LINE + FAILURE


def told(knowledge: Knowledge, *parts: str, runs: tuple[int, ...] = ()) -> list[list[Event]]:
    """What is told of the cause after each part of a log; ``runs``: where runs begin that no arguments tell."""
    old: Report | None = None
    found, text = [], ""
    for part in parts:
        text += part
        new = scan_text(text.encode(), knowledge, "a.log")
        found.append([event for event in between(old, new, {"a.log": runs}) if event.id == CAUSE])
        old = new
    return found


def test_a_second_crash_is_told(knowledge: Knowledge) -> None:
    """It appears once more, with the line of this run, and says that it is not the first."""
    first, restart, second, third = told(knowledge, LIFE, LAUNCH_LINE, FAILURE, LIFE)
    assert [(event.kind, event.again) for event in first] == [(EventKind.APPEARED, False)]
    assert restart == []
    for events, line in ((second, 4), (third, 6)):
        (event,) = events
        assert (event.kind, event.again, event.text) == (EventKind.APPEARED, True, FAILURE.strip())
        assert event.place is not None
        assert (event.place.source, event.place.line) == ("a.log", line)


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ((LIFE, FAILURE), "the same run says it twice"),
        ((FAILURE, LAUNCH_LINE + FAILURE), "what stands above the first start belongs to it"),
        ((LIFE, LAUNCH_LINE + READY_LINE), "the new run is well"),
        ((FAILURE, FAILURE), "no start is known"),
    ],
)
def test_what_is_no_second_crash(knowledge: Knowledge, parts: tuple[str, ...], why: str) -> None:
    """Only a later run of the server makes a known cause news."""
    *_, last = told(knowledge, *parts)
    assert not any(event.again for event in last), why


def test_servers_are_told_apart(knowledge: Knowledge) -> None:
    """Of two pods in one source the second fails for the first time: that is not again."""

    def pod(name: str, text: str) -> str:
        return "".join(f"[pod/{name}/server] {line}\n" for line in text.splitlines())

    both = pod("a", LIFE) + pod("b", LAUNCH_LINE)
    _, other, again = told(knowledge, both, pod("b", FAILURE), pod("a", LIFE))
    assert not any(event.again for event in other)
    assert [event.again for event in again] == [True]


@pytest.mark.parametrize(
    ("parts", "runs", "again"),
    [
        ((FAILURE, FAILURE), (2,), True),
        ((LIFE, FAILURE), (3,), True),
        ((FAILURE, LIFE), (2,), True),
        ((FAILURE + FAILURE, LAUNCH_LINE + FAILURE), (2,), False),
        ((FAILURE, FAILURE), (3,), False),
    ],
    ids=["without arguments", "after a good start", "before a good start", "its arguments come late", "not yet"],
)
def test_runs_that_print_no_arguments(
    knowledge: Knowledge, parts: tuple[str, ...], runs: tuple[int, ...], again: bool
) -> None:
    """A server that dies before it prints them is another run where its starter says so, and the same one once it does."""
    *_, last = told(knowledge, *parts, runs=runs)
    assert any(event.again for event in last) == again


def test_a_flood_of_it_before_the_restart(knowledge: Knowledge) -> None:
    """Of a cause that is seen more often than lines are kept, the place is told and no line."""
    flood = LAUNCH_LINE + "".join(f"[2026-09-21 14:02:00 TP0] {FAILURE}" for _ in range(100))
    _, (event,) = told(knowledge, flood, LAUNCH_LINE + f"[2026-09-21 14:05:00 TP0] {FAILURE}")
    assert event.again
    assert event.place is not None
    assert (event.place.line, event.text) == (103, "")
