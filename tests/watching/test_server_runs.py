"""Where runs of servers begin and get up, by what they and their starters say."""

from __future__ import annotations

import pytest

from triage.model import Launch, Place
from triage.watching.server_runs import ServerRuns


def at(line: int, *, source: str = "log", node: str | None = None) -> Place:
    """A place."""
    return Place(source, line, 0, node=node)


def runs(
    launches: dict[int, int], starts: tuple[int, ...] = (), *, batch: int = 0, up: tuple[str, ...] = ()
) -> ServerRuns:
    """Of one server: lines of arguments with the line in which it is ready (0: never); ``batch``: the last one's last."""
    last = max(launches, default=0)
    found = [
        Launch("log", line, ready, at(batch) if batch and line == last else None) for line, ready in launches.items()
    ]
    return ServerRuns(found, {"log": starts}, up)


@pytest.mark.parametrize(
    ("launches", "starts", "expected"),
    [
        ({}, (), {1: 0, 9: 0}),
        ({3: 0}, (), {1: 0, 3: 0, 9: 0}),
        ({3: 0, 7: 0}, (), {2: 0, 6: 0, 7: 7, 9: 7}),
        ({3: 0, 8: 0}, (6,), {5: 0, 6: 6, 8: 6, 9: 6}),
        ({3: 0, 6: 0}, (6,), {5: 0, 6: 6, 9: 6}),
        ({3: 0, 6: 0, 8: 0}, (6,), {6: 6, 8: 8}),
        ({}, (4,), {3: 0, 4: 4}),
    ],
    ids=["none", "one", "two", "told before its arguments", "in one line", "and one untold", "told only"],
)
def test_the_run_of_a_line(launches: dict[int, int], starts: tuple[int, ...], expected: dict[int, int]) -> None:
    """The last start at or above it; the first arguments behind what tells of a start are no further one."""
    found = runs(launches, starts)
    assert {line: found.run(at(line)) for line in expected} == expected


@pytest.mark.parametrize(
    ("launches", "starts", "expected"),
    [
        ({1: 3, 6: 9}, (), {2: (6, 9), 5: (6, 9), 6: None, 8: None, 10: None}),
        ({1: 3, 6: 0}, (), {5: None}),
        ({1: 3, 6: 0, 10: 12}, (), {5: (10, 12), 7: (10, 12), 11: None}),
        ({1: 3, 8: 10}, (6,), {5: (6, 10), 6: (8, 10), 7: (8, 10), 9: None}),
        ({4: 8}, (), {1: (4, 8), 5: None}),
        ({0: 9}, (5,), {3: (5, 9), 7: None}),
        ({0: 9}, (), {3: None}),
    ],
    ids=["second run", "not ready", "third run", "told", "installation", "no arguments", "no start"],
)
def test_who_is_up_since(
    launches: dict[int, int], starts: tuple[int, ...], expected: dict[int, tuple[int, int] | None]
) -> None:
    """The first run behind the line that got up, with its first line; one that only started is none."""
    found = runs(launches, starts)
    for line, wanted in expected.items():
        restart = found.up_since(at(line))
        assert (None if restart is None else (restart.place.line, restart.up_line)) == wanted, line


def test_a_first_start_is_no_second_one() -> None:
    """What is printed above all arguments may be of an installation."""
    found = runs({4: 8, 10: 12})
    first, second = found.up_since(at(2)), found.up_since(at(9))
    assert first is not None
    assert second is not None
    assert (first.is_again, second.is_again) == (False, True)


def test_batches_show_that_a_server_is_up() -> None:
    """Where it does not print that it is ready; not while its source is not known to take requests, and not those before."""
    assert runs({1: 3, 6: 0}, batch=9).up_since(at(5)) is None
    assert runs({1: 3, 6: 0}, batch=9).awaits_batches(at(5))
    assert runs({1: 3, 6: 0}, up=("log",)).up_since(at(5)) is None
    found = runs({1: 3, 6: 0}, batch=9, up=("log",))
    restart = found.up_since(at(5))
    assert restart is not None
    assert (restart.place.line, restart.up_line) == (6, 9)
    assert not found.awaits_batches(at(5))
    assert found.up_since(at(7)) is None


def test_servers_of_one_source_are_told_apart() -> None:
    """A pod that gets up says nothing of another one; one that was never seen to start is none of them."""
    found = ServerRuns([Launch("log", 1, 3, node="a"), Launch("log", 2, 4, node="b"), Launch("log", 7, 9, node="b")])
    assert [found.server(at(5, node=node)) for node in ("a", "b", "c", None)] == [
        ("log", "a"), ("log", "b"), ("log", ""), ("log", ""),
    ]  # fmt: skip
    assert found.up_since(at(5, node="a")) is None
    restart = found.up_since(at(5, node="b"))
    assert restart is not None
    assert (restart.place.line, restart.place.node) == (7, "b")
    assert not found.is_started_since(at(5, node="a"))
    assert found.is_started_since(at(5, node="b"))
    assert found.up_since(at(5, node="b", source="other")) is None


def test_what_proves_a_start() -> None:
    """Its own words; systemd says that a service was stopped, too."""
    assert runs({1: 3, 6: 0}).is_started_since(at(5))
    assert not runs({1: 3}, (6,)).is_started_since(at(5))
    assert runs({0: 9}, (6,)).is_started_since(at(5))
