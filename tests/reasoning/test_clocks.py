"""Clocks that disagree, put on one time line."""

from __future__ import annotations

import pytest

from triage.model import ErrorLine, Finding, Hit, Launch, Milestone, Observation, Place
from triage.reasoning.clocks import clock_offsets, on_one_clock


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
