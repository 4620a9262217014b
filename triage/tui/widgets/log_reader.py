"""Reading one log: where the cursor stands, what is looked for, what is left out. Knows nothing of drawing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from triage.model import Place
from triage.reading.line_index import Line
from triage.tui.background import Background
from triage.tui.line_filter import Hits, Wanted
from triage.tui.log_file import LogFile
from triage.tui.marks import Mark
from triage.tui.widgets.log_lines import LogLines
from triage.tui.widgets.log_marks import LogMarks
from triage.tui.widgets.log_search import LogSearch
from triage.tui.widgets.log_window import LogWindow


class LogReader:
    """From the first line on. ``height`` in rows, of which a line takes ``rows_of``; what takes long is done in ``background``.

    ``follow``: `look` stays at the end while lines come; any movement ends it. ``search``: the last one.
    """

    def __init__(self, file: LogFile, background: Background, height: int, rows_of: Callable[[Line], int]) -> None:
        self.file = file
        self.window = LogWindow(LogLines(file.index), height, rows_of)
        self.marks = LogMarks()
        self.search: LogSearch | None = None
        self.follow = False
        self._background = background
        self._line_wanted, self._said = 0, ""
        self._seen: tuple[object, ...] = ()
        background.carry_on(file.index, later=True)

    def close(self) -> None:
        """Nobody waits for what was begun here."""
        for job in self._jobs():
            self._background.drop(job)

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """The evidence of all files; that of this one tells the numbers of its lines."""
        self.marks = LogMarks(mark for mark in marks if mark.place.source == self.file.label)
        for mark in self.marks.all:
            self.file.index.learn(mark.place.line, mark.place.offset)

    def look(self) -> bool:
        """Look what came since the last time: more of the file, more hits, more counted lines. True if any may have."""
        grown = self.file.refresh()
        if grown:
            self._background.carry_on(self.file.index, later=True)
            for hits in self._jobs():
                self._background.carry_on(hits)
            self.window.cursor = min(self.window.cursor, self.file.index.size)
        waits = bool(self._line_wanted or (self.search is not None and self.search.awaited))
        if self._line_wanted:
            self.go_to_line(self._line_wanted)
        if self.search is not None and self.search.awaited:
            self.go_to_hit(self.search.awaited)
        if grown and self.follow:
            self.window.move_to(self.window.lines.last() or 0)
        before, self._seen = self._seen, (self.file.index.counted, self.waiting, *(hits.share for hits in self._jobs()))
        return grown or waits or self._seen != before

    # Where it stands -------------------------------------------------------------------------------------------------

    @property
    def mark(self) -> Mark | None:
        """The evidence on the cursor's line."""
        return self.marks.by_offset.get(self.window.cursor)

    @property
    def line(self) -> int | None:
        """The number of the cursor's line; None where nothing was counted yet."""
        return self.file.index.number_of(self.window.cursor)

    @property
    def filter(self) -> Hits | None:
        """The only lines that are shown; None: all are."""
        return self.window.lines.hits

    @property
    def waiting(self) -> str:
        """What is waited for, or is to be said, in words; empty if nothing."""
        if self.search is not None and self.search.awaited:
            return f"searching {self.search.hits.share:.0%}"
        if self._line_wanted:
            index = self.file.index
            return f"going to line {self._line_wanted:,}, {index.counted / max(1, index.size):.0%} counted"
        return self._said

    def say(self, text: str) -> None:
        """Something to be said until the cursor moves."""
        self._said = text

    # Moving ----------------------------------------------------------------------------------------------------------

    def step(self, count: int) -> None:
        """The cursor so many lines down, or up."""
        self._stop_waiting()
        self.window.step(count)

    def go_to_first(self) -> None:
        """The first line."""
        self._stop_waiting()
        self.window.move_to(0)

    def go_to_last(self) -> None:
        """The last line, also of a file that was not counted yet."""
        self._stop_waiting()
        self.window.move_to(self.window.lines.last() or 0)

    def go_to(self, place: Place) -> None:
        """The line at a place of this file; shown also if a filter would hide it."""
        if place.line:
            self.file.index.learn(place.line, place.offset)
        self._reveal(place.offset)

    def go_to_line(self, number: int) -> None:
        """A line by its number: at once if it was counted, else as soon as it is; the last one if there are fewer."""
        index = self.file.index
        offset = index.offset_of(max(1, number))
        if offset is not None:
            self._reveal(offset)
        elif index.is_complete:
            self.go_to_last()
        else:
            self._line_wanted = number
            self._background.carry_on(index)

    def go_to_evidence(self, step: int) -> None:
        """The next (1) or previous (-1) line that is evidence; stays on the last one."""
        mark = self.marks.beside(self.window.cursor, step)
        if mark is not None:
            self._reveal(mark.place.offset)

    def go_to_hit(self, step: int) -> None:
        """The next (1) or previous (-1) line that was searched for, as soon as it is known."""
        if self.search is None:
            return
        if not (self.search.hits.is_complete or self.search.hits.reaches(self.window.cursor)):
            # Somebody went far away: what is near is wanted first.
            self._search(self.search.hits.wanted)
        found = self.search.step(self.window.cursor, step)
        if found is not None:
            self._reveal(found)
        elif not self.search.awaited:
            self._said = self.search.refusal

    # Looking for -----------------------------------------------------------------------------------------------------

    def find(self, wanted: Wanted) -> None:
        """Search from the cursor on, and go to the next hit."""
        self._search(wanted)
        self.go_to_hit(1)

    def show_only(self, wanted: Wanted | None) -> None:
        """Show only these lines; None: all."""
        if self.filter is not None:
            self._background.drop(self.filter)
        hits = Hits(self.file.index, wanted) if wanted is not None and str(wanted) else None
        if hits is not None:
            # What one slice finds is there at once; the rest comes in the background.
            hits.advance()
            self._background.carry_on(hits)
        self._stop_waiting()
        self.window.lines = LogLines(self.file.index, hits)
        self.window.center()

    def _reveal(self, offset: int) -> None:
        self._stop_waiting()
        if self.filter is not None and offset != self.window.lines.nearest(offset):
            self.show_only(None)
        self.window.move_to(offset, middle=True)

    def _search(self, wanted: Wanted) -> None:
        """Begin to search around the cursor."""
        if self.search is not None:
            self._background.drop(self.search.hits)
        self.search = LogSearch(Hits(self.file.index, wanted, self.window.cursor))
        self._background.carry_on(self.search.hits)

    def _stop_waiting(self) -> None:
        self.follow, self._line_wanted, self._said = False, 0, ""
        if self.search is not None:
            self.search.awaited = 0

    def _jobs(self) -> list[Hits]:
        hits = (self.filter, self.search.hits if self.search is not None else None)
        return [item for item in hits if item is not None]
