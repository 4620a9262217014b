"""The report as one JSON document: the contract that ``report.schema.json`` beside this module describes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from triage.reporting.record import report_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.model import Report
    from triage.reporting.outlet import Outlet
    from triage.reporting.view import View


def lines(report: Report, outlet: Outlet, view: View) -> Iterator[str]:
    """The document, indented. Complete whatever `unexplained` says; capped only by `top`."""
    document = report_record(report, outlet, view)
    yield from json.dumps(document, indent=2, ensure_ascii=view.ascii_only, allow_nan=False).split("\n")
