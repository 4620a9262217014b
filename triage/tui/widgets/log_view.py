"""A log of any size on the screen: only the lines that are seen are ever read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from triage.model import Place
from triage.reading.line_index import Line
from triage.reporting.outlet import Outlet
from triage.tui.background import Background
from triage.tui.line_filter import Wanted
from triage.tui.log_file import LogFile
from triage.tui.marks import Mark
from triage.tui.widgets.log_paint import LinePainter
from triage.tui.widgets.log_reader import LogReader
from triage.tui.widgets.log_rows import RANK_WIDTH, Sheet, make_rows, rows_of, scroll_bar, text_width

_SIDESTEP = 20
_LEAST_NUMBER = 5
_NARROW = 70
"""Below this width the text needs the room that a column of ranks would take."""


class LogView(Widget, can_focus=True):
    """Lines with their numbers, ranks and evidence marks. `show` gives it a file, keys and its ``reader`` move it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log--number", "log--error", "log--warning", "log--evidence", "log--cursor", "log--hit", "log--track",
    }  # fmt: skip
    DEFAULT_CSS = """
    LogView { height: 1fr; }
    LogView .log--number, LogView .log--track { color: $text-muted; }
    LogView .log--error { color: $text-error; text-style: bold; }
    LogView .log--warning { color: $text-warning; }
    LogView .log--evidence { color: $text-accent; text-style: bold; }
    LogView .log--cursor { text-style: bold; }
    LogView:focus .log--cursor { background: $boost; text-style: bold; }
    LogView .log--hit { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("pagedown,space,ctrl+f", "page(1)", "Page down", show=False),
        Binding("pageup,b,ctrl+b", "page(-1)", "Page up", show=False),
        Binding("home,g", "first", "First line", show=False),
        Binding("end,G", "last", "Last line", show=False),
        Binding("right,greater_than_sign", "sideways(1)", "Right", show=False),
        Binding("left,less_than_sign", "sideways(-1)", "Left", show=False),
        Binding("e", "evidence(1)", "Evidence"),
        Binding("E", "evidence(-1)", "Previous evidence", show=False),
        Binding("n", "hit(1)", "Next hit", show=False),
        Binding("N", "hit(-1)", "Previous hit", show=False),
        Binding("w", "wrap", "Wrap"),
        Binding("F", "follow", "Follow"),
    ]

    class Moved(Message):
        """The cursor stands on another line, or there is more to tell in the status line."""

        def __init__(self, view: LogView) -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> LogView:
            """The view."""
            return self.view

    def __init__(self, outlet: Outlet, background: Background, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._painter, self._background = LinePainter(outlet), background
        self.reader: LogReader | None = None
        self.wrap = self._has_ranks = False
        self._left = 0
        self._rows: list[Strip] | None = None

    # What is shown ---------------------------------------------------------------------------------------------------

    @property
    def file(self) -> LogFile | None:
        """The file that is shown."""
        return self.reader.file if self.reader is not None else None

    def show(self, file: LogFile) -> None:
        """Look at this file, from its beginning."""
        if self.reader is not None:
            self.reader.close()
        self.reader = LogReader(file, self._background, self.size.height, self._rows_of)
        self._left = 0
        self._draw()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """The evidence of all files; that of this one is shown."""
        self._do(lambda reader: reader.set_marks(marks))

    def refresh_lines(self) -> None:
        """Look what came since the last time."""
        if self.reader is not None and (self.reader.look() or self._rows is None):
            self._draw()

    def filter(self, wanted: Wanted | None) -> None:
        """Show only these lines; None: all."""
        self._do(lambda reader: reader.show_only(wanted))

    def find(self, wanted: Wanted) -> None:
        """Search from the cursor on, and go to the next hit."""
        self._do(lambda reader: reader.find(wanted))

    def go_to(self, place: Place) -> None:
        """The line at a place of this file; shown also if a filter would hide it."""
        self._do(lambda reader: reader.go_to(place))

    def go_to_line(self, number: int) -> None:
        """A line by its number: at once if it was counted, else as soon as it is; the last one if there are fewer."""
        self._do(lambda reader: reader.go_to_line(number))

    def say(self, text: str) -> None:
        """Say something in the status line, until the cursor moves."""
        self._do(lambda reader: reader.say(text))

    # Keys ------------------------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        """Some lines on."""
        self._do(lambda reader: reader.step(step))

    def action_page(self, step: int) -> None:
        """A screen on."""
        self.action_move(step * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """The first line."""
        self._do(lambda reader: reader.go_to_first())

    def action_last(self) -> None:
        """The last line."""
        self._do(lambda reader: reader.go_to_last())

    def action_sideways(self, step: int) -> None:
        """Some columns on."""
        self._left = max(0, self._left + step * _SIDESTEP)
        self._draw()

    def action_evidence(self, step: int) -> None:
        """The next line that is evidence."""
        self._do(lambda reader: reader.go_to_evidence(step))

    def action_hit(self, step: int) -> None:
        """The next line that was searched for."""
        self._do(lambda reader: reader.go_to_hit(step))

    def action_wrap(self) -> None:
        """Long lines on several rows, or cut."""
        self.wrap, self._left = not self.wrap, 0
        self.on_resize()

    def action_follow(self) -> None:
        """Stay at the end while lines come; any movement ends it."""
        if self.reader is not None:
            follow = not self.reader.follow
            self.reader.go_to_last()
            self.reader.follow = follow
            self._draw()

    # Drawing ---------------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One row; all of them are made when the first one is asked for."""
        if self._rows is None:
            self._rows = self._make_rows(self.reader) if self.reader is not None else []
        return self._rows[y] if y < len(self._rows) else Strip.blank(self.size.width)

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._rows = None

    def on_resize(self) -> None:
        """There is more or less room: the cursor stays in sight."""
        if self.reader is not None:
            self.reader.window.height = self.size.height
            self.reader.window.settle()
        self._draw()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As much as there is."""
        return container.height

    def _do(self, act: Callable[[LogReader], object]) -> None:
        if self.reader is not None:
            act(self.reader)
            self._draw()

    def _draw(self) -> None:
        self._rows = None
        self.refresh()
        self.post_message(self.Moved(self))

    def _rows_of(self, line: Line) -> int:
        return rows_of(self._painter.show(line).cells, self._text_width(), self._most()) if self.wrap else 1

    def _text_width(self) -> int:
        return text_width(self.size.width, self._number_width(), self._rank_width())

    def _most(self) -> int:
        # A line of thousands of characters must not hide its neighbours.
        return max(2, self.size.height // 2) if self.wrap else 1

    def _number_width(self) -> int:
        return max(_LEAST_NUMBER, len(f"{self.reader.file.index.lines:,}") if self.reader is not None else 0)

    def _rank_width(self) -> int:
        return RANK_WIDTH if self._has_ranks and self.size.width >= _NARROW else 0

    def _make_rows(self, reader: LogReader) -> list[Strip]:
        lines = reader.window.visible()
        self._has_ranks = self._has_ranks or any(self._painter.show(line).rank for line in lines)
        names = self.COMPONENT_CLASSES
        sheet = Sheet(
            width=self.size.width,
            height=self.size.height,
            left=self._left,
            most=self._most(),
            number_width=self._number_width(),
            rank_width=self._rank_width(),
            cursor=reader.window.cursor,
            base=self.rich_style,
            styles={name.removeprefix("log--"): self.get_component_rich_style(name, partial=True) for name in names},
            pattern=reader.search.pattern if reader.search is not None else None,
        )
        index = reader.file.index
        rows = make_rows(lines, sheet, reader.marks.by_offset, index.number_of, self._painter)
        seen = (lines[0].offset, lines[-1].offset) if lines else (0, 0)
        return [
            Strip.join(pair) for pair in zip(rows, scroll_bar(sheet, seen, index.size, reader.marks.all), strict=True)
        ]
