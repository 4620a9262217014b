"""A log of any size on the screen: only the lines that are seen are ever read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
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
from triage.tui.line_filter import Hits, Wanted, text_pattern
from triage.tui.log_file import LogFile
from triage.tui.marks import Mark
from triage.tui.widgets.log_lines import LogLines
from triage.tui.widgets.log_paint import LinePainter
from triage.tui.widgets.log_rows import RANK_WIDTH, Sheet, make_rows, nearest_mark, rows_of, scroll_bar

_SIDESTEP = 20
_LEAST_NUMBER = 5
_NARROW = 70
"""Below this width the text needs the room that a column of ranks would take."""


class LogView(Widget, can_focus=True):
    """Lines with their numbers, ranks and evidence marks. Moves by keys; `show` gives it a file, `go_to` a place."""

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
        Binding("e", "evidence(1)", "Next evidence"),
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
        self.file: LogFile | None = None
        self._lines: LogLines | None = None
        self._marks: list[Mark] = []
        self._mark_offsets: list[int] = []
        self._top = self._cursor = self._left = 0
        self._rows: list[Strip] | None = None
        self._bottom = 0
        self.wrap = self.follow = False
        self._has_ranks = False
        self.search: Hits | None = None
        self._waits_for = self._said = ""
        self._line_wanted = 0

    # What is shown ---------------------------------------------------------------------------------------------------

    def show(self, file: LogFile) -> None:
        """Look at this file, from its beginning."""
        self._drop_searches()
        self.file, self._lines = file, LogLines(file.index)
        self._top = self._cursor = self._left = 0
        self._marks, self._mark_offsets = [], []
        self._background.carry_on(file.index)
        self._draw()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """The evidence of all files; those of this one are shown, and tell the numbers of their lines."""
        if self.file is None:
            return
        self._marks = [mark for mark in marks if mark.place.source == self.file.label]
        self._mark_offsets = [mark.place.offset for mark in self._marks]
        for mark in self._marks:
            self.file.index.learn(mark.place.line, mark.place.offset)
        self._draw()

    def refresh_lines(self) -> None:
        """Look what came since the last time: more of the file, more hits, more counted lines."""
        if self.file is None or self._lines is None:
            return
        grown = self.file.refresh()
        if grown:
            for job in (self.file.index, self._lines.hits, self.search):
                if job is not None:
                    self._background.carry_on(job)
            self._cursor = min(self._cursor, self.file.index.size)
        if self._line_wanted:
            self.go_to_line(self._line_wanted)
        if self._waits_for:
            self.action_hit(1 if self._waits_for == "next" else -1)
        if grown or self._background.is_busy or self._rows is None:
            if self.follow:
                self.action_last()
                self.follow = True
            self._draw()

    def filter(self, wanted: Wanted | None) -> None:
        """Show only these lines; None: all."""
        if self.file is None or self._lines is None:
            return
        if self._lines.hits is not None:
            self._background.drop(self._lines.hits)
        hits = Hits(self.file.index, wanted) if wanted is not None and str(wanted) else None
        if hits is not None:
            # What one slice finds is there at once; the rest comes in the background.
            hits.advance()
            self._background.carry_on(hits)
        self._lines = LogLines(self.file.index, hits)
        self._move_to(self._cursor)
        self._top = self._top_above(max(1, self.size.height // 2))
        self._draw()

    def find(self, wanted: Wanted, step: int = 1) -> None:
        """Search from the cursor on, and go to the next hit."""
        if self.file is None:
            return
        if self.search is not None:
            self._background.drop(self.search)
        self.search = Hits(self.file.index, wanted, self.file.index.start_of(self._cursor + 1))
        self._background.carry_on(self.search)
        self.action_hit(step)

    # Where it stands -------------------------------------------------------------------------------------------------

    @property
    def cursor_mark(self) -> Mark | None:
        """The evidence on the cursor's line."""
        at = bisect_left(self._mark_offsets, self._cursor)
        return self._marks[at] if at < len(self._marks) and self._mark_offsets[at] == self._cursor else None

    @property
    def cursor_line(self) -> int | None:
        """The number of the cursor's line; None where nothing was counted yet."""
        return self.file.index.number_of(self._cursor) if self.file is not None else None

    @property
    def wanted(self) -> Hits | None:
        """The filter."""
        return self._lines.hits if self._lines is not None else None

    @property
    def waiting(self) -> str:
        """What the view waits for or has to say, in words; empty if nothing."""
        if self._waits_for and self.search is not None:
            return f"searching {self.search.share:.0%}"
        index = self.file.index if self.file is not None else None
        if index is not None and not index.is_complete:
            going = f"going to line {self._line_wanted:,}, " if self._line_wanted else ""
            return f"{going}counting lines {index.counted / max(1, index.size):.0%}"
        return self._said

    def say(self, text: str) -> None:
        """Say something in the status line, until the cursor moves."""
        self._said = text
        self.post_message(self.Moved(self))

    def go_to(self, place: Place) -> None:
        """The line at a place of this file; shown also if a filter would hide it."""
        if self.file is None or self._lines is None:
            return
        if place.line:
            self.file.index.learn(place.line, place.offset)
        self._reveal(place.offset)

    def go_to_line(self, number: int) -> None:
        """A line by its number: at once if it was counted, else as soon as it is; the last one if there are fewer."""
        if self.file is None:
            return
        index = self.file.index
        self._line_wanted = 0
        offset = index.offset_of(max(1, number))
        if offset is not None:
            self._move_to(offset, middle=True)
        elif index.is_complete:
            self.action_last()
        else:
            self._line_wanted = number
            self._draw()

    # Keys ------------------------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        """Some lines on."""
        if self._lines is None:
            return
        if step > 0:
            lines = self._lines.after(self._cursor, step + 1)
            self._move_to(lines[-1].offset if lines else self._cursor)
        else:
            lines = self._lines.before(self._cursor, -step)
            self._move_to(lines[0].offset if lines else self._cursor)

    def action_page(self, step: int) -> None:
        """A screen on."""
        self.action_move(step * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """The first line."""
        self._move_to(0)

    def action_last(self) -> None:
        """The last line, also of a file that was not counted yet."""
        if self._lines is not None:
            self._move_to(self._lines.last() or 0)

    def action_sideways(self, step: int) -> None:
        """Some columns on."""
        self._left = max(0, self._left + step * _SIDESTEP)
        self._draw()

    def action_evidence(self, step: int) -> None:
        """The next line that is evidence; stays on the last one."""
        at = nearest_mark(self._mark_offsets, self._cursor, step)
        if at is not None:
            self.go_to(self._marks[at].place)

    def action_hit(self, step: int) -> None:
        """The next line that was searched for, as soon as it is known."""
        if self.search is None:
            return
        self._waits_for = ""
        found = self.search.next(self._cursor) if step > 0 else self.search.previous(self._cursor)
        known = self.search.knows_next(self._cursor) if step > 0 else self.search.is_complete
        if not known:
            self._waits_for = "next" if step > 0 else "previous"
        elif found is not None:
            self._reveal(found)
        else:
            self.say("no further hit" if len(self.search) else "not found")
        self._draw()

    def action_wrap(self) -> None:
        """Long lines on several rows, or cut."""
        self.wrap, self._left = not self.wrap, 0
        self._move_to(self._cursor)

    def action_follow(self) -> None:
        """Stay at the end while lines come; any movement ends it."""
        follow = not self.follow
        self.action_last()
        self.follow = follow
        self._draw()

    # Drawing ---------------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One row; all of them are made when the first one is asked for."""
        if self._rows is None:
            self._rows = self._make_rows()
        return self._rows[y] if y < len(self._rows) else Strip.blank(self.size.width)

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._rows = None

    def on_resize(self) -> None:
        """There is more or less room: the cursor stays in sight."""
        self._settle()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As much as there is."""
        return container.height

    def _move_to(self, offset: int, *, middle: bool = False) -> None:
        self.follow = False
        self._line_wanted, self._said = 0, ""
        self._cursor = offset
        self._settle(middle=middle)

    def _settle(self, *, middle: bool = False) -> None:
        """Bring the cursor's line into sight."""
        if self._lines is None or not self.size.height:
            return
        found = self._lines.nearest(self._cursor)
        self._cursor = found if found is not None else 0
        lowest = self._top_above(self.size.height)
        if self._cursor < self._top or lowest > self._top:
            near = self._cursor if self._cursor < self._top else lowest
            self._top = self._top_above(max(1, self.size.height // 2)) if middle else near
        self._draw()

    def _reveal(self, offset: int) -> None:
        """Go to a line, also where a filter would hide it."""
        if self._lines is not None and self._lines.hits is not None and offset != self._lines.nearest(offset):
            self.filter(None)
        self._move_to(offset, middle=True)

    def _top_above(self, height: int) -> int:
        """The lowest line from which the cursor's line fits into ``height`` rows."""
        assert self._lines is not None
        cursor = self._lines.after(self._cursor, 1)
        room = height - sum(self._rows_of(line) for line in cursor)
        top = self._cursor
        for line in reversed(self._lines.before(self._cursor, max(0, room))):
            room -= self._rows_of(line)
            if room < 0:
                break
            top = line.offset
        return top

    def _rows_of(self, line: Line) -> int:
        return rows_of(self._painter.show(line).cells, self._sheet()) if self.wrap else 1

    def _draw(self) -> None:
        self._rows = None
        self.refresh()
        self.post_message(self.Moved(self))

    def _drop_searches(self) -> None:
        for job in (self.file.index if self.file else None, self.search, self.wanted):
            if job is not None:
                self._background.drop(job)
        self.search, self._waits_for, self._line_wanted = None, "", 0

    def _sheet(self) -> Sheet:
        has_room = self._has_ranks and self.size.width >= _NARROW
        names = self.COMPONENT_CLASSES
        return Sheet(
            width=self.size.width,
            height=self.size.height,
            left=self._left,
            # A line of thousands of characters must not hide its neighbours.
            most=max(2, self.size.height // 2) if self.wrap else 1,
            number_width=max(_LEAST_NUMBER, len(f"{self.file.index.lines:,}") if self.file is not None else 0),
            rank_width=RANK_WIDTH if has_room else 0,
            cursor=self._cursor,
            base=self.rich_style,
            styles={name.removeprefix("log--"): self.get_component_rich_style(name, partial=True) for name in names},
            pattern=text_pattern(self.search.wanted.text)
            if self.search is not None and self.search.wanted.text
            else None,
        )

    def _make_rows(self) -> list[Strip]:
        if self._lines is None or self.file is None:
            return []
        height = self.size.height
        lines = self._lines.after(self._top, height)
        if len(lines) < height and not self.wrap:
            # At the end the screen stays full.
            lines = self._lines.before(self._top, height - len(lines)) + lines
            self._top = lines[0].offset if lines else 0
        self._bottom = lines[-1].offset if lines else self._top
        self._has_ranks = self._has_ranks or any(self._painter.show(line).rank for line in lines)
        sheet, index = self._sheet(), self.file.index
        marks = {mark.place.offset: mark for mark in self._marks}
        rows = make_rows(lines, sheet, marks, index.number_of, self._painter)
        bar = scroll_bar(sheet, (self._top, self._bottom), index.size, self._marks)
        return [Strip.join(pair) for pair in zip(rows, bar, strict=True)]
