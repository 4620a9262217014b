"""The diagnosis once more: the same logs, weighed with what this host says now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from triage.engine import load, scan_inputs
from triage.fixing.opening import OpenFix
from triage.host_view import with_host
from triage.model import Report
from triage.probing.catalogue import all_probes
from triage.probing.host import look_at
from triage.probing.probe import Target
from triage.reading.inputs import open_inputs
from triage.safety.redact import Redactor


def confidence_again(fix: OpenFix, packs: Sequence[Path]) -> str | None:
    """How sure the diagnosis is by its logs alone, and with this host as it is now; None where the logs cannot be
    read, or where the host changes nothing of it.

    A log goes on saying what it said, so a cause that shows in it alone stays: only what a host tells can fall.
    """
    case = fix.plan.case
    paths = [path for path in case.inputs if Path(path).is_file()]
    if not case.diagnosis or not paths or len(paths) != len(case.inputs):
        return None
    knowledge = load(packs)
    report = scan_inputs(open_inputs(paths, stdin=None), knowledge).report
    probes = all_probes()
    target = Target(fix.workshop.surroundings.python, fix.workshop.pid, case.facts, dict(fix.workshop.environment))
    now = with_host(report, knowledge, probes, look_at(probes, target, Redactor()))
    before, after = _confidence(report, case.diagnosis), _confidence(now, case.diagnosis)
    if round(before, 2) == round(after, 2):
        return None  # a log goes on saying what it said: only a new one can tell more
    return f"{before:.0%} by the log alone, {after:.0%} with what this host says now"


def _confidence(report: Report, identifier: str) -> float:
    return next((item.confidence for item in report.diagnoses if item.id == identifier), 0.0)
