"""A sheet of terminal text: colours of our own, a width to keep, and an ASCII fallback for our typography."""

from __future__ import annotations

from triage.cells import cells, cut
from triage.model import Place, Severity, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triage.reporting.outlet import Outlet
    from triage.reporting.view import View

_CODES = {"bold": "1", "dim": "2", "red": "1;31", "yellow": "33", "cyan": "36", "green": "32"}
_SEVERITY = {Severity.FATAL: "red", Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_ASCII = str.maketrans(
    {"…": "...", "–": "-", "‹": "<", "›": ">", "␡": "\\x7f"}
    | {chr(0x2400 + code): f"\\x{code:02x}" for code in range(32)}
)
# Log text is never cut shorter than this, however narrow the terminal: a line that wraps tells more than none.
_LEAST_CELLS = 16
_INDENT = 10
"""Cells before the text of a row: two, seven for the label, one."""


class Page:
    """Writes lines for a `View`. Everything with data in it comes through `show`."""

    def __init__(self, outlet: Outlet, view: View) -> None:
        self._outlet = outlet
        self._view = view

    def show(self, text: str) -> str:
        """Data, fit to be printed."""
        return self.own(self._outlet.show(text))

    def arguments(self, words: Sequence[str]) -> list[str]:
        """The words of a command, each fit to be printed, secrets hidden."""
        return [*self._outlet.arguments(words)]

    def command(self, words: tuple[str, ...]) -> str:
        """A command line that was read from a log."""
        return self.own(" ".join(self._outlet.arguments(words)))

    def value(self, value: Value, name: str) -> str:
        """A fact's value; hidden if its `name` promises a secret."""
        return self.own(str(self._outlet.value(value, name)))

    def own(self, text: str) -> str:
        """A phrase of ours (or shown data), in ASCII if the reader wants that."""
        if not self._view.ascii_only or text.isascii():
            return text
        return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")

    def paint(self, style: str, text: str) -> str:
        """`text` in a colour of ours, or as it is when colours are off."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self._view.color and text else text

    def severity(self, severity: Severity) -> str:
        """The word, in its colour: never the colour alone."""
        return self.paint(_SEVERITY[severity], severity.value)

    def row(self, label: str, head: str, log: str = "", tail: str = "") -> str:
        """``  label   head  log  tail``; only the log text is cut when the line is too long."""
        name = f"{label:<7} " if label else ""
        front = f"  {name}{head}"
        if log:
            room = self._room(front, tail)
            log = "  " + (log if room is None else cut(log, room, self.own("…")))
        return f"  {self.paint('dim', name)}{head}{log}{self.paint('dim', '  ' + tail if tail else '')}"

    def listing(self, label: str, items: Sequence[str]) -> Iterator[str]:
        """A row of several items; on a terminal each on a line of its own, so that a command can be taken as a whole."""
        if self._view.width is None:
            yield self.row(label, "   ".join(items))
            return
        yield self.row(label, items[0])
        yield from (" " * _INDENT + item for item in items[1:])

    def paragraph(self, label: str, text: str) -> Iterator[str]:
        """Like ``row``; on a terminal broken between words, each line below the first."""
        lines = [text] if self._view.width is None else _broken(text, max(2 * _LEAST_CELLS, self._view.width - _INDENT))
        yield self.row(label, lines[0])
        yield from (" " * _INDENT + line for line in lines[1:])

    def spread(self, left: str, right: str, painted: str) -> str:
        """`painted` (which reads like `left`) with `right` at the right edge, or three spaces on if there is no edge."""
        gap = 3
        if self._view.width is not None:
            gap = max(gap, self._view.width - cells(left) - cells(right))
        return f"{painted}{' ' * gap}{right}"

    def place(self, place: Place) -> str:
        """``server.log:12  2026-03-01 10:00:03  TP3``; on a terminal, where room is short, without the date."""
        time = self.show(place.time or "")
        if self._view.width is not None:
            time = time.rpartition(" ")[2]
        parts = (f"{self.show(place.source)}:{place.line}", time, self.show(place.rank or ""))
        return "  ".join(filter(None, parts))

    def _room(self, front: str, tail: str) -> int | None:
        """Cells left for log text between `front` and `tail`; None if nothing is to be cut."""
        if self._view.width is None:
            return None
        taken = cells(front) + 2 + (cells(tail) + 2 if tail else 0)
        return max(_LEAST_CELLS, self._view.width - taken)


def _broken(text: str, width: int) -> list[str]:
    """The text in lines of at most ``width`` cells; a word that is wider has one of its own."""
    lines = [""]
    for word in text.split(" "):
        line = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and cells(line) > width:
            lines.append(word)
        else:
            lines[-1] = line
    return lines
