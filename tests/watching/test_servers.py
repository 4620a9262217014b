"""The servers behind several sources: each has its own life, and one that is started again begins anew in everything."""

from __future__ import annotations

import pytest

from tests.watching.batches import change, decode, kinds
from triage.matching.batch_lines import BatchSample
from triage.matching.record import PhaseChange
from triage.watching.events import Event
from triage.watching.live_state import SourceState
from triage.watching.sampler import Sampled
from triage.watching.servers import Servers

START = [change("launch"), change("weights-begin"), change("weights-end"), change("ready")]
BEGINS = ("launch", "weights-begin")
"""Where a server that was up can be again only because it was started anew."""


def hear(servers: Servers, second: float, *samples: BatchSample, label: str = "log") -> list[Event]:
    """A turn with these batch lines."""
    return list(servers.hear({label: Sampled(samples, len(samples), 0)}, second))


def serve(servers: Servers, until: int = 10, *, label: str = "log") -> list[PhaseChange]:
    """A start, and then a line a second up to ``until``, as a server at work prints them; the phases so far."""
    phases = list(START)
    list(servers.follow({label: phases}, 0.0))
    for second in range(until + 1):
        hear(servers, second, decode(second), label=label)
    return phases


def silence(servers: Servers, start: int, seconds: int, *, label: str = "log") -> list[Event]:
    """What is told while nothing comes."""
    found: list[Event] = []
    for second in range(start + 1, start + seconds + 1):
        found += hear(servers, second, label=label)
        found += servers.check(second, ())
    return found


def state(servers: Servers, second: float) -> SourceState:
    """How the only one stands."""
    (found,) = servers.state(second, None).sources
    return found


def test_a_server_at_work_that_falls_silent() -> None:
    """The stall is told with its source, and shown until it is over."""
    servers = Servers()
    serve(servers)
    assert kinds(iter(silence(servers, 10, 60))) == ["stall"]
    assert state(servers, 70).is_stalled
    assert servers.up == {"log"}


@pytest.mark.parametrize("begin", BEGINS)
def test_a_restart_forgets_what_was_awaited(begin: str) -> None:
    """Requests of the run before are gone with it: a start that prints no batch line for minutes is no stall."""
    servers = Servers()
    phases = serve(servers)
    phases.append(change(begin, line=9))
    list(servers.follow({"log": phases}, 11.0))
    assert not servers.up
    assert [event for event in silence(servers, 11, 120) if event.kind.value == "stall"] == []


@pytest.mark.parametrize("begin", BEGINS)
def test_a_restart_ends_a_stall(begin: str) -> None:
    """A server that hung and was started again hangs no more."""
    servers = Servers()
    phases = serve(servers)
    silence(servers, 10, 60)
    phases.append(change(begin, line=9))
    list(servers.follow({"log": phases}, 71.0))
    assert not state(servers, 71).is_stalled


@pytest.mark.parametrize("begin", BEGINS)
def test_a_restart_forgets_the_numbers(begin: str) -> None:
    """Requests, memory and throughput were the other run's; before that they are shown."""
    servers = Servers()
    phases = serve(servers)
    before = state(servers, 10)
    assert (before.running, before.queued, before.token_usage, before.throughput) == (8, 0, 0.25, 100.0)
    phases.append(change(begin, line=9))
    list(servers.follow({"log": phases}, 10.0))
    after = state(servers, 10)
    assert (after.running, after.queued, after.token_usage, after.throughput) == (None, None, None, None)
    assert after.lines == before.lines == 11
    assert after.stage == {"launch": "launch", "weights-begin": "weights"}[begin]


@pytest.mark.parametrize("name", ["ready", "capture-begin"])
def test_what_is_no_restart_forgets_nothing(name: str) -> None:
    """A further phase line of the same run, as of a graph that is captured while it serves, does not hide a stall."""
    servers = Servers()
    phases = serve(servers)
    phases.append(change(name, line=9))
    list(servers.follow({"log": phases}, 11.0))
    assert state(servers, 11).running == 8
    assert "stall" in kinds(iter(silence(servers, 11, 60)))


def test_no_phase_line_is_no_restart() -> None:
    """The same phases once more, in every turn: nothing is forgotten."""
    servers = Servers()
    phases = serve(servers)
    assert list(servers.follow({"log": phases}, 11.0)) == []
    assert state(servers, 11).running == 8


def test_a_start_that_shows_no_end() -> None:
    """The line that says ready was lost: batch lines are shown all the same, turn after turn, and their end is a stall."""
    servers = Servers()
    phases = START[:2]
    for second in range(11):
        list(servers.follow({"log": phases}, second))
        hear(servers, second, decode(second))
    list(servers.follow({"log": phases}, 11.0))
    assert state(servers, 11).running == 8
    assert kinds(iter(silence(servers, 11, 60))) == ["stall"]


def test_each_source_is_a_server() -> None:
    """One is started again, the other goes on: only the first forgets."""
    servers = Servers()
    phases = serve(servers, label="a")
    serve(servers, label="b")
    list(servers.follow({"a": [*phases, change("launch", line=9)]}, 11.0))
    assert {item.label: item.running for item in servers.state(11, None).sources} == {"a": None, "b": 8}
    found = [event for event in silence(servers, 11, 60, label="b") if event.kind.value == "stall"]
    assert [event.id for event in found] == ["b"]


def test_what_may_be_missing_excuses_silence() -> None:
    """Lines that were dropped may have told that the requests ended."""
    servers = Servers()
    serve(servers)
    servers.excuse("log")
    assert kinds(iter(silence(servers, 10, 60))) == []


def test_a_pause_of_ours_is_no_silence() -> None:
    """A turn that came ten minutes late, because we were stopped, counts as little more than a second."""
    servers = Servers()
    serve(servers)
    hear(servers, 610.0)
    assert list(servers.check(610.0, ())) == []
    assert kinds(iter(silence(servers, 610, 60))) == ["stall"]


def test_sources_that_failed_are_not_told_of() -> None:
    """Of a source that cannot be read it is known why it is silent."""
    servers = Servers()
    serve(servers)
    for second in range(11, 100):
        hear(servers, second)
        assert list(servers.check(second, {"log"})) == []
