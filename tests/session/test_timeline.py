"""The time line: order, first failure, ranks, several nodes."""

from __future__ import annotations

from tests.session.conftest import Begin
from triage.session.timeline import ERROR, FINDING, FIRST_FAILURE, LAUNCH, PHASE, READY, WORK


def test_waiters_come_after_the_rank_that_failed(begin: Begin) -> None:
    """The first failure is rank 3's; the others waited for it, one row each."""
    rows = begin("fixtures/logs/eight-ranks-nccl-waiters/server.log").time_line
    (first,) = (row for row in rows if row.kind == FIRST_FAILURE)
    assert (first.id, first.rank, first.place.line) == ("gpu-oom-runtime", "TP3", 139)
    behind = rows[rows.index(first) + 1 :]
    waiters = {row.rank for row in behind if row.id == "nccl-timeout"}
    assert waiters == {f"rank{number}" for number in (0, 1, 2, 4, 5, 6, 7)}
    assert [row.kind for row in rows if row.kind in (LAUNCH, READY, WORK)] == [LAUNCH, READY, WORK]


def test_several_sources_are_one_line(begin: Begin) -> None:
    """Rows of three files in the order of their times."""
    rows = begin("examples/pd-direct-to-prefill").time_line
    times = [row.time for row in rows]
    assert times == sorted(times)
    assert len({row.place.source for row in rows}) == 2
    (first,) = (row for row in rows if row.kind == FIRST_FAILURE)
    assert first.id == "pd-direct-request-prefill"
    assert first.place.source.endswith("prefill.log")


def test_clocks_that_differ_are_put_right(begin: Begin) -> None:
    """The second node's clock is 1230 s ahead: its start stands beside the first node's, its failure before the other's end."""
    rows = begin("fixtures/logs/two-nodes-late-clock").time_line
    (first,) = (row for row in rows if row.kind == FIRST_FAILURE)
    assert first.place.source.endswith("node-1.log")
    assert first.time == "2026-03-01 10:30:31", "the time stays as it was printed"
    weights = [number for number, row in enumerate(rows) if row.kind == PHASE and row.text == "weights begin to load"]
    assert len(weights) == 2
    assert max(weights) < rows.index(first)
    launches = [rows.index(row) for row in rows if row.kind == LAUNCH]
    assert max(launches) < min(rows.index(row) for row in rows if row.kind == READY)


def test_without_a_diagnosis_the_first_error_is_first(begin: Begin) -> None:
    """An unknown failure still has a place in time."""
    rows = begin("fixtures/logs/unknown-plugin-failure/server.log").time_line
    assert [row.place.line for row in rows if row.kind == FIRST_FAILURE] == [58]


def test_a_healthy_log_has_no_failure(begin: Begin) -> None:
    """Launch, phases, readiness and what recovered."""
    rows = begin("fixtures/logs/healthy-torn-lines-progress-bars/server.log").time_line
    kinds = {row.kind for row in rows}
    assert kinds == {LAUNCH, PHASE, READY, WORK, FINDING}
    assert not kinds & {FIRST_FAILURE, ERROR}


def test_no_times(begin: Begin) -> None:
    """Lines without times keep the order of their file."""
    text = b"Load weight begin.\nLoad weight end.\nAssertionError: bootstrap_room should not be None\n"
    rows = begin(text=text).time_line
    assert [row.place.line for row in rows] == sorted(row.place.line for row in rows)
    assert {row.time for row in rows} == {""}
    assert [row.place.line for row in rows if row.kind == FIRST_FAILURE] == [3]


def test_nothing_happened(begin: Begin) -> None:
    """No row."""
    assert begin(text=b"hello\n").time_line == ()
