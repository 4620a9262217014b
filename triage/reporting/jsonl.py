"""The report as JSON lines: one object a line, its ``kind`` first, the summary last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from triage.reporting.exit_status import exit_code
from triage.reporting.record import (
    SCHEMA_VERSION,
    Record,
    context_record,
    diagnosis_record,
    input_record,
    leading_phase,
    recovered_record,
    unexplained_record,
)
from triage.reporting.words import unexplained_total

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.model import Report
    from triage.reporting.outlet import Outlet
    from triage.reporting.view import View


def lines(report: Report, outlet: Outlet, view: View) -> Iterator[str]:
    """Kinds ``input``, ``diagnosis`` (those that recovered say so), ``unexplained``, ``summary``."""
    for record in _records(report, outlet, view):
        yield json.dumps(record, ensure_ascii=view.ascii_only, allow_nan=False)


def _records(report: Report, outlet: Outlet, view: View) -> Iterator[Record]:
    for source in report.observation.inputs:
        yield {"kind": "input", **input_record(source, outlet)}
    for diagnosis in view.diagnoses(report):
        yield {"kind": "diagnosis", **diagnosis_record(diagnosis, outlet)}
    for diagnosis in report.recovered:
        yield {"kind": "diagnosis", **recovered_record(diagnosis, outlet)}
    for line in report.unexplained:
        yield {"kind": "unexplained", **unexplained_record(line, outlet)}
    yield {
        "kind": "summary",
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "sgltriage", "version": outlet.show(report.tool_version)},
        "verdict": report.verdict.value,
        "phase": leading_phase(report),
        "diagnosis_count": len(report.diagnoses),
        "unexplained_count": unexplained_total(report),
        "exit": exit_code(report, view.fail_on),
        **context_record(report, outlet),
    }
