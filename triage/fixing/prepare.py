"""A planned step made ready on this machine: the exact command, the exact change, and the digest that an approval is bound to."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from triage.fixing import restart
from triage.fixing.env_file import edited_text
from triage.fixing.pip_command import pip_notes
from triage.fixing.plan import PlannedStep, StepState
from triage.fixing.prepare_launch import prepare_launch
from triage.fixing.prepared_step import PreparedStep, file_step, unavailable
from triage.fixing.processes import identity, refusal
from triage.fixing.workshop import Workshop
from triage.playbook import Check, Edit, EndProcess, LaunchChange, Missing, Restart, Run, Step, StepKind, Words
from triage.records import replace

__all__ = ["DIGEST_LENGTH", "PreparedStep", "is_elsewhere", "prepare"]
DIGEST_LENGTH = 12
"""Hexadecimal digits of SHA-256 that people type: enough that no other step of a plan has the same."""


def prepare(planned: PlannedStep, workshop: Workshop) -> PreparedStep:
    """What ``planned`` means on this machine, now. Nothing is changed."""
    step = planned.step
    prepared = PreparedStep(step, planned.state, planned.reason, launch=workshop.launch)
    if planned.state in (StepState.LEFT_OUT, StepState.UNAVAILABLE):
        return prepared
    if planned.state is StepState.READY and is_elsewhere(step, workshop):
        return _for_the_host(prepared, workshop)
    prepared = _ACTIONS[type(step.action)](prepared, workshop)
    if prepared.state is StepState.READY and "root" in step.needs and os.geteuid() != 0:
        reason = f"run this as root; you are {workshop.surroundings.user}"
        prepared = replace(prepared, state=StepState.SHOWN, reason=reason)
    if prepared.state is StepState.READY and isinstance(step.undo, Run):
        undo = workshop.argv(step.undo)
        if isinstance(undo, Missing):
            # A step that was to be reversible and is not must not be offered as such.
            return unavailable(prepared, f"it could not be taken back: {undo.reason}")
        prepared = replace(prepared, undo_command=undo)
    return replace(prepared, digest=_digest(prepared, workshop))


def is_elsewhere(step: Step, workshop: Workshop) -> bool:
    """The step is for the host, and we are in a container: its files and programs are not those that we see."""
    return step.where == "host" and workshop.surroundings.in_container


def _for_the_host(prepared: PreparedStep, workshop: Workshop) -> PreparedStep:
    """What would be done, with the plain names of programs: those of the host are not in here."""
    action = prepared.step.action
    reason = "run this on the host: we are inside a container"
    if isinstance(action, Run):
        words = Words("", (action.argv,))
    elif isinstance(action, Words):
        words = action
    else:
        found = _ACTIONS[type(action)](prepared, workshop)
        return replace(found, state=StepState.SHOWN, reason=reason)
    return replace(prepared, state=StepState.SHOWN, reason=reason, words=words)


def _run(prepared: PreparedStep, workshop: Workshop) -> PreparedStep:
    run = prepared.step.action
    assert isinstance(run, Run)
    argv = workshop.argv(run)
    if isinstance(argv, Missing):
        return unavailable(prepared, argv.reason, command=run.argv)
    is_change = run.pip and prepared.step.kind is StepKind.CHANGE
    return replace(prepared, command=argv, notes=pip_notes(workshop.surroundings) if is_change else ())


def _edit(prepared: PreparedStep, _: Workshop) -> PreparedStep:
    edit = prepared.step.action
    assert isinstance(edit, Edit)
    return file_step(prepared, Path(edit.file), lambda text: edited_text(text, edit))


def _end_process(prepared: PreparedStep, _: Workshop) -> PreparedStep:
    action = prepared.step.action
    assert isinstance(action, EndProcess)
    found = identity(int(action.pid)) if action.pid.isdecimal() else None
    if found is None:
        return unavailable(prepared, f"no process {action.pid} runs any more")
    refused = refusal(found)
    return unavailable(prepared, refused) if refused is not None else replace(prepared, process=found)


def _restart(prepared: PreparedStep, workshop: Workshop) -> PreparedStep:
    action = prepared.step.action
    assert isinstance(action, Restart)
    process = identity(int(action.pid)) if action.pid.isdecimal() else None
    if action.pid and process is None:
        return unavailable(prepared, f"no process {action.pid} runs any more")
    found = restart.plan_restart(
        workshop.surroundings,
        workshop.launch,
        script=workshop.launch_file,
        pid=process.pid if process is not None else workshop.pid,
        changed=workshop.launch_changed,
        container_changed=workshop.container_changed,
    )
    if isinstance(found, Words):
        return replace(prepared, state=StepState.SHOWN, reason="the program cannot do this here", words=found)
    if isinstance(found, Run):
        # systemd and docker end the old process themselves.
        return _run(replace(prepared, step=replace(prepared.step, action=found)), workshop)
    return replace(prepared, start=found, process=process)


def _words(prepared: PreparedStep, _: Workshop) -> PreparedStep:
    words = prepared.step.action
    assert isinstance(words, Words)
    return replace(prepared, words=words)


def _digest(prepared: PreparedStep, workshop: Workshop) -> str:
    """A digest of everything that the step would do and of who does it: another command, file, process or user is another one."""
    step, edit, process = prepared.step, prepared.edit, prepared.process
    content = {
        "step": step.id,
        "command": prepared.command,
        "cwd": step.cwd,
        "environment": step.env,
        "undo": prepared.undo_command,
        "edit": (edit.path, edit.before_digest, edit.after_digest) if edit else None,
        "process": (process.pid, process.start_ticks) if process else None,
        "start": prepared.start.to_record() if prepared.start else None,
        "user": os.geteuid(),
        "checks": [_exact(check, workshop) for check in (step.already_done, step.verify)],
        "python": str(workshop.surroundings.python),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:DIGEST_LENGTH]


def _exact(check: Check | None, workshop: Workshop) -> object:
    """A check's exact command, since an approval holds for it too; probes are our own and change nothing."""
    if check is None or check.run is None:
        return None
    argv = workshop.argv(check.run)
    expected = (check.exit_code, check.has, check.matches, check.lacks)
    return (argv.reason if isinstance(argv, Missing) else argv, expected)


_ACTIONS: dict[type, Callable[[PreparedStep, Workshop], PreparedStep]] = {
    Run: _run,
    Edit: _edit,
    LaunchChange: prepare_launch,
    EndProcess: _end_process,
    Restart: _restart,
    Words: _words,
}
