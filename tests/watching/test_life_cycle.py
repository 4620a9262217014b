"""The stages of a server's life, with the time that each took."""

from __future__ import annotations

import pytest

from tests.watching.batches import change, kinds
from triage.matching.record import PhaseChange
from triage.model import Phase
from triage.watching.life_cycle import BOUNDS, LifeCycle, Stage


def stages(changes: list[PhaseChange], life: LifeCycle | None = None) -> list[tuple[str, float | None]]:
    """(stage, how long the one before lasted)."""
    return [(event.state, event.seconds) for event in (life or LifeCycle("log")).take(changes, 5000.0)]


def test_a_whole_start() -> None:
    """Times are those that the lines print."""
    names = ("launch", "weights-begin", "weights-end", "pool-end", "capture-begin", "capture-end", "ready", "shutdown")
    assert stages([change(name, seconds=10.0 * number) for number, name in enumerate(names)]) == [
        ("launch", None), ("weights", 10.0), ("memory-pool", 10.0), ("graph-capture", 10.0), ("warmup", 20.0), ("ready", 10.0),
        ("draining", 10.0),
    ]  # fmt: skip


def test_without_printed_times_the_clock_counts() -> None:
    """Arrival is all there is."""
    life = LifeCycle("log")
    changes = [change("launch")]
    list(life.take(changes, 100.0))
    changes.append(change("weights-begin"))
    (event,) = life.take(changes, 142.0)
    assert event.seconds == 42.0
    assert event.usual == BOUNDS[Stage.WEIGHTS].seconds


def test_ranks_that_are_not_quite_together() -> None:
    """The stages of one rank are told; the others take the same steps a little earlier or later."""
    changes = [change("launch")]
    for name in ("weights-begin", "weights-end", "capture-begin"):
        changes += [change(name, rank=f"TP{rank}") for rank in range(4)]
    late = [changes[0], changes[1], changes[5], changes[2], changes[3], *changes[6:]]
    assert [stage for stage, _ in stages(late)] == ["launch", "weights", "memory-pool", "graph-capture"]


def test_another_start() -> None:
    """A restarted server begins anew, and another rank may be the first to speak."""
    changes = [change("launch"), change("weights-begin", rank="TP0"), change("ready"), change("launch")]
    changes.append(change("weights-begin", rank="TP1"))
    assert [stage for stage, _ in stages(changes)] == ["launch", "weights", "ready", "launch", "weights"]


@pytest.mark.parametrize(
    ("before", "generated", "after"),
    [
        ("ready", False, "serving"),
        ("capture-end", True, "serving"),
        ("capture-end", False, "warmup"),
        ("shutdown", True, "draining"),
    ],
)
def test_batches_say_that_it_serves(before: str, generated: bool, after: str) -> None:
    """Once it is ready any batch does; during warm-up only one that a warm-up request is too short for."""
    life = LifeCycle("log")
    list(life.take([change(before)], 1.0))
    list(life.work(2.0, generated=generated))
    assert life.stage is not None
    assert life.stage.value == after


def test_a_log_joined_in_the_middle() -> None:
    """Nothing but decode lines: it serves."""
    life = LifeCycle("log")
    assert kinds(life.work(1.0, generated=False)) == []
    assert [event.state for event in life.work(1.0, generated=True)] == ["serving"]


@pytest.mark.parametrize(
    ("last", "failed", "stage"),
    [("ready", False, ["ended"]), ("ready", True, ["dead"]), ("shutdown", False, ["dead"]), (None, True, [])],
)
def test_the_end(last: str | None, failed: bool, stage: list[str]) -> None:
    """Dead is said where a failure or a farewell was seen; a log can end while its server goes on."""
    life = LifeCycle("log")
    list(life.take([change(last)] if last else [], 1.0))
    assert [event.state for event in life.end(2.0, failed=failed)] == stage


@pytest.mark.parametrize("stage", list(BOUNDS))
def test_a_stage_that_lasts_too_long(stage: Stage) -> None:
    """Told once, with what is usual, why, and what to look at."""
    life = LifeCycle("log")
    life.stage, life.since = stage, 100.0
    bound = BOUNDS[stage].seconds
    assert list(life.check(100.0 + bound)) == []
    (event,) = life.check(101.0 + bound)
    assert (event.kind.value, event.state, event.seconds, event.usual) == ("slow-phase", stage.value, bound + 1, bound)
    assert event.text
    assert event.advice
    assert list(life.check(102.0 + bound)) == []


def test_ready_and_serving_have_no_bound() -> None:
    """A server may stand ready for a year."""
    life = LifeCycle("log")
    list(life.take([change("ready")], 0.0))
    assert list(life.check(3e7)) == []


def test_every_stage_has_a_phase() -> None:
    """Whoever knows phases only can place it."""
    assert {stage.phase for stage in Stage} == set(Phase) - {Phase.UNKNOWN}
