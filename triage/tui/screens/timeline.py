"""What happened when, on which rank, and how the server worked meanwhile."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from triage.model import Place
from triage.session.timeline import ERROR, FINDING, FIRST_FAILURE, Row
from triage.tui.desk import Desk
from triage.tui.log_file import LogFile
from triage.tui.sampling import Sampling
from triage.tui.screens.base import DeskScreen
from triage.tui.text import joined, own
from triage.tui.widgets.key_bar import KeyBar
from triage.tui.widgets.plot import axis, courses_of, plot
from triage.tui.widgets.status_bar import StatusBar

_FROM_LOG = (FINDING, FIRST_FAILURE, ERROR)
_TONES = {FIRST_FAILURE: "bold $text-error", ERROR: "$text-warning", FINDING: "bold"}
_WORDS = {FIRST_FAILURE: "FIRST"}
_WIDEST_RANK = 12
_TALL = 30
_AGAIN = 1.5
"""A file that grew by this is sampled again."""


class TimeLineScreen(DeskScreen):
    """Plots above, events below."""

    TITLE_WORD = "Time line"
    FIRST = "#rows"
    CSS = """
    TimeLineScreen #plots { height: auto; max-height: 60%; padding: 0 1; border-bottom: solid $panel; }
    TimeLineScreen.-low #plots { display: none; }
    TimeLineScreen #rows, TimeLineScreen #rows:focus { height: 1fr; border: none; padding: 0; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open log", key_display="enter", priority=True),
        Binding("j", "step(1)", "Down", show=False),
        Binding("k", "step(-1)", "Up", show=False),
        Binding("right_square_bracket", "file(1)", "Next file", key_display="]"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._places: list[Place] = []
        self._samplings: dict[str, Sampling] = {}
        self._file = self._rank_width = 0
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Status, plots, rows, keys."""
        yield StatusBar(self.desk, self.TITLE_WORD)
        yield Static(id="plots", markup=False)
        yield OptionList(id="rows", markup=False)
        yield KeyBar()

    def on_unmount(self) -> None:
        """Samplings end with the screen."""
        for sampling in self._samplings.values():
            sampling.close()

    def look(self) -> None:
        """Plots come when the log is sampled."""
        super().look()
        if self.is_mounted:
            self._draw_plots()

    def tell(self) -> None:
        """Draw the rows; the cursor stays in its row."""
        rows = self.desk.session.time_line if self.desk.session is not None else ()
        places = [row.place for row in rows]
        if places == self._places:
            return
        found = self.query_one("#rows", OptionList)
        kept = found.highlighted or 0
        self._rank_width = min(_WIDEST_RANK, max((len(row.rank) for row in rows), default=0))
        found.clear_options()
        found.add_options([Option(self._row(row)) for row in rows])
        self._places = places
        if rows:
            found.highlighted = min(kept, len(rows) - 1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There may be no other file."""
        return len(self.desk.files) > 1 if action == "file" else super().check_action(action, parameters)

    def action_step(self, step: int) -> None:
        """Down or up."""
        rows = self.query_one("#rows", OptionList)
        (rows.action_cursor_down if step > 0 else rows.action_cursor_up)()

    @on(OptionList.OptionSelected)
    async def _chosen(self) -> None:
        await self.action_open()

    async def action_open(self) -> None:
        """The log at the row's line."""
        at = self.query_one("#rows", OptionList).highlighted
        if at is not None and at < len(self._places):
            await self.house.open_log(self._places[at])

    def action_file(self, step: int) -> None:
        """Plots of another file."""
        self._file = (self._file + step) % max(1, len(self.desk.files))
        self._draw_plots()

    def _row(self, row: Row) -> Content:
        ink = self.desk.words
        what = own(f"{_WORDS.get(row.kind, row.kind):<8}", _TONES.get(row.kind, "$text-muted"))
        # Watchdogs print nanoseconds: rows are in order, and columns are easier to read.
        clock = row.time.rpartition(" ")[2].partition(".")[0]
        time = ink.data(f"{clock or f'line {row.place.line:,}':<8}")
        rank = ink.data(f"{row.rank:<{self._rank_width}}")
        name = joined(ink.data(row.id, "bold"), "  ") if row.id else ""
        text = ink.data(row.text, "$text-muted" if row.kind in _FROM_LOG else "")
        return joined(time, " ", rank, " ", what, " ", name, text)

    def _draw_plots(self) -> None:
        files = [*self.desk.files.values()]
        if not files or self.has_class("-low"):
            return
        file = files[self._file % len(files)]
        sampling = self._sampling(file)
        state = (file.label, sampling.found, self.size)
        if state == self._drawn:
            return
        self._drawn = state
        name = self.desk.outlet.show(file.label)
        self.query_one("#plots", Static).update(Content(self._plots(sampling, name)))

    def _plots(self, sampling: Sampling, name: str) -> str:
        width = max(20, self.size.width - 2)
        if sampling.found is None:
            return f"{name}: sampling"
        courses = courses_of(sampling.found)
        if not courses:
            return f"{name}: no line tells of a batch"
        courses, rows = (courses, 3) if self.size.height >= _TALL else (courses[:2], 2)
        lines = [name]
        for course in courses:
            lines += plot(course, width, rows)
        return "\n".join([*lines, axis(courses, width)])

    def _sampling(self, file: LogFile) -> Sampling:
        """That of the file; a new one when the file has become much longer."""
        known = self._samplings.get(file.label)
        stale = known is not None and known.found is not None and file.index.size > known.size * _AGAIN + 1
        if known is None or stale:
            known = self._samplings[file.label] = Sampling(file.index)
        return known
