"""Asked before the program ends while a step of a playbook is under way."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from triage.tui.text import own

_TEXT = """A step of the playbook is being carried out.

e    end it, then quit; what it did so far stays, and its journal is kept
esc  stay"""


class LeavingScreen(ModalScreen[bool]):
    """True: the step is to be ended, and the program with it."""

    CSS = """
    LeavingScreen { align: center middle; }
    LeavingScreen Vertical { width: 90%; max-width: 76; height: auto; border: round $error; background: $surface; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "dismiss(True)", "End and quit"),
        Binding("escape,q,n", "dismiss(False)", "Stay"),
    ]

    def compose(self) -> ComposeResult:
        """The question."""
        with Vertical():
            yield Static(own(_TEXT), markup=False)
