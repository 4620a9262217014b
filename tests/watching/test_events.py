"""From two reports to what happened between them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from triage.engine import scan_text
from triage.knowledge.compiled import Knowledge
from triage.model import Report, Verdict
from triage.watching.events import EventKind, between


@pytest.fixture(name="report", scope="module")
def report_fixture(knowledge: Knowledge) -> Report:
    """One diagnosis, sure of it."""
    return scan_text(b"RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.\n", knowledge)


def kinds(old: Report | None, new: Report) -> list[str]:
    """The kinds of the events, in order."""
    return [event.kind.value for event in between(old, new)]


def test_a_diagnosis_appears_with_its_line(report: Report) -> None:
    """The first report tells all that it has, and the verdict last."""
    first, last = list(between(None, report))
    assert (first.kind, first.id) == (EventKind.APPEARED, "gpu-oom-kv-pool")
    assert first.place is not None
    assert first.place.line == 1
    assert (last.kind, last.state) == (EventKind.VERDICT, Verdict.CONFIRMED.value)


def test_the_same_is_no_news(report: Report) -> None:
    """Nothing for nothing."""
    assert kinds(report, report) == []


@pytest.mark.parametrize(("confidence", "expected"), [(0.5, ["diagnosis-fell"]), (0.9, []), (0.2, ["diagnosis-fell"])])
def test_confidence_that_moves(report: Report, confidence: float, expected: list[str]) -> None:
    """Small changes are none."""
    (item,) = report.diagnoses
    other = replace(report, diagnoses=(replace(item, confidence=confidence),))
    assert kinds(report, other) == expected
    assert kinds(other, report) == [kind.replace("fell", "rose") for kind in expected]


def test_why_a_diagnosis_goes(report: Report) -> None:
    """It was explained by another, the server went on, or it was withdrawn."""
    (item,) = report.diagnoses
    wider = replace(item, id="wider", explains=(item.id,))
    explained = [event for event in between(report, replace(report, diagnoses=(wider,))) if event.id == item.id]
    assert [(event.kind, event.by) for event in explained] == [(EventKind.EXPLAINED, "wider")]
    assert kinds(report, replace(report, diagnoses=(), recovered=(item,))) == ["diagnosis-resolved"]
    assert kinds(report, replace(report, diagnoses=())) == ["diagnosis-withdrawn"]
