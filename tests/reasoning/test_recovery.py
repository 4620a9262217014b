"""Did the server go on after a failure? Then it is history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from triage.model import Verdict

if TYPE_CHECKING:
    from tests.reasoning.conftest import Bench


def standing(bench: Bench) -> tuple[list[str], list[str]]:
    """(ids of the diagnoses, ids of what recovered)."""
    report = bench.report()
    return [item.id for item in report.diagnoses], [item.id for item in report.recovered]


def test_ready_after(bench: Bench) -> None:
    """A fatal line before the server got ready did not stop it."""
    bench.simple("x").sees("x/line", 10).starts(5, ready=20)
    assert standing(bench) == ([], ["x"])
    report = bench.report()
    assert report.verdict is Verdict.HEALTHY
    assert report.recovered[0].recovered
    assert report.recovered[0].next == ()


def test_ready_before(bench: Bench) -> None:
    """A server that was ready and then failed did not recover."""
    bench.simple("x").sees("x/line", 30).starts(5, ready=20)
    assert standing(bench) == (["x"], [])


@pytest.mark.parametrize(("gap", "went_on"), [(10.0, True), (60.0, True), (9.0, False), (0.0, False)])
def test_batch_after_by_time(bench: Bench, gap: float, went_on: bool) -> None:
    """Another rank may print a batch a moment after one died; only work well after it proves life."""
    bench.simple("x").sees("x/line", 30, seconds=1000.0, rank="TP3")
    bench.starts(5, ready=20, batch=31, batch_seconds=1000.0 + gap)
    assert standing(bench) == (([], ["x"]) if went_on else (["x"], []))


@pytest.mark.parametrize(("batch", "went_on"), [(50, True), (49, False), (29, False)])
def test_batch_after_by_lines(bench: Bench, batch: int, went_on: bool) -> None:
    """Where lines carry no time, a good many lines stand for it."""
    bench.simple("x").sees("x/line", 30).starts(5, ready=20, batch=batch)
    assert standing(bench) == (([], ["x"]) if went_on else (["x"], []))


def test_last_line_of_it_counts(bench: Bench) -> None:
    """A failure that came back after the server was ready did not recover, though its first line was survived."""
    bench.simple("x").sees("x/line", 10).sees("x/line", 40).starts(5, ready=20)
    assert standing(bench) == (["x"], [])


def test_before_the_first_server_args(bench: Bench) -> None:
    """Imports and downloads come before the settings are printed: they belong to that start."""
    bench.simple("x").sees("x/line", 2).starts(5, ready=20)
    assert standing(bench) == ([], ["x"])


def test_restart_does_not_heal_what_killed_the_first(bench: Bench) -> None:
    """Another start that works is not the same server: what ended the first is still the answer, with a note."""
    bench.simple("x").sees("x/line", 10).starts(5).starts(50, ready=60, batch=500)
    assert standing(bench) == (["x"], [])
    (found,) = bench.report().diagnoses
    assert found.notes == ("before the server was started again in line 50",)


def test_second_start_recovers_by_itself(bench: Bench) -> None:
    """What the second start survived is history, whatever became of the first."""
    bench.simple("x").sees("x/line", 55).starts(5).starts(50, ready=60)
    assert standing(bench) == ([], ["x"])


def test_without_any_start_nothing_is_known(bench: Bench) -> None:
    """A cut that shows no start shows no recovery."""
    bench.simple("x").sees("x/line", 10)
    assert standing(bench) == (["x"], [])


def test_only_fatal_causes_recover(bench: Bench) -> None:
    """An error that lets the server live is still what was asked about."""
    bench.simple("x", severity="error").sees("x/line", 10).starts(5, ready=20)
    assert standing(bench) == (["x"], [])


def test_every_source_must_go_on(bench: Bench) -> None:
    """One node that got ready does not bring back the other."""
    bench.simple("x").sees("x/line", 10, source="one.log").sees("x/line", 10, source="two.log")
    bench.starts(5, ready=20, source="one.log").starts(5, source="two.log")
    assert standing(bench) == (["x"], [])
    bench.launches.clear()
    bench.starts(5, ready=20, source="one.log").starts(5, ready=20, source="two.log")
    assert standing(bench) == ([], ["x"])


def test_last_start_is_asked_about_first(bench: Bench) -> None:
    """What ended the last start stands before what ended an earlier one, even if that is surer."""
    bench.simple("a-first-death").simple("z-last-death", "strong")
    bench.sees("a-first-death/line", 10).sees("z-last-death/line", 90).starts(5).starts(50)
    assert standing(bench)[0] == ["z-last-death", "a-first-death"]


def test_errors_that_were_survived_leave_it_healthy(bench: Bench) -> None:
    """An error line before the server got ready is no unknown failure."""
    bench.starts(5, ready=20).fails("RuntimeError: a hiccup", 10)
    assert bench.report().verdict is Verdict.HEALTHY
    bench.fails("RuntimeError: the end", 30)
    assert bench.report().verdict is Verdict.UNKNOWN
