"""What moved between two reports."""

from __future__ import annotations

from triage.model import Diagnosis, Observation, Phase, Report, Role, Severity, Verdict
from triage.session.moves import moves_between


def report(**confidences: float) -> Report:
    """A report with these diagnoses."""
    found = tuple(
        Diagnosis(name, name.upper(), Severity.ERROR, Role.ROOT, confidence, 0.0, Phase.UNKNOWN, None, ())
        for name, confidence in confidences.items()
    )
    return Report(Verdict.LIKELY, Observation(), found)


def test_largest_change_first() -> None:
    """Come, gone, risen and fallen; what stays the same to the last digit shown is no move."""
    moves = moves_between(report(a=0.5, b=0.3, c=0.2, d=0.100), report(a=0.9, b=0.25, d=0.1004, e=0.1))
    assert [(move.id, move.before, move.after) for move in moves] == [
        ("a", 0.5, 0.9),
        ("c", 0.2, None),
        ("e", None, 0.1),
        ("b", 0.3, 0.25),
    ]
    assert moves[1].title == "C"


def test_nothing_moves_between_equals() -> None:
    """The same report twice."""
    assert moves_between(report(a=0.5), report(a=0.5)) == ()
