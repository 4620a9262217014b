"""The last row of every screen: the keys that work there, as many as there is room for."""

from __future__ import annotations

from textual.binding import ActiveBinding
from textual.content import Content
from textual.events import Click
from textual.keys import key_to_character
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from triage.records import dataclass, replace
from triage.tui.text import own

_ALWAYS = ("back", "help")
"""Actions whose keys stay where there is little room: the way out, and the page that names all the others."""
_GAPS = (2, 1)


@dataclass(frozen=True, slots=True)
class _Key:
    """One key as it is shown. ``at``: its first cell."""

    name: str
    shown: str
    about: str
    is_enabled: bool
    is_needed: bool
    at: int = 0

    @property
    def width(self) -> int:
        return len(self.shown) + 1 + len(self.about)


class KeyBar(Widget):
    """One widget for all keys: Textual's own footer makes one for each, which costs as much as all the rest of a screen."""

    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: 1; color: $footer-foreground; background: $footer-background; text-wrap: nowrap; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._drawn: tuple[_Key, ...] = ()

    def on_mount(self) -> None:
        """Keys come and go with what can be done."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def render(self) -> Content:
        """The keys in the order of the screen's bindings."""
        self._drawn = self._keys()
        cells, parts = 0, list[Content]()
        for key in self._drawn:
            tone = "" if key.is_enabled else "dim "
            parts += [own(" " * (key.at - cells)), own(key.shown, f"{tone}bold $footer-key-foreground"), own(" ")]
            parts.append(own(key.about, f"{tone}$footer-description-foreground"))
            cells = key.at + key.width
        return Content("").join(parts)

    def on_click(self, event: Click) -> None:
        """A click is the key that it meets."""
        for key in self._drawn:
            if key.at <= event.x < key.at + key.width and key.is_enabled:
                self.app.simulate_key(key.name)

    def _changed(self, _screen: Screen[object]) -> None:
        if self.is_attached and self._keys() != self._drawn:
            self.refresh()

    def _keys(self) -> tuple[_Key, ...]:
        """Each action once, by its first key; what has no room is left out from the right."""
        found: dict[str, _Key] = {}
        is_typing = isinstance(self.screen.focused, Input)
        for item in self.screen.active_bindings.values():
            # Where somebody types, a letter is a letter.
            works = not is_typing or not (key_to_character(item.binding.key) or "\0").isprintable()
            is_shown = item.binding.show or (is_typing and item.binding.key == "escape")
            if works and is_shown and item.binding.action not in found:
                found[item.binding.action] = self._key(item)
        return _placed([*found.values()], self.size.width)

    def _key(self, item: ActiveBinding) -> _Key:
        shown = self.app.get_key_display(item.binding)
        needed = item.binding.action in _ALWAYS
        return _Key(item.binding.key, shown, item.binding.description, item.enabled, needed)


def _placed(keys: list[_Key], width: int) -> tuple[_Key, ...]:
    """The keys that fit into ``width`` cells, each with its place: gaps shrink before a key is left out."""
    keys = [*keys]
    while keys:
        for gap in _GAPS:
            if 1 + sum(key.width for key in keys) + gap * (len(keys) - 1) <= width:
                return tuple(_with_places(keys, gap))
        last = next((key for key in reversed(keys) if not key.is_needed), keys[0])
        keys.remove(last)
    return ()


def _with_places(keys: list[_Key], gap: int) -> list[_Key]:
    at, placed = 1, list[_Key]()
    for key in keys:
        placed.append(replace(key, at=at))
        at += key.width + gap
    return placed
