"""The whole log: filters, search, evidence, follow."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from triage.model import Place
from triage.reporting.words import count
from triage.tui.line_filter import Wanted
from triage.tui.screens.base import DeskScreen
from triage.tui.widgets.ask_box import AskBox
from triage.tui.widgets.key_bar import KeyBar
from triage.tui.widgets.log_view import LogView
from triage.tui.widgets.status_bar import StatusBar

_PROMPTS = {
    "search": "search for a text",
    "filter": "show only: rank:TP3 sev:error some text; nothing shows all",
    "line": "line number",
}


class LogScreen(DeskScreen):
    """One file at a time, as large as the screen."""

    TITLE_WORD = "Log"
    FIRST = "#log"
    CSS = """
    LogScreen #where { height: 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask('search')", "Search", key_display="/"),
        Binding("f", "ask('filter')", "Filter"),
        Binding("colon", "ask('line')", "Line", key_display=":"),
        Binding("right_square_bracket", "file(1)", "Next file", key_display="]", show=False),
        Binding("left_square_bracket", "file(-1)", "Previous file", key_display="[", show=False),
        Binding("escape", "leave", "Back", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Status, lines, where they are, and what is asked."""
        yield StatusBar(self.desk, self.TITLE_WORD)
        yield LogView(self.desk.outlet, self.desk.background, id="log")
        yield Static(id="where", markup=False)
        yield AskBox()
        yield KeyBar()

    @property
    def view(self) -> LogView:
        """The lines."""
        return self.query_one("#log", LogView)

    def tell(self) -> None:
        """New files, new evidence."""
        if self.view.file is None and self.desk.files:
            self.view.show(next(iter(self.desk.files.values())))
        self.view.set_marks(self.desk.marks)

    def open_at(self, place: Place) -> None:
        """Show the line at a place."""
        file = self.desk.file_of(place)
        if file is None:
            self.view.say("this place is not in a file that is open")
            return
        self._show_file_of(place.source)
        self.view.go_to(place)

    def action_ask(self, kind: str) -> None:
        """Ask for a text, a filter or a line number, in the last row."""
        hits = self.view.reader.filter if self.view.reader is not None else None
        self.query_one(AskBox).ask(
            kind, _PROMPTS[kind], str(hits.wanted) if kind == "filter" and hits is not None else ""
        )

    async def action_leave(self) -> None:
        """Stop asking; else stop filtering; else go back."""
        if self.query_one(AskBox).is_asking:
            self._stop_asking()
        elif self.view.reader is not None and self.view.reader.filter is not None:
            self.view.filter(None)
        else:
            await self.app.action_back()

    def action_file(self, step: int) -> None:
        """Another file."""
        labels = list(self.desk.files)
        if self.view.file is not None and len(labels) > 1:
            at = labels.index(self.view.file.label)
            self._show_file_of(labels[(at + step) % len(labels)])

    @on(AskBox.Submitted)
    def _answered(self, event: AskBox.Submitted) -> None:
        kind, text = self.query_one(AskBox).kind, event.value.strip()
        self._stop_asking()
        if kind == "filter":
            self.view.filter(Wanted.parse(text))
        elif kind == "search" and text:
            self.view.find(Wanted(text))
        elif kind == "line" and text.isdecimal() and text.isascii() and len(text) <= 15:
            self.view.go_to_line(int(text))
        elif kind == "line" and text:
            self.view.say("not a line number")

    @on(LogView.Moved)
    def _moved(self) -> None:
        self.query_one("#where", Static).update(Content(self._where()))

    def _stop_asking(self) -> None:
        self.query_one(AskBox).stop()
        self.set_focus(self.view)

    def _show_file_of(self, label: str) -> None:
        if self.view.file is not self.desk.files[label]:
            self.view.show(self.desk.files[label])
            self.view.set_marks(self.desk.marks)

    def _where(self) -> str:
        """The file, the line, the evidence on it, the filter, what is waited for; fit to be shown."""
        reader, show = self.view.reader, self.desk.outlet.show
        if reader is None:
            return ""
        file, number, mark, hits = reader.file, reader.line, reader.mark, reader.filter
        about = "" if file.index.is_complete else "about "
        parts = [
            show(self.desk.words.names.get(file.label, file.label)) if len(self.desk.files) > 1 else "",
            f"line {number:,} of {about}{file.index.lines:,}"
            if number is not None
            else f"of about {file.index.lines:,} lines",
            reader.waiting,
            show(mark.about) if mark is not None else "",
            f"only {show(str(hits.wanted))}: {count(len(hits), 'line')}" if hits is not None else "",
            f"{hits.share:.0%} searched" if hits is not None and not hits.is_complete else "",
            "following" if reader.follow else "",
            file.spool.note if file.spool is not None else "",
            *file.notes[-1:],
        ]
        return "   ".join(filter(None, parts))
