"""What is known of the server and the host, and what was looked at."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Footer, Static

from triage.model import Report
from triage.reporting import words
from triage.tui.screens.base import DeskScreen
from triage.tui.text import joined, own, stacked
from triage.tui.widgets.page_scroll import PageScroll
from triage.tui.widgets.status_bar import StatusBar


class HostScreen(DeskScreen):
    """Probes with their outcomes, then facts with their origins."""

    TITLE_WORD = "Host and facts"

    def compose(self) -> ComposeResult:
        """Status, one page, keys."""
        yield StatusBar(self.desk, self.TITLE_WORD)
        with PageScroll(id="page-scroll"):
            yield Static(id="facts", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Keys scroll the page."""
        self.query_one(VerticalScroll).focus()

    def tell(self) -> None:
        """Draw what is known now."""
        report = self.desk.report
        page = stacked([*self._lines(report)]) if report is not None else own("reading")
        self.query_one("#facts", Static).update(page)

    def _lines(self, report: Report) -> Iterator[Content]:
        ink = self.desk.words
        yield own("Probes", "bold")
        missing = [*words.not_checked(report)]
        done = [probe for probe in report.probes if probe not in missing]
        for probe in (*done, *missing):
            reason = joined(": ", ink.data(probe.reason)) if probe.reason else ""
            yield joined("  ", ink.data(f"{probe.outcome:<15}"), " ", ink.data(probe.name), reason)
        if not (done or missing):
            yield own("  none was asked for")
        yield own("")
        yield own("Facts", "bold")
        for fact in report.observation.facts:
            origin = ink.data(f"   {fact.origin}", "$text-muted")
            yield joined("  ", ink.data(f"{fact.name} = "), ink.value(fact.value, fact.name), origin)
        if not report.observation.facts:
            yield own("  none was read")
