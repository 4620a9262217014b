"""One line of a log as cells on the screen. Everything from the log passes the outlet, and nothing is read as markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from triage.reading.line_index import Line
from triage.records import dataclass
from triage.reporting.outlet import Outlet
from triage.reporting.words import size
from triage.safety.visible import decode
from triage.tui.line_filter import rank_of, tone_of

_REMEMBERED = 2048
_LANES = ("cyan", "magenta", "blue", "green", "yellow", "bright_black")
_LAST_NUMBER = re.compile(r"\d+(?!.*\d)")


@dataclass(frozen=True, slots=True)
class Shown:
    """A line fit to be drawn. ``tone`` is ``error``, ``warning`` or nothing."""

    text: str
    cells: int
    tone: str
    rank: str


@dataclass(frozen=True, slots=True)
class Gutter:
    """What stands before the text: ``cursor`` and ``mark`` one cell each, number and rank in columns of a fixed width."""

    cursor: str
    mark: str
    number: str
    rank: str
    rank_width: int

    def segments(self, styles: Mapping[str, Style], base: Style, shown: Shown) -> Iterator[Segment]:
        """The cells, two more than the columns."""
        yield Segment(self.cursor, base)
        yield Segment(self.mark, base + styles[_MARK_STYLES.get(self.mark, "evidence")] if self.mark != " " else base)
        yield Segment(f"{self.number} ", base + styles["number"])
        if self.rank_width:
            yield Segment(f"{self.rank[: self.rank_width]:<{self.rank_width}} ", base + lane_style(shown.rank))


_MARK_STYLES = {"F": "error", "E": "error", "W": "warning", "?": "number", "-": "number"}


def lane_style(rank: str) -> Style:
    """The colour of a rank: neighbours differ, and the name stands beside it."""
    number = _LAST_NUMBER.search(rank)
    return Style(color=_LANES[int(number[0]) % len(_LANES)]) if number and len(number[0]) < 7 else Style()


class LinePainter:
    """Makes lines fit to be drawn, and remembers the last ones."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._known: dict[Line, Shown] = {}

    def show(self, line: Line) -> Shown:
        """The line as it may be drawn; what was left out of a very long one is said at its end."""
        found = self._known.get(line)
        if found is None:
            text: str = self._outlet.show(decode(line.raw.rstrip(b"\r")))
            if line.is_cut:
                text += f" … ({size(line.end - line.offset)})"
            found = Shown(text, cell_len(text), tone_of(line.raw), self._outlet.show(rank_of(line.raw)))
            while len(self._known) >= _REMEMBERED:
                self._known.pop(next(iter(self._known)))
            self._known[line] = found
        return found


def text_strip(shown: Shown, base: Style, hit: Style, pattern: re.Pattern[bytes] | None) -> Strip:
    """The text alone; what was searched for stands out."""
    if pattern is None:
        return Strip([Segment(shown.text, base)], shown.cells)
    text = re.compile(decode(pattern.pattern), pattern.flags & re.IGNORECASE)
    segments: list[Segment] = []
    at = 0
    for found in text.finditer(shown.text):
        segments += [Segment(shown.text[at : found.start()], base), Segment(found[0], base + hit)]
        at = found.end()
    return Strip([*segments, Segment(shown.text[at:], base)], shown.cells)
