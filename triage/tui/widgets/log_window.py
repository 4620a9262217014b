"""What part of a log is in sight, and where the cursor stands in it. Knows nothing of drawing."""

from __future__ import annotations

from collections.abc import Callable

from triage.reading.line_index import Line
from triage.tui.widgets.log_lines import LogLines


class LogWindow:
    """``top`` and ``cursor`` are the bytes at which the first line in sight and the cursor's line begin; ``height`` is in rows,
    of which a line takes ``rows_of``."""

    def __init__(self, lines: LogLines, height: int, rows_of: Callable[[Line], int]) -> None:
        self.lines, self.height = lines, height
        self.top = self.cursor = 0
        self._rows_of = rows_of

    def step(self, count: int) -> None:
        """The cursor so many lines down, or up if negative."""
        if count > 0:
            lines = self.lines.after(self.cursor, count + 1)[-1:]
        else:
            lines = self.lines.before(self.cursor, -count)[:1]
        self.move_to(lines[0].offset if lines else self.cursor)

    def move_to(self, offset: int, *, middle: bool = False) -> None:
        """The cursor to the line at ``offset``; ``middle``: if it was out of sight, it comes to the middle."""
        self.cursor = offset
        self.settle(middle=middle)

    def center(self) -> None:
        """The cursor's line to the middle."""
        self.settle()
        self.top = self._top_above(max(1, self.height // 2))

    def settle(self, *, middle: bool = False) -> None:
        """Bring the cursor to a line that is shown, and that line into sight."""
        if not self.height:
            return
        found = self.lines.nearest(self.cursor)
        self.cursor = found if found is not None else 0
        lowest = self._top_above(self.height)
        if self.cursor < self.top or lowest > self.top:
            near = self.cursor if self.cursor < self.top else lowest
            self.top = self._top_above(max(1, self.height // 2)) if middle else near

    def visible(self) -> list[Line]:
        """The lines in sight, as many as there are rows: near the end of the log the window is moved up to stay full."""
        lines = self.lines.after(self.top, self.height)
        missing = self.height - sum(self._rows_of(line) for line in lines)
        for line in reversed(self.lines.before(self.top, missing) if missing > 0 else []):
            missing -= self._rows_of(line)
            if missing < 0:
                break
            lines.insert(0, line)
        self.top = lines[0].offset if lines else 0
        return lines

    def _top_above(self, height: int) -> int:
        """The lowest line from which the cursor's line fits into ``height`` rows."""
        room = height - sum(self._rows_of(line) for line in self.lines.after(self.cursor, 1))
        top = self.cursor
        for line in reversed(self.lines.before(self.cursor, max(0, room))):
            room -= self._rows_of(line)
            if room < 0:
                break
            top = line.offset
        return top
