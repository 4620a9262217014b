"""A server that is started anew has got over a cause once it is up, and is news when it fails of the same again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.watching.batches import LAUNCH_LINE, READY_LINE
from triage.engine import scan_text
from triage.knowledge.compiled import Knowledge
from triage.model import Report
from triage.watching.events import Event, EventKind, between
from triage.watching.live_scan import LiveScan
from triage.watching.recurrence import got_over
from triage.watching.server_runs import ServerRuns

FAILURE = "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.\n"
CAUSE = "gpu-oom-kv-pool"
LIFE = LAUNCH_LINE + FAILURE


def told(knowledge: Knowledge, *parts: str, runs: tuple[int, ...] = ()) -> list[list[Event]]:
    """What is told of the cause after each part of a log; ``runs``: where runs begin that no arguments tell."""
    old: Report | None = None
    over: frozenset[str] = frozenset()
    found, text = [], ""
    for part in parts:
        text += part
        new = scan_text(text.encode(), knowledge, "a.log")
        servers = ServerRuns(new.observation.launches, {"a.log": runs})
        found.append([event for event in between(old, new, servers, over) if event.id == CAUSE])
        old, over = new, got_over(new, servers)
    return found


def observed(knowledge: Knowledge, logs: dict[str, str]) -> Report:
    """The report on several sources."""
    scan = LiveScan(knowledge)
    for label, text in logs.items():
        scan.take(label, text.encode())
    return scan.report()


def brief(events: list[Event]) -> list[str]:
    """What is told, in words: ``on``, ``again`` or ``over``, each with its line."""
    words = {EventKind.APPEARED: "on", EventKind.RESOLVED: "over"}
    return [
        f"{'again' if event.again else words[event.kind]} {event.place.line}"
        for event in events
        if event.place is not None
    ]


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


UP = LAUNCH_LINE + READY_LINE


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((UP, FAILURE, LAUNCH_LINE, READY_LINE, READY_LINE), [[], ["on 3"], [], ["over 4"], []]),
        ((UP + FAILURE, UP, FAILURE, UP), [["on 3"], ["over 4"], ["again 6"], ["over 7"]]),
        ((UP + FAILURE + UP, LAUNCH_LINE, READY_LINE), [["on 3", "over 4"], [], []]),
        ((UP + FAILURE, UP + FAILURE, UP), [["on 3"], ["over 4", "again 6"], ["over 7"]]),
        ((UP + FAILURE, LAUNCH_LINE + FAILURE, UP), [["on 3"], ["again 5"], ["over 6"]]),
        ((UP + FAILURE, LAUNCH_LINE, LAUNCH_LINE, READY_LINE), [["on 3"], [], [], ["over 5"]]),
        (((UP + FAILURE) * 2,), [["on 3", "over 4", "again 6"]]),
        (((LAUNCH_LINE + FAILURE) * 2,), [["on 2", "again 4"]]),
        (((UP + FAILURE) * 4 + UP,), [["on 3", "over 10", "again 12", "over 13"]]),
        ((UP + FAILURE, (UP + FAILURE) * 3 + UP), [["on 3"], ["over 4", "again 6", "over 10", "again 12", "over 13"]]),
    ],
    ids=[
        "once", "and again", "in one look", "ready and dead in one look", "dead before it is ready", "the third start",
        "two lives in one look", "two deaths in one look", "at most two of a look", "the first and the last",
    ],
)  # fmt: skip
def test_a_restart_that_gets_up_ends_it(
    knowledge: Knowledge, parts: tuple[str, ...], expected: list[list[str]]
) -> None:
    """Exactly once a run, with the line in which the run begins that is up."""
    found = told(knowledge, *parts)
    assert [brief(events) for events in found] == expected
    texts = {event.text for events in found for event in events if event.kind is EventKind.RESOLVED}
    assert all(text.startswith("started again in line ") and text.endswith(", ready") for text in texts)


def test_a_restart_that_its_starter_tells(knowledge: Knowledge) -> None:
    """The run begins where its starter says so, and is up when it is ready, with arguments or without."""
    parts = (UP + FAILURE, "starting\n", LAUNCH_LINE, READY_LINE)
    assert [brief(events) for events in told(knowledge, *parts, runs=(4,))] == [["on 3"], [], [], ["over 4"]]
    found = told(knowledge, UP + FAILURE, "starting\n", READY_LINE, runs=(4,))
    assert [[event.kind for event in events] for events in found] == [[EventKind.APPEARED], [], [EventKind.RESOLVED]]


def test_of_several_servers_all_that_failed_have_to_be_up(knowledge: Knowledge) -> None:
    """The pod that did not fail does not count; one that fails of what another one got over is news, but not again."""

    def pod(name: str, text: str) -> str:
        return "".join(f"[pod/{name}/server] {line}\n" for line in text.splitlines())

    both, failure = pod("a", UP) + pod("b", UP), f"[2026-09-21 14:05:00 TP0] {FAILURE}"
    parts = [both, pod("a", failure), pod("b", UP), pod("a", UP), pod("b", failure), pod("a", UP), pod("b", UP)]
    assert [brief(events) for events in told(knowledge, *parts)] == [
        [], ["on 5"], [], ["over 8"], ["on 10"], [], ["over 13"],
    ]  # fmt: skip
    both_failed = [both, pod("a", failure) + pod("b", failure), pod("a", UP), pod("b", UP)]
    assert [brief(events) for events in told(knowledge, *both_failed)] == [[], ["on 5"], [], ["over 9"]]


def test_sources_are_told_apart(knowledge: Knowledge) -> None:
    """Only the one that died counts."""
    dead = observed(knowledge, {"a": UP + FAILURE, "b": UP})
    other = observed(knowledge, {"a": UP + FAILURE, "b": UP + UP})
    well = observed(knowledge, {"a": UP + FAILURE + UP, "b": UP})
    assert brief([event for event in between(dead, other) if event.id == CAUSE]) == []
    (event,) = [event for event in between(dead, well) if event.id == CAUSE]
    assert (event.kind, event.place and event.place.source) == (EventKind.RESOLVED, "a")
    assert [event for event in between(well, well) if event.id == CAUSE] == []


def test_what_is_over_is_silent_until_it_is_back(knowledge: Knowledge) -> None:
    """However sure one is of it, and whether reports show it or not."""
    over = scan_text((UP + FAILURE + UP).encode(), knowledge, "a.log")
    (item,) = [item for item in over.diagnoses if item.id == CAUSE]
    unsure = replace(over, diagnoses=(replace(item, confidence=0.3),))
    hidden = replace(over, diagnoses=())
    ids = frozenset({CAUSE})
    for old, new in ((unsure, over), (over, unsure), (over, hidden), (hidden, over)):
        assert list(between(old, new, over=ids)) == []
    back = scan_text((UP + FAILURE + UP + FAILURE).encode(), knowledge, "a.log")
    assert [event.kind for event in between(hidden, back, over=ids)] == [EventKind.APPEARED]


def test_what_a_start_shows_before_its_arguments_and_once_it_is_up(knowledge: Knowledge) -> None:
    """Over when the server is ready in spite of it, and back when the same run shows it later."""
    found = told(knowledge, UP + "starting\n" + FAILURE, LAUNCH_LINE, READY_LINE, FAILURE, runs=(3,))
    assert [brief(events) for events in found] == [["on 4"], [], ["over 5"], ["again 7"]]
