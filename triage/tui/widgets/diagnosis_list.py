"""The ranked causes: roots with what they explain beneath them, what recovered, and what nothing explains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from triage.model import Diagnosis, Report
from triage.reporting.words import count, percent, unexplained_total
from triage.tui.marks import LETTERS
from triage.tui.text import Words, bar, joined, own, stacked

UNEXPLAINED = "?"
_BAR_WIDTH = 5
_TONES = {"F": "bold $text-error", "E": "$text-error", "W": "$text-warning", "i": "$text-accent"}


class DiagnosisList(OptionList):
    """Options are named by the id of the diagnosis, and `UNEXPLAINED`. What is selected stays selected while ranks change."""

    DEFAULT_CSS = """
    DiagnosisList, DiagnosisList:focus { text-wrap: nowrap; text-overflow: ellipsis; border: none; padding: 0; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("g", "first", "First", show=False),
        Binding("G", "last", "Last", show=False),
    ]

    @property
    def selected(self) -> str | None:
        """The id under the cursor; None in an empty list."""
        if self.highlighted is None or self.highlighted >= self.option_count:
            return None
        return self.get_option_at_index(self.highlighted).id

    def show(self, report: Report, ink: Words) -> None:
        """Show this report; the cursor stays on the cause on which it stood."""
        kept = self.selected
        options = [*_options(report, ink)]
        self.clear_options()
        self.add_options(options)
        names = [option.id for option in options]
        if options:
            self.highlighted = names.index(kept) if kept in names else 0


def _options(report: Report, ink: Words) -> Iterator[Option]:
    for diagnosis in report.diagnoses:
        yield Option(_cause(diagnosis, ink), id=diagnosis.id)
    for diagnosis in report.recovered:
        yield Option(joined("ok        ", ink.data(diagnosis.id), " recovered"), id=diagnosis.id)
    total = unexplained_total(report)
    if total:
        yield Option(own(f"?         {count(total, 'unexplained error')}"), id=UNEXPLAINED)


def _cause(diagnosis: Diagnosis, ink: Words) -> Content:
    letter = LETTERS[diagnosis.severity]
    share = own(f"{letter} {bar(diagnosis.confidence, _BAR_WIDTH)}{percent(diagnosis.confidence):>4} ", _TONES[letter])
    lines = [joined(share, ink.data(diagnosis.id, "bold")), joined("  ", ink.data(diagnosis.title))]
    if diagnosis.explains:
        names = ink.data(", ".join(diagnosis.explains), "$text-muted")
        lines.append(joined("  └ so: ", names))
    return stacked(lines)
