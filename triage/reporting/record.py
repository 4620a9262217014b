"""The report as plain dictionaries, in the order of the published schema: what the JSON formats print."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from triage.model import (
    Diagnosis,
    Fact,
    Input,
    Launch,
    LedgerEntry,
    NextStep,
    Phase,
    Place,
    Rejected,
    Report,
    Unexplained,
)
from triage.reporting import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.reporting.outlet import Outlet
    from triage.reporting.view import View

SCHEMA_VERSION = 1

Record = dict[str, Any]

# JSON knows no infinity; evidence that rules a cause out for good counts as much as this.
_MOST_DECIBANS = 999.9


def report_record(report: Report, outlet: Outlet, view: View) -> Record:
    """The whole report."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "sgltriage", "version": outlet.show(report.tool_version)},
        "verdict": report.verdict.value,
        "phase": leading_phase(report),
        "inputs": [input_record(source, outlet) for source in report.observation.inputs],
        "diagnoses": [
            recovered_record(diagnosis, outlet) if diagnosis.recovered else diagnosis_record(diagnosis, outlet)
            for diagnosis in view.capped([*report.diagnoses, *report.recovered])
        ],
        "rejected": [_rejected(rejected, outlet) for rejected in report.rejected],
        "unexplained": [unexplained_record(line, outlet) for line in report.unexplained],
        "unexplained_count": words.unexplained_total(report),
        **context_record(report, outlet),
    }


def recovered_record(diagnosis: Diagnosis, outlet: Outlet) -> Record:
    """A cause after which the server went on: history, so no more than information now."""
    return {**diagnosis_record(diagnosis, outlet), "severity": "info", "severity_then": diagnosis.severity.value}


def _facts(facts: Iterable[Fact]) -> tuple[list[Fact], dict[str, list[Fact]]]:
    """(facts on which all sources that state them agree, by name; the others by source)."""
    by_name: dict[str, list[Fact]] = {}
    for fact in facts:
        by_name.setdefault(fact.name, []).append(fact)
    agreed: list[Fact] = []
    differing: dict[str, list[Fact]] = {}
    for _, stated in sorted(by_name.items()):
        if len({repr(fact.value) for fact in stated}) == 1:
            agreed.append(stated[0])
            continue
        for fact in stated:
            differing.setdefault(fact.source, []).append(fact)
    return agreed, differing


def context_record(report: Report, outlet: Outlet) -> Record:
    """Launches, facts, probes, limits. What was redacted is counted last, when everything has been shown."""
    facts, differing = _facts(report.observation.facts)
    return {
        "launches": [_launch(launch, outlet) for launch in report.observation.launches],
        "facts": {outlet.show(fact.name): outlet.value(fact.value, fact.name) for fact in facts},
        "fact_origins": {outlet.show(fact.name): outlet.show(fact.origin) for fact in facts},
        "facts_by_source": {
            outlet.show(source): {outlet.show(fact.name): outlet.value(fact.value, fact.name) for fact in own}
            for source, own in differing.items()
        },
        "clock_offsets": [
            {
                "source": outlet.show(offset.source),
                "reference": outlet.show(offset.reference),
                "seconds": number(offset.seconds, 3),
                "spread": number(offset.spread, 3),
                "points": offset.points,
            }
            for offset in report.clock_offsets
        ],
        "differences": [
            {
                "fact": outlet.show(found.fact),
                "usual": outlet.value(found.usual, found.fact),
                "odd": {outlet.show(source): outlet.value(value, found.fact) for source, value in found.odd},
            }
            for found in report.differences
        ],
        "probes": [
            {
                "name": outlet.show(probe.name),
                "outcome": outlet.show(probe.outcome),
                "reason": outlet.show(probe.reason),
                "seconds": number(probe.seconds, 3),
            }
            for probe in report.probes
        ],
        "limits_hit": _shown(words.limits(report), outlet),
        "redacted": outlet.counts,
    }


def leading_phase(report: Report) -> str:
    """The phase in which the leading diagnosis struck."""
    return (report.diagnoses[0].phase if report.diagnoses else Phase.UNKNOWN).value


