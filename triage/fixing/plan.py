"""A playbook filled with the values of one case: what each step would do, or why it cannot be prepared. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from triage.fixing import template
from triage.fixing.programs import refused_argv
from triage.model import Value
from triage.playbook import (
    Action,
    Case,
    Check,
    ContainerChange,
    Edit,
    EndProcess,
    LaunchChange,
    ListChange,
    Missing,
    Playbook,
    Restart,
    Run,
    Step,
    StepKind,
    Typed,
    Words,
)
from triage.reasoning.conditions import all_hold
from triage.records import dataclass, replace


class StepState(str, Enum):
    """``ready`` to be carried out; ``shown`` for people; ``left-out`` by its conditions; ``unavailable`` for want of a value."""

    READY = "ready"
    SHOWN = "shown"
    LEFT_OUT = "left-out"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """``step`` with every parameter filled in; ``reason`` says why it is not ready."""

    step: Step
    state: StepState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A playbook for one case. ``applies``: what its conditions say (None: a fact is not known)."""

    playbook: Playbook
    case: Case
    values: Mapping[str, Typed | Missing]
    steps: tuple[PlannedStep, ...]
    verify: tuple[Check | Missing, ...]
    applies: bool | None


class _LackingError(Exception):
    """A value that a text needs is not there."""


def make_plan(playbook: Playbook, case: Case, values: Mapping[str, Typed | Missing]) -> Plan:
    """The plan of ``playbook`` with ``values`` for its parameters (and ``python``)."""
    steps: dict[str, PlannedStep] = {}
    for step in playbook.steps:
        first = steps.get(step.instead_of)
        if first is not None and first.state in (StepState.READY, StepState.SHOWN):
            shown = _described(step, values)
            steps[step.id] = PlannedStep(shown, StepState.LEFT_OUT, f"not needed: '{first.step.id}' can be done")
        else:
            steps[step.id] = _planned(step, case, values)
    verify = tuple(_checked(check, values) for check in playbook.verify)
    return Plan(playbook, case, values, tuple(steps.values()), verify, all_hold(playbook.applies, _told(case)))


def _planned(step: Step, case: Case, values: Mapping[str, Typed | Missing]) -> PlannedStep:
    if _is_ruled_out(step, case):
        known = _told(case)
        told = ", ".join(f"{test.name} is {known.get(test.name, 'not known')}" for test in step.when)
        return PlannedStep(_described(step, values), StepState.LEFT_OUT, f"not needed here: {told}")
    try:
        filled = _filled(step, values)
    except _LackingError as lack:
        return PlannedStep(_described(step, values), StepState.UNAVAILABLE, f"cannot be prepared: {lack}")
    if step.kind in (StepKind.MANUAL, StepKind.ASK):
        return PlannedStep(filled, StepState.SHOWN)
    if step.where == "client":
        return PlannedStep(filled, StepState.SHOWN, "run this where the requests come from")
    return PlannedStep(filled, StepState.READY)


def _is_ruled_out(step: Step, case: Case) -> bool:
    """Host and log were asked by now: a fact that is to exist and is not known is not there."""
    known = _told(case)
    absent = any(test.operator == "exists" and test.operand and test.name not in known for test in step.when)
    return absent or all_hold(step.when, known) is False


def _told(case: Case) -> dict[str, Value]:
    """What conditions may speak of: facts, and captures as ``capture.NAME``."""
    return {**case.facts, **{f"capture.{name}": value for name, value in case.captures.items()}}


def _described(step: Step, values: Mapping[str, Typed | Missing]) -> Step:
    """The step's words for people, filled in as far as values are known."""
    return replace(step, title=_prose(step.title, values), why=_prose(step.why, values))


def _checked(check: Check, values: Mapping[str, Typed | Missing]) -> Check | Missing:
    try:
        return _check(check, values)
    except _LackingError as lack:
        return Missing(str(lack))


def _filled(step: Step, values: Mapping[str, Typed | Missing]) -> Step:
    return replace(
        step,
        title=_prose(step.title, values),
        why=_prose(step.why, values),
        action=_action(step.action, values),
        env=_pairs(step.env, values),
        cwd=_text(step.cwd, values),
        already_done=None if step.already_done is None else _check(step.already_done, values),
        preview=None if step.preview is None else _run(step.preview, values),
        verify=None if step.verify is None else _check(step.verify, values),
        undo=None if step.undo is None else _action(step.undo, values),
    )


def _action(action: Action, values: Mapping[str, Typed | Missing]) -> Action:
    if isinstance(action, Run):
        return _run(action, values)
    if isinstance(action, Edit):
        return replace(
            action,
            file=_text(action.file, values),
            set=_pairs(action.set, values),
            replace=_both(action.replace, values),
            lists=_lists(action.lists, values),
        )
    if isinstance(action, LaunchChange):
        return replace(
            action,
            set=_options(action.set, values),
            env=_pairs(action.env, values),
            lists=_lists(action.lists, values),
            container=_container(action.container, values),
        )
    if isinstance(action, (EndProcess, Restart)):
        return replace(action, pid=_text(action.pid, values))
    return Words(_prose(action.text, values), tuple(_texts(words, values) for words in action.commands))


def _run(run: Run, values: Mapping[str, Typed | Missing]) -> Run:
    # As it is written: once filled, a value that stands in code cannot be told from the code.
    refused = None if run.pip else refused_argv(run.argv)
    if refused is not None:
        raise _LackingError(refused)
    return replace(run, argv=_texts(run.argv, values))


def _check(check: Check, values: Mapping[str, Typed | Missing]) -> Check:
    run = None if check.run is None else _run(check.run, values)
    return replace(check, run=run, has=_text(check.has, values), label=_prose(check.label, values))


def _texts(texts: Iterable[str], values: Mapping[str, Typed | Missing]) -> tuple[str, ...]:
    return tuple(_text(text, values) for text in texts)


def _pairs(pairs: Iterable[tuple[str, str]], values: Mapping[str, Typed | Missing]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _text(text, values)) for name, text in pairs)


def _options(
    pairs: Iterable[tuple[str, str | None]], values: Mapping[str, Typed | Missing]
) -> tuple[tuple[str, str | None], ...]:
    return tuple((name, None if text is None else _text(text, values)) for name, text in pairs)


def _container(change: ContainerChange, values: Mapping[str, Typed | Missing]) -> ContainerChange:
    return replace(change, set=_options(change.set, values), add=_pairs(change.add, values))


def _lists(change: ListChange, values: Mapping[str, Typed | Missing]) -> ListChange:
    return ListChange(_pairs(change.append, values), _pairs(change.take_out, values))


def _both(pairs: Iterable[tuple[str, str]], values: Mapping[str, Typed | Missing]) -> tuple[tuple[str, str], ...]:
    return tuple((_text(old, values), _text(new, values)) for old, new in pairs)


def _text(text: str, values: Mapping[str, Typed | Missing]) -> str:
    try:
        filled = template.fill(template.parse(text), values)
    except template.TemplateError as error:
        # A playbook that was not linted.
        raise _LackingError(str(error)) from error
    if isinstance(filled, Missing):
        raise _LackingError(filled.reason)
    return filled


def _prose(text: str, values: Mapping[str, Typed | Missing]) -> str:
    """Words for people may name a value that is not known: that makes no step impossible."""
    known = {
        name: Typed(f"<{name}>", f"<{name}>", "not known") if isinstance(value, Missing) else value
        for name, value in values.items()
    }
    return _text(text, known)
