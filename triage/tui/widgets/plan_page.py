"""Plans, steps and verdicts in full: the same words as on paper, with colours for what changes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from textual.content import Content

from triage.playbook import PlanPreview, Risk, StepKind, StepPreview
from triage.reporting.outlet import Outlet
from triage.reporting.page import Page
from triage.reporting.plan_text import plan_lines, step_lines
from triage.reporting.view import View
from triage.session.fix_again import OUTCOMES, undo_in_words
from triage.session.fix_talk import Finished, Question
from triage.session.fix_text import verdict_lines
from triage.tui.text import own, stacked

_HEAD = re.compile(r"\d+\. ")
_DIFF = {"+": "$text-success", "-": "$text-error", "@": "$text-accent"}
_DIFF_AT = 6
_VIEW = View(color=False)


def plan_page(plan: PlanPreview, outlet: Outlet) -> list[Content]:
    """The whole plan: values with their origins, every step, the checks that decide."""
    return [*_painted(plan_lines(plan, outlet, _VIEW, asking=True))]


def question_page(question: Question, outlet: Outlet) -> Content:
    """What the operator is asked to agree to, exactly."""
    page = Page(outlet, _VIEW)
    if question.undo is not None:
        item = question.undo
        rows = [f"take back {page.show(item.step)}", f"   was      {page.show(item.told)}"]
        return stacked([*_painted([*rows, f"   run      {page.show(undo_in_words(item))}"])])
    assert question.step is not None
    lines = [*step_lines(question.step, question.number, page, asking=True), *_where(question.step, page)]
    if question.is_unfinished:
        lines += ["", "This step was begun in an earlier run, and its end was not noted. See what it did first."]
    return stacked([*_painted(lines)])


def finished_page(done: Finished, diagnosis: str, outlet: Outlet) -> list[Content]:
    """What a run came to."""
    page = Page(outlet, _VIEW)
    if done.run is None:
        rows = [f"{OUTCOMES.get(outcome, outcome)}  {page.show(step)}" for step, outcome in done.undone]
        return [own("Taken back", "bold"), *_painted(rows or ["nothing was taken back"]), own("")]
    if done.run.found is None:
        return [own(done.run.verdict, "bold"), own("")]
    lines = [*verdict_lines(done.run.found, done.run.left, page)]
    lines += [f"  diagnosis {page.show(diagnosis)}: {done.again}"] if done.again else []
    return [own(lines[0], "bold"), *map(own, lines[1:]), own("")]


def command_text(step: StepPreview, outlet: Outlet) -> str:
    """The command of a step as one types it; secrets are hidden."""
    from triage.reporting.plan_text import shell_text

    return shell_text(step.command, Page(outlet, _VIEW)) if step.command else ""


def question_words(question: Question, steps: int) -> tuple[str, dict[str, str], str]:
    """The question, its keys, and the word that has to be typed instead of ``y``."""
    step = question.step
    if step is None:
        return "Take this back?", {"y": "take it back", "n": "leave it", "x": "leave the rest"}, ""
    if question.is_unfinished:
        return "Do this again?", {"y": "repeat it", "d": "it was done", "x": "end here"}, _word(step)
    text = f"Step {question.number} of {steps}: do this?"
    return text, {"y": "do it", "n": "leave it out", "x": "end here"}, _word(step)


def _word(step: StepPreview) -> str:
    """What is typed before something that others notice, or that nothing brings back."""
    if step.risk is Risk.DESTRUCTIVE:
        return "PERMANENT"
    if step.kind is StepKind.RESTART:
        return "RESTART"
    return "INTERRUPT" if step.risk is Risk.DISRUPTIVE else ""


def _where(step: StepPreview, page: Page) -> list[str]:
    """The folder, where the playbook names none; the digest that the answer is bound to."""
    folder = [f"   folder   {page.show(step.cwd or '/')}"] if step.command else []
    return [*folder, f"   digest   {step.digest}"] if step.digest else folder


def _painted(lines: Iterable[str]) -> Iterable[Content]:
    for line in lines:
        if _HEAD.match(line):
            yield own(line, "bold")
        elif line.startswith(" " * _DIFF_AT):
            yield own(line, _DIFF.get(line[_DIFF_AT : _DIFF_AT + 1], ""))
        else:
            yield own(line)
