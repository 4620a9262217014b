"""A plan as people approve it: every value with where it comes from, every step with its exact command."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from triage.reporting.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triage.playbook import PlanPreview, ShownValue, StepPreview
    from triage.reporting.outlet import Outlet
    from triage.reporting.view import View

_RISK = {
    "read": "only reads",
    "reversible": "can be undone",
    "disruptive": "interrupts the server",
    "destructive": "cannot be undone",
}
_COLOUR = {"read": "green", "reversible": "cyan", "disruptive": "yellow", "destructive": "red"}
_NEEDS = {"root": "root", "gpu-idle": "an idle GPU", "restart": "a new start of the server to take effect"}


def plan_lines(plan: PlanPreview, outlet: Outlet, view: View, *, asking: bool = False) -> Iterator[str]:
    """The whole plan; ``asking``: the operator will be asked step by step, and needs no words that approve one."""
    page = Page(outlet, view)
    yield page.paint("bold", page.show(plan.id)) + "  " + page.show(plan.title)
    if plan.diagnosis:
        yield f"  for     {page.show(plan.diagnosis)}"
    for value in plan.values:
        yield from _value(value, page)
    for note in plan.notes:
        yield f"  note    {page.show(note)}"
    for number, step in enumerate(plan.steps, start=1):
        yield ""
        yield from step_lines(step, number, page, asking=asking)
    yield ""
    for check in plan.after:
        yield f"  after   {page.show(check)}"
    if plan.watch_for:
        yield f"  watch   {page.show(plan.watch_for)}"
    for reference in plan.references:
        yield f"  see     {page.show(reference)}"


def _value(value: ShownValue, page: Page) -> Iterator[str]:
    if value.problem:
        yield f"  value   {page.show(value.name)}: {page.show(value.problem)}"
        return
    origin = f"  ({page.show(value.origin)})" if value.origin else ""
    yield f"  value   {page.show(value.name)} = {page.value(value.text, value.name)}{origin}"
    for line in value.sum:
        yield f"            {page.show(line)}"


def step_lines(step: StepPreview, number: int, page: Page, *, asking: bool = False) -> Iterator[str]:
    """One step, as it is shown before the operator is asked; ``asking``: the question follows at once."""
    risk = page.paint(_COLOUR[step.risk.value], _RISK[step.risk.value])
    tail = f"   {step.kind.value}, {risk}" if step.state == "ready" else f"   {step.kind.value}"
    yield f"{number}. {page.paint('bold', page.show(step.id))}  {page.show(step.title)}{tail}"
    if step.state != "ready" and step.reason:
        yield _row("state", page.paint("yellow", page.show(step.reason)), page)
    if step.state == "left-out":
        return
    yield _row("why", page.show(step.why), page)
    for line in step.text.splitlines():
        yield _row("do", page.show(line), page)
    for words in step.commands:
        yield _row("type", shell_text(words, page), page)
    yield from _action(step, page)
    for label, text in (("done if", step.already_done), ("verify", step.verify), ("undo", step.undo)):
        if text:
            yield _row(label, page.show(text), page)
    for note in step.notes:
        yield _row("note", page.show(note), page)
    if step.needs:
        yield _row("needs", ", ".join(_NEEDS[item] for item in step.needs), page)
    if step.state == "ready" and step.digest and not asking:
        yield _row("approve", f"--yes-to {page.show(step.id)}@{step.digest}", page)


def _action(step: StepPreview, page: Page) -> Iterator[str]:
    if step.command:
        yield _row("run", shell_text(step.command, page), page)
        where = "  ".join(filter(None, (f"in {page.show(step.cwd)}" if step.cwd else "", f"as {page.show(step.user)}")))
        added = "  ".join(f"{page.show(name)}={page.value(value, name)}" for name, value in step.env)
        limit = f"in the background, output to {page.show(step.log)}" if step.log else f"at most {step.timeout_s:g} s"
        yield _row("", "  ".join(filter(None, (where, added, limit))), page)
    if step.preview:
        yield _row("try", shell_text(step.preview, page) + "  (changes nothing)", page)
    for line in step.diff:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        yield f"      {page.paint(colour, page.show(line)) if colour else page.show(line)}"


def shell_text(words: Sequence[str], page: Page) -> str:
    """A command with each argument quoted as a shell would need it, so that it can be copied; secrets are hidden."""
    return page.own(" ".join(shlex.quote(word) for word in page.arguments(words)))


def _row(label: str, text: str, page: Page) -> str:
    return f"   {page.paint('dim', f'{label:<8}')} {text}"
