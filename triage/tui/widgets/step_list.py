"""The steps of a plan, one row each: what became of them, which one is asked about."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content
from textual.widgets import Static

from triage.playbook import PlanPreview, StepPreview
from triage.session.fix_again import OUTCOMES
from triage.session.fix_talk import Told
from triage.tui.text import Words, joined, own, stacked

_STATES = {"ready": "to do", "shown": "for you to do", "left-out": "left out", "unavailable": "not possible"}
_TONES = {"done": "$text-success", "failed": "bold $text-error", "undone": "$text-accent", "broken-off": "$text-error"}
_WIDTH = 14
_LEAST = 3


class StepList(Static):
    """As high as the steps, up to a third of the screen."""

    DEFAULT_CSS = """
    StepList { height: auto; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; border-bottom: solid $panel; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)

    def show(self, plan: PlanPreview, told: Mapping[str, Told], current: str, ink: Words) -> None:
        """``current``: the id of the step that is asked about or carried out; empty: none is."""
        rows = [_row(number, step, told.get(step.id), current, ink) for number, step in enumerate(plan.steps, 1)]
        at = next((number for number, step in enumerate(plan.steps) if step.id == current), 0)
        # A third of the screen, without the head and the line below.
        shown = _around(rows, at, max(_LEAST, self.screen.size.height // 3 - 2))
        self.update(stacked([joined(ink.data(plan.id, "bold"), "  ", ink.data(plan.title)), *shown]))


def _around(rows: list[Content], at: int, most: int) -> list[Content]:
    """As many rows as have room, with the one that counts among them; how many are not shown is said in the last."""
    if len(rows) <= most:
        return rows
    first = min(max(0, at - most // 2), len(rows) - most + 1)
    return [*rows[first : first + most - 1], own(f"   {len(rows) - most + 1} more; all are told below", "$text-muted")]


def _row(number: int, step: StepPreview, told: Told | None, current: str, ink: Words) -> Content:
    is_current = step.id == current
    if told is not None and not is_current:
        state, tone, text = OUTCOMES.get(told.outcome, told.outcome), _TONES.get(told.outcome, ""), told.text
    else:
        state, tone, text = "now" if is_current else _STATES.get(step.state, step.state), "", ""
    front = f"{'>' if is_current else ' '}{number:>2} "
    tail = joined(": ", ink.data(text)) if text else ""
    return joined(front, own(f"{state:<{_WIDTH}}", tone), ink.data(step.id, "bold"), "  ", ink.data(step.title), tail)
