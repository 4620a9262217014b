"""Every key that works on the screen from which help was asked for."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from triage.tui.text import own, stacked
from triage.tui.widgets.page_scroll import PageScroll

_NAMES = {
    "question_mark": "?", "slash": "/", "colon": ":", "left_square_bracket": "[", "right_square_bracket": "]",
    "greater_than_sign": ">", "less_than_sign": "<", "escape": "esc", "pagedown": "pgdn", "pageup": "pgup",
}  # fmt: skip
_EVERYWHERE = frozenset(("tab", "shift+tab", "ctrl+pageup", "ctrl+pagedown", "ctrl+q", "ctrl+c", "ctrl+p", "super+c"))
"""What Textual binds by itself and this page tells in its last lines, if it is of use."""


class HelpScreen(ModalScreen[None]):
    """Over the screen that asked; any of its own keys closes it. ``active``: the keys of that screen."""

    CSS = """
    HelpScreen { align: center middle; }
    HelpScreen #keys { width: 90%; max-width: 76; height: 90%; border: round $primary; background: $surface; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "dismiss", "Close")]

    def __init__(self, active: list[ActiveBinding]) -> None:
        super().__init__()
        self._active = active

    def compose(self) -> ComposeResult:
        """One page."""
        with PageScroll(id="keys"):
            yield Static(self._page(), markup=False)

    def on_mount(self) -> None:
        """Keys scroll the page."""
        self.set_focus(self.query_one(PageScroll))

    def _page(self) -> Content:
        """One line for each thing that can be done, with all of its keys."""
        keys: dict[str, list[str]] = {}
        # What the screen itself shows comes first: that is what one looks for.
        for item in sorted(self._active, key=lambda item: not item.binding.show):
            if item.binding.description and not item.binding.system and item.binding.key not in _EVERYWHERE:
                keys.setdefault(item.binding.description, []).append(_NAMES.get(item.binding.key, item.binding.key))
        lines = [own("Keys on this screen (esc closes)", "bold"), own("")]
        lines += [own(f"{', '.join(dict.fromkeys(found)):<22} {what}") for what, found in keys.items()]
        lines += [own(""), own("tab: next part of the screen; ctrl+p or :  commands; ctrl+q: quit")]
        lines += [own(""), own("In the gutter: > cursor, F fatal, E error, W warning, i info,")]
        lines += [own("- evidence against, ? error that nothing explains.")]
        return stacked(lines)
