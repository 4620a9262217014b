"""One line per finding, as compilers print them: easy to grep, and a click opens the place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.model import Diagnosis, Report, Verdict
from triage.reporting import words
from triage.reporting.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.reporting.outlet import Outlet
    from triage.reporting.view import View


def lines(report: Report, outlet: Outlet, view: View) -> Iterator[str]:
    """``path:line: severity id NN% title``, then the errors that nothing explains; one sentence if there is neither."""
    page = Page(outlet, view)
    shown = view.diagnoses(report)
    for diagnosis in shown:
        confidence = words.percent(diagnosis.confidence)
        identity = page.paint("bold", page.show(diagnosis.id))
        yield f"{_where(diagnosis, page)} {page.severity(diagnosis.severity)} {identity} {confidence} {page.show(diagnosis.title)}"
    listed = report.unexplained[: max(0, view.unexplained)]
    for line in listed:
        yield f"{page.show(line.place.source)}:{line.place.line}: unexplained {words.message(page.show(line.text), line.place)}"
    if report.verdict in (Verdict.HEALTHY, Verdict.UNKNOWN) or not shown:
        yield page.own(words.verdict(report))


def _where(diagnosis: Diagnosis, page: Page) -> str:
    """The place of the weightiest evidence; a cause that only facts show has none."""
    placed = next((entry.place for entry in words.placed(diagnosis) if entry.place), None)
    return f"{page.show(placed.source)}:{placed.line}:" if placed else "-:"
