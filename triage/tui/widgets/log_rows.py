"""The rows of a log view: gutter, text, and the bar at the right edge."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from triage.reading.line_index import Line
from triage.records import dataclass
from triage.tui.marks import Mark
from triage.tui.widgets.log_paint import Gutter, LinePainter, text_strip

RANK_WIDTH = 7
_FIXED = 4
"""Cells beside number, rank and text: cursor, mark, a gap and the bar."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """How lines are to be drawn. ``left``: cells of text that are scrolled out of sight; ``most``: rows of a wrapped line, 1
    where lines are cut; ``number_width`` and ``rank_width`` in cells, the latter 0 without a column of ranks."""

    width: int
    height: int
    left: int
    most: int
    number_width: int
    rank_width: int
    cursor: int
    base: Style
    styles: Mapping[str, Style]
    pattern: re.Pattern[bytes] | None

    @property
    def text_width(self) -> int:
        """Cells for the text."""
        return text_width(self.width, self.number_width, self.rank_width)


def text_width(width: int, number_width: int, rank_width: int) -> int:
    """Cells that columns leave for the text, at least 1."""
    return max(1, width - _FIXED - number_width - (rank_width + 1 if rank_width else 0))


def rows_of(cells: int, width: int, most: int) -> int:
    """Rows of ``width`` that a line of so many cells takes."""
    return min(most, max(1, -(-cells // width)))


def make_rows(
    lines: Sequence[Line],
    sheet: Sheet,
    marks: Mapping[int, Mark],
    number_of: Callable[[int], int | None],
    painter: LinePainter,
) -> list[Strip]:
    """As many rows as the sheet is high, without the bar. ``marks``: by the offset of the line."""
    rows: list[Strip] = []
    for line in lines:
        rows += _line(line, sheet, marks.get(line.offset), number_of(line.offset), painter)
    blank = Strip.blank(sheet.width - 1, sheet.base)
    return [*rows[: sheet.height], *[blank] * (sheet.height - len(rows))]


def scroll_bar(sheet: Sheet, seen: tuple[int, int], size: int, marks: Sequence[Mark]) -> list[Strip]:
    """The right edge: which bytes of the file are seen, and where evidence stands."""
    height, size = sheet.height, max(1, size)
    first, last = (offset * height // size for offset in seen)
    letters: dict[int, str] = {}
    for mark in marks:
        letters.setdefault(min(height - 1, mark.place.offset * height // size), mark.letter)
    return [
        Strip(
            [
                Segment(
                    letters.get(y) or ("█" if first <= y <= last else "│"),
                    sheet.base + sheet.styles["evidence" if y in letters else "track"],
                )
            ],
            1,
        )
        for y in range(height)
    ]


def _line(line: Line, sheet: Sheet, mark: Mark | None, number: int | None, painter: LinePainter) -> list[Strip]:
    shown = painter.show(line)
    is_cursor = line.offset == sheet.cursor
    row_style = sheet.base + sheet.styles["cursor"] if is_cursor else sheet.base
    gutter = Gutter(
        ">" if is_cursor else " ",
        mark.letter if mark is not None else " ",
        f"{'·' if number is None else f'{number:,}':>{sheet.number_width}}",
        shown.rank,
        sheet.rank_width,
    )
    text = text_strip(shown, row_style + sheet.styles.get(shown.tone, Style()), sheet.styles["hit"], sheet.pattern)
    room = sheet.text_width
    front = Strip(gutter.segments(sheet.styles, row_style, shown))
    if sheet.most == 1:
        return [Strip.join([front, text.crop_extend(sheet.left, sheet.left + room, row_style)])]
    empty = Strip.blank(front.cell_length, row_style)
    return [
        Strip.join([empty if piece else front, text.crop_extend(piece * room, (piece + 1) * room, row_style)])
        for piece in range(rows_of(shown.cells, room, sheet.most))
    ]
