"""Which lines of a log are evidence, and of what: what the gutter and the scrollbar of the log view show. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from triage.model import Diagnosis, Place, Report, Severity
from triage.records import dataclass

LETTERS = {Severity.FATAL: "F", Severity.ERROR: "E", Severity.WARNING: "W", Severity.INFO: "i"}
"""Severity in one letter, so that it never rests on a colour."""
UNEXPLAINED = "?"
AGAINST = "-"


@dataclass(frozen=True, slots=True)
class Mark:
    """A line that matters. ``letter``: severity, ``?`` for an error that nothing explains, ``-`` for evidence against;
    ``about``: the diagnosis and the name of the evidence, in our own words."""

    place: Place
    letter: str
    about: str


def marks_of(report: Report) -> tuple[Mark, ...]:
    """Every line that a diagnosis rests on, and every unexplained one, in the order of sources and lines, each line once."""
    found: dict[tuple[str, int], Mark] = {}
    diagnoses = (*report.diagnoses, *report.recovered)
    for mark in (*_evidence(diagnoses), *(Mark(item.place, UNEXPLAINED, "unexplained") for item in report.unexplained)):
        # The first diagnosis is the likeliest: it names the line.
        found.setdefault((mark.place.source, mark.place.offset), mark)
    order = {item.path: number for number, item in enumerate(report.observation.inputs)}
    return tuple(sorted(found.values(), key=lambda mark: (order.get(mark.place.source, 0), mark.place.offset)))


def evidence_places(diagnosis: Diagnosis) -> list[Place]:
    """The places of a diagnosis's evidence, the weightiest first."""
    placed = sorted((item for item in diagnosis.ledger if item.place is not None), key=lambda item: -abs(item.decibans))
    return [item.place for item in placed if item.place is not None]


def _evidence(diagnoses: Iterable[Diagnosis]) -> Iterator[Mark]:
    for diagnosis in diagnoses:
        for entry in diagnosis.ledger:
            if entry.place is not None and entry.place.line:
                letter = LETTERS[diagnosis.severity] if entry.strength.is_for else AGAINST
                yield Mark(entry.place, letter, f"{diagnosis.id}: {entry.label or entry.evidence}")
