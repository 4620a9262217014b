"""A plan, prepared on this machine, as it is shown before anything is approved."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from triage.fixing.checks import in_words
from triage.fixing.plan import Plan, StepState
from triage.fixing.prepare import PreparedStep, is_elsewhere
from triage.fixing.runner import ready_steps
from triage.fixing.workshop import Workshop
from triage.playbook import FileContent, Missing, PlanPreview, Run, ShownValue, StepPreview, Words


def preview_plan(plan: Plan, workshop: Workshop) -> PlanPreview:
    """What would be done, step by step, if every step were approved."""
    playbook = plan.playbook
    return PlanPreview(
        id=playbook.id,
        title=playbook.title,
        diagnosis=plan.case.diagnosis,
        values=tuple(_value(name, value) for name, value in plan.values.items() if _is_worth_it(name, value)),
        steps=tuple(preview_step(prepared, workshop) for prepared in ready_steps(plan, workshop)),
        after=tuple(check.reason if isinstance(check, Missing) else in_words(check) for check in plan.verify),
        watch_for=playbook.watch_for,
        notes=tuple(_notes(plan)),
        references=playbook.references,
    )


def preview_step(prepared: PreparedStep, workshop: Workshop) -> StepPreview:
    """One step for people."""
    step, words, start = prepared.step, prepared.words, prepared.start
    command = prepared.command or (start.argv if start is not None else ())
    text = words.text if words is not None else ""
    if prepared.process is not None:
        process = prepared.process
        told = (
            f"End process {process.pid} ({process.name}, started at tick {process.start_ticks}): SIGTERM, then SIGKILL."
        )
        text = "\n".join(filter(None, (told, text)))
    tried = None if step.preview is None else workshop.argv(step.preview)
    return StepPreview(
        id=step.id,
        title=step.title,
        why=step.why,
        kind=step.kind,
        risk=step.risk,
        state=prepared.state.value,
        reason=prepared.reason,
        command=command,
        diff=prepared.diff,
        text=text,
        commands=words.commands if words is not None else (),
        cwd=str(start.cwd) if start is not None else step.cwd,
        env=start.environment if start is not None else step.env,
        user=workshop.surroundings.user,
        needs=step.needs,
        already_done="" if step.already_done is None else in_words(step.already_done),
        preview=() if tried is None or isinstance(tried, Missing) else tried,
        verify="" if step.verify is None else in_words(step.verify),
        undo=_undo(prepared),
        timeout_s=step.timeout_s,
        notes=prepared.notes,
        digest=prepared.digest if prepared.state is StepState.READY else "",
        file=None if is_elsewhere(step, workshop) else _file(prepared),
        log=str(start.log) if start is not None else "",
        ends=prepared.process.pid if prepared.process is not None else None,
    )


def _file(prepared: PreparedStep) -> FileContent | None:
    edit = prepared.edit
    if edit is None or not edit.changes:
        return None
    return FileContent(edit.path, edit.after.decode("utf-8", "surrogateescape"), edit.before_digest, edit.new_mode)


def _undo(prepared: PreparedStep) -> str:
    undo = prepared.step.undo
    if prepared.edit is not None:
        return "the copy that is made before is put back, byte for byte"
    if isinstance(undo, Words):
        return undo.text
    return shlex.join(prepared.undo_command) if isinstance(undo, Run) else ""


def _is_worth_it(name: str, value: object) -> bool:
    return name != "python" or not isinstance(value, Missing)


def _value(name: str, value: object) -> ShownValue:
    if isinstance(value, Missing):
        return ShownValue(name, "", problem=value.reason)
    text, origin, lines = getattr(value, "text", ""), getattr(value, "origin", ""), getattr(value, "sum", ())
    return ShownValue(name, str(text), str(origin), tuple(lines))


def _notes(plan: Plan) -> Sequence[str]:
    if plan.applies is False:
        told = ", ".join(
            f"{test.name} is {plan.case.facts[test.name]}"
            for test in plan.playbook.applies
            if test.name in plan.case.facts
        )
        return [f"this playbook does not apply here: {told}"]
    if plan.applies is None:
        unknown = ", ".join(test.name for test in plan.playbook.applies if test.name not in plan.case.facts)
        return [f"whether this playbook applies is not known: {unknown} is not told"]
    return []
