"""What all screens have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.screen import Screen

from triage.tui.desk import Desk
from triage.tui.widgets.log_view import LogView
from triage.tui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from triage.tui.app import TriageApp


class DeskScreen(Screen[None]):
    """A screen over the desk. `tell` is called when the desk changed, and when the screen comes to the front."""

    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (76, "-wide")]  # noqa: RUF012  (declared so by Textual)
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-low"), (20, "-high")]  # noqa: RUF012
    TITLE_WORD: ClassVar[str] = ""
    FIRST: ClassVar[str] = ""
    """Selector of the widget to which keys go first."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._told = -1

    def on_mount(self) -> None:
        """Keys go where they are of most use, from the first one on."""
        # There is none where the program ends in the same breath.
        for widget in self.query(self.FIRST) if self.FIRST else ():
            self.set_focus(widget)
            break

    @property
    def house(self) -> TriageApp:
        """The application. A key that leads elsewhere waits for it, so that the next one meets the screen that it opened."""
        return cast("TriageApp", self.app)

    def on_screen_resume(self) -> None:
        """Show what changed while another screen was in front."""
        self.look()

    @property
    def is_drawn(self) -> bool:
        """Its widgets are there: they come after the screen, and go before it."""
        return self.is_mounted and bool(self.query(StatusBar))

    def look(self) -> None:
        """Draw again what changed, and let logs fetch their new lines."""
        bars = self.query(StatusBar)
        if not (self.is_mounted and bars):
            return
        # How far the reading came changes at every look, all else seldom.
        bars.first().tell()
        if self._told != self.desk.revision:
            self._told = self.desk.revision
            self.tell()
        for view in self.query(LogView):
            view.refresh_lines()

    def tell(self) -> None:
        """Draw what the desk holds now."""
        raise NotImplementedError
