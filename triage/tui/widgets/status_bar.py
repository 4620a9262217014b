"""The first row of every screen: which program, which screen, what is read and known."""

from __future__ import annotations

from textual.widgets import Static

from triage.tui.desk import Desk


class StatusBar(Static):
    """One row; ``title`` names the screen."""

    DEFAULT_CSS = """
    StatusBar { height: 1; background: $panel; color: $text; text-wrap: nowrap; text-overflow: ellipsis; padding: 0 1; }
    """

    def __init__(self, desk: Desk, title: str) -> None:
        super().__init__(markup=False)
        self._desk, self._title = desk, title
        self._told = ""

    def on_resize(self) -> None:
        """There is room for more, or less."""
        self.tell()

    def tell(self) -> None:
        """Draw what is known now, if that changed."""
        text = f"{self._title}  {self._desk.status(max(0, self.size.width - len(self._title) - 2))}"
        if text != self._told:
            self._told = text
            self.update(text, layout=False)
