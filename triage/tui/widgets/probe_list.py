"""The probes: how each ended, or that it was not run; those that diagnoses wait for first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from triage.model import ProbeResult
from triage.probing.probe import Probe
from triage.tui.text import Words, joined, own

_WIDTH = 15


class ProbeList(OptionList):
    """Options are named by the probe; the cursor stays on its probe while rows change."""

    DEFAULT_CSS = """
    ProbeList, ProbeList:focus { height: 1fr; border: none; padding: 0; text-wrap: nowrap; text-overflow: ellipsis; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.ask_one", "Ask", key_display="enter"),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("g", "first", "First", show=False),
        Binding("G", "last", "Last", show=False),
    ]

    @property
    def selected(self) -> str | None:
        """The name under the cursor."""
        if self.highlighted is None or self.highlighted >= self.option_count:
            return None
        return self.get_option_at_index(self.highlighted).id

    def show(
        self,
        probes: Sequence[Probe],
        wanted: Collection[str],
        results: Mapping[str, ProbeResult],
        busy: Collection[str],
        ink: Words,
    ) -> None:
        """``wanted``: names that diagnoses wait for; ``busy``: those that are at work now."""
        kept = self.selected
        order = sorted(probes, key=lambda probe: (probe.name not in results, probe.name not in wanted))
        self.clear_options()
        self.add_options(
            [Option(_row(item, item.name in wanted, results.get(item.name), item.name in busy, ink), id=item.name) for item in order]
        )  # fmt: skip
        names = [item.name for item in order]
        if names:
            self.highlighted = names.index(kept) if kept in names else 0


def _row(probe: Probe, is_wanted: bool, result: ProbeResult | None, is_busy: bool, ink: Words) -> Content:
    outcome = "asking" if is_busy else result.outcome if result is not None else "not-run"
    tone = "$text-success" if outcome == "ok" else "$text-muted" if outcome == "not-run" else ""
    reason = joined(": ", ink.data(result.reason)) if result is not None and result.reason else ""
    mark = "* " if is_wanted else "  "
    return joined(mark, own(f"{ink.outlet.show(outcome):<{_WIDTH}} ", tone), ink.data(probe.name, "bold"), "  ", ink.data(probe.title), reason)  # fmt: skip
