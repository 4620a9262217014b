"""What all screens have in common."""

from __future__ import annotations

from typing import ClassVar

from textual.events import Key
from textual.message import Message
from textual.screen import Screen

from triage.model import Place
from triage.tui.desk import Desk
from triage.tui.widgets.ask_box import AskBox
from triage.tui.widgets.log_view import LogView
from triage.tui.widgets.status_bar import StatusBar


class OpenLog(Message):
    """Somebody wants to see the log: at ``place``, or where it stood."""

    def __init__(self, place: Place | None) -> None:
        super().__init__()
        self.place = place


class DeskScreen(Screen[None]):
    """A screen over the desk. `tell` is called when the desk changed, and when the screen comes to the front."""

    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (76, "-wide")]  # noqa: RUF012  (declared so by Textual)
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-low"), (20, "-high")]  # noqa: RUF012
    TITLE_WORD: ClassVar[str] = ""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._told = -1

    def on_screen_resume(self) -> None:
        """Show what changed while another screen was in front."""
        self.look()

    def on_key(self, event: Key) -> None:
        """Keys that were typed ahead were sent to whoever had the focus then: they belong to what is asked now."""
        for box in self.query(AskBox):
            if box.is_asking and event.is_printable and event.character:
                box.insert_text_at_cursor(event.character)
                event.stop()
                event.prevent_default()

    def look(self) -> None:
        """Draw again what changed, and let logs fetch their new lines."""
        if not self.is_mounted:
            return
        if self._told != self.desk.revision:
            self._told = self.desk.revision
            self.query_one(StatusBar).tell()
            self.tell()
        for view in self.query(LogView):
            view.refresh_lines()

    def tell(self) -> None:
        """Draw what the desk holds now."""
        raise NotImplementedError
