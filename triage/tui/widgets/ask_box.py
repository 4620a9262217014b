"""One row in which something is asked for: a text to search, a line, a file name."""

from __future__ import annotations

from textual.widgets import Input


class AskBox(Input):
    """Hidden until something is asked; ``kind`` says what."""

    DEFAULT_CSS = """
    AskBox, AskBox:focus { height: 1; border: none; padding: 0 1; display: none; }
    """

    def __init__(self) -> None:
        super().__init__(select_on_focus=False)
        self.kind = ""

    @property
    def is_asking(self) -> bool:
        """An answer is awaited."""
        return bool(self.display)

    def ask(self, kind: str, placeholder: str, value: str = "") -> None:
        """Take the keys from now on: also those that were typed ahead, so nothing here may be put off until later."""
        self.kind, self.placeholder, self.value = kind, placeholder, value
        self.cursor_position = len(value)
        self.display = True
        self.screen.set_focus(self)

    def stop(self) -> None:
        """Hide again."""
        self.display = False
