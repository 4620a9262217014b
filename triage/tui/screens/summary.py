"""What was found, done and proven, as it goes into a ticket; and writing it to files."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from triage.session.new_file import NewFileError, write_new
from triage.session.session import Session
from triage.session.session_file import SessionFileError, save_session
from triage.session.summary import summary_lines
from triage.tui.screens.base import DeskScreen
from triage.tui.text import own
from triage.tui.widgets.ask_box import AskBox
from triage.tui.widgets.key_bar import KeyBar
from triage.tui.widgets.page_scroll import PageScroll
from triage.tui.widgets.status_bar import StatusBar


class SummaryScreen(DeskScreen):
    """The summary in Markdown. ``w`` writes it, ``S`` saves the session; both ask for the name, and replace no file."""

    TITLE_WORD = "Summary"
    FIRST = "PageScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "ask('summary')", "Write summary"),
        Binding("S", "ask('session')", "Save session"),
        Binding("c", "copy", "Copy"),
        Binding("escape", "leave", "Back", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Status, page, name, keys."""
        yield StatusBar(self.desk, self.TITLE_WORD)
        with PageScroll():
            yield Static(id="text", markup=False)
        yield AskBox()
        yield KeyBar()

    def tell(self) -> None:
        """Draw the summary as it is now."""
        text = self._text()
        self.query_one("#text", Static).update(Content(text) if text else own("reading"))

    def action_ask(self, kind: str) -> None:
        """Ask for the name of the file."""
        if self.desk.session is None:
            return
        stamp = time.strftime("%Y%m%d-%H%M%S")
        name = f"triage-{stamp}.md" if kind == "summary" else f"triage-{stamp}.session.json"
        self.query_one(AskBox).ask(kind, "name of the file", name)

    async def action_leave(self) -> None:
        """Stop asking, or go back."""
        if self.query_one(AskBox).is_asking:
            self._stop_asking()
        else:
            await self.app.action_back()

    def action_copy(self) -> None:
        """To the clipboard of the terminal, where it lets us (OSC 52)."""
        self.app.copy_to_clipboard(self._text())
        self.notify("sent to the terminal's clipboard; some terminals refuse: then write it with w", timeout=4)

    @on(AskBox.Submitted)
    def _named(self, event: AskBox.Submitted) -> None:
        self._stop_asking()
        session, path = self.desk.session, Path(event.value).expanduser()
        if session is None or not event.value.strip():
            return
        try:
            if self.query_one(AskBox).kind == "session":
                self._save(session, path)
            else:
                write_new(path, self._text())
        except (SessionFileError, NewFileError) as wrong:
            self.notify(self.desk.outlet.show(str(wrong)), severity="error", markup=False)
        else:
            self.notify(f"written: {self.desk.outlet.show(str(path))}", markup=False)

    def _save(self, session: Session, path: Path) -> None:
        if session.is_frozen:
            raise NewFileError("it is saved already, and was not changed")
        if os.path.lexists(path):
            raise NewFileError(f"{path} is there already: name another file")
        save_session(session, path)
        if self.desk.terms is not None:
            self.desk.terms.keeper.holds(session)

    def _stop_asking(self) -> None:
        self.query_one(AskBox).stop()
        self.set_focus(self.query_one(PageScroll))

    def _text(self) -> str:
        session = self.desk.session
        return "\n".join(summary_lines(session, self.desk.outlet)) + "\n" if session is not None else ""
