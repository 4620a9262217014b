"""The report as SARIF 2.1.0: one rule per diagnosed cause, one result per diagnosis, for code-scanning viewers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from triage.model import Diagnosis, Place, Report, Severity, Unexplained, Verdict
from triage.reporting import words
from triage.reporting.exit_status import exit_code
from triage.reporting.record import leading_phase, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.reporting.outlet import Outlet
    from triage.reporting.view import View

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.FATAL: "error", Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_UNEXPLAINED = "unexplained-error"

Record = dict[str, Any]


def lines(report: Report, outlet: Outlet, view: View) -> Iterator[str]:
    """One run, indented. Error lines that nothing explains are results of the rule ``unexplained-error``."""
    shown = view.diagnoses(report)
    rules = _rules(shown, report, outlet)
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    results = [_diagnosis(diagnosis, index, outlet) for diagnosis in shown]
    level = "error" if report.verdict is Verdict.UNKNOWN else "note"
    results += [_unexplained(line, level, index, outlet) for line in report.unexplained]
    run: Record = {
        "tool": {
            "driver": {"name": "sgltriage", "version": outlet.show(report.tool_version) or "unknown", "rules": rules}
        },
        "invocations": [_invocation(report, outlet, view)],
        "results": results,
        "columnKind": "unicodeCodePoints",
        "properties": {
            "verdict": report.verdict.value,
            "phase": leading_phase(report),
            "unexplained_count": words.unexplained_total(report),
            "redacted": outlet.counts,
        },
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    yield from json.dumps(document, indent=2, ensure_ascii=view.ascii_only, allow_nan=False).split("\n")


def _rules(shown: tuple[Diagnosis, ...], report: Report, outlet: Outlet) -> list[Record]:
    """Each cause once, in rank order."""
    rules: dict[str, Record] = {}
    for diagnosis in shown:
        identity = outlet.show(diagnosis.id)
        rules[identity] = {
            "id": identity,
            "shortDescription": {"text": _message(outlet.show(diagnosis.title))},
            "help": {"text": _message(outlet.show(diagnosis.fix) or f"sgltriage explain {identity}")},
            "defaultConfiguration": {"level": _LEVELS[diagnosis.severity]},
        }
    if report.unexplained:
        text = "An error line that no signature accounts for"
        rules[_UNEXPLAINED] = {"id": _UNEXPLAINED, "shortDescription": {"text": text}}
    return list(rules.values())


def _diagnosis(diagnosis: Diagnosis, index: dict[str, int], outlet: Outlet) -> Record:
    """The first location is that of the weightiest evidence; the others are related locations."""
    identity = outlet.show(diagnosis.id)
    placed = [entry for entry in words.placed(diagnosis) if entry.place]
    places = [_location(entry.place, entry.text, outlet) for entry in placed if entry.place]
    fix = f". Fix: {outlet.show(diagnosis.fix)}" if diagnosis.fix else ""
    return {
        "ruleId": identity,
        "ruleIndex": index[identity],
        "level": _LEVELS[diagnosis.severity],
        "message": {
            "text": _message(f"{outlet.show(diagnosis.title)} (confidence {words.percent(diagnosis.confidence)}){fix}")
        },
        "locations": places[:1],
        "relatedLocations": [{"id": position, **place} for position, place in enumerate(places[1:], 1)],
        "properties": {
            "confidence": number(diagnosis.confidence, 3),
            "decibans": number(diagnosis.decibans, 1),
            "severity": diagnosis.severity.value,
            "role": diagnosis.role.value,
            "phase": diagnosis.phase.value,
            "explains": [outlet.show(name) for name in diagnosis.explains],
        },
    }


def _unexplained(line: Unexplained, level: str, index: dict[str, int], outlet: Outlet) -> Record:
    text = outlet.show(line.text.strip()) or "(empty line)"
    return {
        "ruleId": _UNEXPLAINED,
        "ruleIndex": index[_UNEXPLAINED],
        "level": level,
        "message": {"text": _message(text)},
        "locations": [_location(line.place, "", outlet)],
        "properties": {
            "origin": outlet.show(line.origin),
            "nearest": [{"id": outlet.show(near.id), "score": number(near.score, 3)} for near in line.nearest],
        },
    }


def _location(place: Place, text: str, outlet: Outlet) -> Record:
    region: Record = {"startLine": max(1, place.line)}
    if text:
        region["snippet"] = {"text": outlet.show(text)}
    physical = {
        "artifactLocation": {"uri": _uri(place.source if _undecodable(place.source) else outlet.show(place.source))},
        "region": region,
    }
    return {"physicalLocation": physical}


def _undecodable(source: str) -> bool:
    """Does the name hold bytes that are no text? Percent-encoding shows them as they are."""
    return any("\udc80" <= char <= "\udcff" for char in source)


def _uri(source: str) -> str:
    """A relative URI for a relative path, ``file:`` for an absolute one; ``-`` is called stdin."""
    path = "stdin" if source == "-" else source.replace("\\", "/")
    quoted = quote(path.encode("utf-8", "surrogateescape"), safe="/~")
    return f"file://{quoted}" if quoted.startswith("/") else quoted


def _message(text: str) -> str:
    """Plain text for a SARIF message, in which brackets would otherwise make a link."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]") if "](" in text else text


def _invocation(report: Report, outlet: Outlet, view: View) -> Record:
    """What was not looked at is a notification: no result is not the same as nothing found."""
    notes = [
        f"probe {outlet.show(probe.name)} not checked: {outlet.show(probe.outcome)} {outlet.show(probe.reason)}".rstrip()
        for probe in words.not_checked(report)
    ]
    notes += [outlet.show(limit) for limit in words.limits(report)]
    return {
        "executionSuccessful": True,
        "exitCode": exit_code(report, view.fail_on),
        "toolExecutionNotifications": [{"level": "note", "message": {"text": _message(note)}} for note in notes],
    }
