"""The first screen: what it is, how sure that is, which lines say so, what to do next."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import OptionList, Static

from triage.model import Diagnosis, Place
from triage.tui.desk import Desk
from triage.tui.marks import evidence_places
from triage.tui.screens.base import DeskScreen
from triage.tui.widgets.diagnosis_list import UNEXPLAINED, DiagnosisList
from triage.tui.widgets.key_bar import KeyBar
from triage.tui.widgets.ledger import diagnosis_page, overview_page, unexplained_page
from triage.tui.widgets.log_view import LogView
from triage.tui.widgets.status_bar import StatusBar


class TriageScreen(DeskScreen):
    """Causes left, the selected one right, its lines below."""

    TITLE_WORD = "Triage"
    FIRST = "#causes"
    CSS = """
    TriageScreen #causes, TriageScreen #causes:focus { width: 42%; height: 1fr; border-right: solid $panel; }
    TriageScreen #detail { width: 1fr; height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    TriageScreen #above { height: 2fr; }
    TriageScreen #context { height: 1fr; border-top: solid $panel; }
    TriageScreen.-low #context { display: none; }
    TriageScreen.-narrow #above { layout: vertical; }
    TriageScreen.-narrow #causes, TriageScreen.-narrow #causes:focus { width: 1fr; border-right: none; height: 2fr; }
    TriageScreen.-narrow #detail { height: 3fr; border-top: solid $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open log", show=False, priority=True),
        Binding("e", "evidence(1)", "Evidence"),
        Binding("f", "fix", "Fix"),
        Binding("h", "app.go('host')", "Host"),
        Binding("a", "app.go('questions')", "Answer"),
        Binding("s", "app.go('summary')", "Summary"),
        Binding("E", "evidence(-1)", "Previous evidence", show=False),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._places: list[Place] = []
        self._at = 0

    def compose(self) -> ComposeResult:
        """Status, causes and detail, log lines, keys."""
        yield StatusBar(self.desk, self.TITLE_WORD)
        with Horizontal(id="above"):
            yield DiagnosisList(id="causes", markup=False)
            with VerticalScroll(id="detail"):
                yield Static(id="page", markup=False)
        yield LogView(self.desk.outlet, self.desk.background, id="context")
        yield KeyBar()

    def tell(self) -> None:
        """Draw the ranking; what is selected stays selected."""
        view = self.query_one("#context", LogView)
        if view.file is None and self.desk.files:
            view.show(next(iter(self.desk.files.values())))
        view.set_marks(self.desk.marks)
        report = self.desk.report
        if report is not None:
            self.query_one(DiagnosisList).show(report, self.desk.words)
            self._show_selected()

    @property
    def selected(self) -> Diagnosis | None:
        """The diagnosis under the cursor."""
        report, name = self.desk.report, self.query_one(DiagnosisList).selected
        known = (*report.diagnoses, *report.recovered) if report is not None else ()
        return next((item for item in known if item.id == name), None)

    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        self._show_selected()

    @on(OptionList.OptionSelected)
    async def _chosen(self) -> None:
        await self.action_open()

    async def action_open(self) -> None:
        """The whole log, at the line that is shown below."""
        await self.house.open_log(self._places[self._at] if self._places else None)

    async def action_fix(self) -> None:
        """How the selected cause is put right."""
        if self.selected is None:
            self.notify("no cause is selected: there is nothing to put right", timeout=4)
        else:
            await self.house.show_fix(self.selected.id)

    def action_evidence(self, step: int) -> None:
        """The next line on which the selected cause rests."""
        if self._places:
            self._at = (self._at + step) % len(self._places)
            self._show_place()

    def _show_selected(self) -> None:
        session, diagnosis = self.desk.session, self.selected
        if session is None:
            return
        report = session.report
        if diagnosis is not None:
            page = diagnosis_page(diagnosis, session, self.desk.words)
            places = evidence_places(diagnosis)
        elif self.query_one(DiagnosisList).selected == UNEXPLAINED:
            page = unexplained_page(report, self.desk.words)
            places = [item.place for item in report.unexplained]
        else:
            page, places = overview_page(report, self.desk.words), []
        self.query_one("#page", Static).update(page)
        if places != self._places:
            self._places, self._at = places, 0
            self._show_place()

    def _show_place(self) -> None:
        place = self._places[self._at] if self._places else None
        file = self.desk.file_of(place) if place is not None else None
        if place is None or file is None:
            return
        view = self.query_one("#context", LogView)
        if view.file is not file:
            view.show(file)
            view.set_marks(self.desk.marks)
        view.go_to(place)