def input_record(source: Input, outlet: Outlet) -> Record:
    """One input as it was read."""
    return {
        "path": outlet.show(source.path),
        "bytes": source.bytes,
        "lines": source.lines,
        "decode_errors": source.decode_errors,
        "truncated": source.truncated,
        "notes": _shown(source.notes, outlet),
    }


def diagnosis_record(diagnosis: Diagnosis, outlet: Outlet) -> Record:
    """One diagnosis with its whole ledger."""
    return {
        "id": outlet.show(diagnosis.id),
        "title": outlet.show(diagnosis.title),
        "severity": diagnosis.severity.value,
        "role": diagnosis.role.value,
        "phase": diagnosis.phase.value,
        "rank": _shown_or_none(diagnosis.rank, outlet),
        "confidence": number(diagnosis.confidence, 3),
        "decibans": number(diagnosis.decibans, 1),
        "fix": outlet.show(diagnosis.fix),
        "playbook": _shown_or_none(diagnosis.playbook, outlet),
        "evidence": [_entry(entry, outlet) for entry in diagnosis.ledger],
        "explains": _shown(diagnosis.explains, outlet),
        "rivals": _shown(diagnosis.rivals, outlet),
        "not_checked": _shown(diagnosis.not_checked, outlet),
        "next": [_next(step, outlet) for step in diagnosis.next],
        "recovered": diagnosis.recovered,
        "notes": _shown(diagnosis.notes, outlet),
    }


def unexplained_record(line: Unexplained, outlet: Outlet) -> Record:
    """One error line that no signature accounts for."""
    return {
        "text": outlet.show(line.text),
        **_place(line.place, outlet),
        "origin": outlet.show(line.origin),
        "nearest": [{"id": outlet.show(near.id), "score": number(near.score, 3)} for near in line.nearest],
    }


def number(value: float, decimals: int) -> float:
    """`value` rounded so that equal reports print equally; never infinite, never a negative zero."""
    if math.isnan(value):
        return 0.0
    return round(max(-_MOST_DECIBANS, min(_MOST_DECIBANS, value)) if math.isinf(value) else value, decimals) + 0.0


def _entry(entry: LedgerEntry, outlet: Outlet) -> Record:
    return {
        "id": outlet.show(entry.evidence),
        "strength": entry.strength.value,
        "decibans": number(entry.decibans, 1),
        "count": entry.count,
        "count_exact": entry.count_exact,
        **_place(entry.place, outlet),
        "phase": entry.phase.value,
        "text": outlet.show(entry.text),
        "captures": {outlet.show(name): outlet.value(value, name) for name, value in entry.captures},
        "origin": outlet.show(entry.origin),
        "label": outlet.show(entry.label),
    }


def _place(place: Place | None, outlet: Outlet) -> Record:
    if place is None:
        return dict.fromkeys(("source", "line", "offset", "time", "rank", "node"))
    return {
        "source": outlet.show(place.source),
        "line": place.line,
        "offset": place.offset,
        "time": _shown_or_none(place.time, outlet),
        "rank": _shown_or_none(place.rank, outlet),
        "node": _shown_or_none(place.node, outlet),
    }


def _next(step: NextStep, outlet: Outlet) -> Record:
    return {
        words.kind(step): outlet.show(step.name),
        **({"ask": outlet.show(step.ask)} if step.ask else {}),
        "gain_bits": number(step.gain_bits, 3),
        "cost_s": number(step.cost_s, 3),
    }


def _rejected(rejected: Rejected, outlet: Outlet) -> Record:
    return {
        "id": outlet.show(rejected.id),
        "reason": outlet.show(rejected.reason),
        "decibans": number(rejected.decibans, 1),
    }


def _launch(launch: Launch, outlet: Outlet) -> Record:
    return {
        "source": outlet.show(launch.source),
        "line": launch.line,
        "ready_line": launch.ready_line,
        "last_batch_line": launch.last_batch.line if launch.last_batch else 0,
        "command": outlet.arguments(launch.command),
    }


def _shown(texts: Iterable[str], outlet: Outlet) -> list[str]:
    return [outlet.show(text) for text in texts]


def _shown_or_none(text: str | None, outlet: Outlet) -> str | None:
    return None if text is None else outlet.show(text)
