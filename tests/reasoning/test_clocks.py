"""Clocks that disagree, put on one time line."""

from __future__ import annotations

import pytest

from triage.engine import scan_text
from triage.knowledge.compiled import Knowledge
from triage.model import ClockStep, ErrorLine, Finding, Hit, Input, Launch, Milestone, Observation, Place, Verdict
from triage.reasoning.clocks import clock_offsets, on_one_clock, without_steps


def _steps(source: str, **seconds: float | None) -> list[Milestone]:
    return [
        Milestone(name.replace("_", "-"), Place(source, number, 0, None, at))
        for number, (name, at) in enumerate(seconds.items(), 1)
    ]


def _observation(*milestones: Milestone) -> Observation:
    return Observation(milestones=milestones)


def test_offset_is_the_median_over_common_steps() -> None:
    """Steps that only one node shows, and steps that nodes take at their own pace, do not count."""
    seen = _observation(
        *_steps("a", weights_begin=100.0, weights_end=150.0, pool_end=200.0, capture_begin=201.0, ready=300.0),
        *_steps("b", weights_begin=140.0, weights_end=400.0, pool_end=240.0, capture_begin=242.0),
    )
    first, second = clock_offsets(seen, ("a", "b"))
    assert (first.source, first.seconds) == ("a", 0.0)
    assert (second.source, second.reference, second.seconds, second.spread, second.points) == ("b", "a", 40.0, 1.0, 3)


def test_no_common_step_no_estimate() -> None:
    """A node that died before, or whose lines have no date, gets no offset."""
    seen = _observation(*_steps("a", weights_begin=1.0), *_steps("b", pool_end=5.0), *_steps("c", weights_begin=None))
    assert [item.source for item in clock_offsets(seen, ("a", "b", "c"))] == ["a"]
    assert clock_offsets(_observation(), ("a", "b")) == ()


@pytest.mark.parametrize(("ahead", "expected"), [(40.0, 960.0), (1.0, 1000.0), (-40.0, 1040.0)])
def test_every_place_is_shifted(ahead: float, expected: float) -> None:
    """Findings, errors and launches of the source move; times as printed and other sources stay."""
    place = Place("b", 7, 0, "10:00:00", 1000.0)
    other = Place("a", 7, 0, "10:00:00", 1000.0)
    hits = (Hit("k/i/0", place, "x"), Hit("k/i/0", other, "x"))
    seen = Observation(
        findings=(Finding("k/i/0", "b", 2, hits, place),),
        errors=(ErrorLine("x", place, 7),),
        launches=(Launch("b", 1, 0, place),),
        milestones=(*_steps("a", pool_end=0.0), *_steps("b", pool_end=ahead)),
    )
    moved = on_one_clock(seen, clock_offsets(seen, ("a", "b")))
    finding = moved.findings[0]
    assert [hit.place.seconds for hit in finding.hits] == [expected, 1000.0]
    batch = moved.launches[0].last_batch
    assert batch is not None
    assert finding.last.seconds == moved.errors[0].place.seconds == batch.seconds == expected
    assert finding.last.time == "10:00:00"


def _lines(first: str, *texts: str) -> str:
    return "".join(f"[2026-03-01 {first}:{second:02d} TP0] {text}\n" for second, text in enumerate(texts))


_WORK = "Decode batch, #running-req: 3, #token: 4096, gen throughput (token/s): 61.2"


def test_work_after_a_clock_was_set_back_counts(knowledge: Knowledge) -> None:
    """The server works on a minute after the failure, by lines that print an hour less."""
    started = "[2026-03-01 08:59:00] server_args=ServerArgs(model_path='/m', tp_size=1)\n"
    failed = _lines("10:00", _WORK, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.", _WORK)
    on = "".join(_lines(f"09:{minute:02d}", _WORK, _WORK) for minute in range(1, 5))
    report = scan_text((started + failed + on).encode(), knowledge, "a.log")
    assert report.observation.inputs[0].clock_steps == (ClockStep(5, 3542.0),)
    assert report.verdict is Verdict.HEALTHY
    assert report.recovered
    died = scan_text((started + failed).encode(), knowledge, "a.log")
    assert died.verdict is not Verdict.HEALTHY


def test_what_broke_first_is_told_by_lines_where_a_clock_was_set(knowledge: Knowledge) -> None:
    """A cause seen twice began with its first line, although the second one prints an earlier time."""
    full = "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static."
    log = _lines("10:00", "Load weight begin. avail mem=78.58 GB", full) + _lines("09:30", _WORK, _WORK, _WORK, full)
    report = scan_text(log.encode(), knowledge, "a.log")
    place = next(entry.place for entry in report.diagnoses[0].ledger if entry.place is not None)
    assert (place.line, place.time) == (2, "2026-03-01 10:00:01")


def test_only_the_clock_that_was_set_is_moved() -> None:
    """Lines above the step, of that source and that pod; what stands below it, and every other clock, stays."""
    steps = (ClockStep(10, 3600.0, "b"), ClockStep(20, 100.0, "b"))

    def seconds(source: str, line: int, node: str | None) -> float | None:
        hit = Hit("k/i/0", Place(source, line, 0, "10:00:00", 5000.0, None, node), "x")
        seen = Observation(
            inputs=(Input("s", clock_steps=steps),), findings=(Finding("k/i/0", source, 1, (hit,), hit.place),)
        )
        (finding,) = without_steps(seen).findings
        assert finding.last.time == "10:00:00"
        return finding.hits[0].place.seconds

    assert [seconds("s", line, "b") for line in (9, 10, 19, 20)] == [1300.0, 4900.0, 4900.0, 5000.0]
    assert seconds("s", 9, "a") == seconds("t", 9, "b") == 5000.0
    untouched = Observation(inputs=(Input("s"),))
    assert without_steps(untouched) is untouched
