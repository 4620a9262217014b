"""A planned step made ready on this machine: the exact command, the exact change, and the digest that an approval is bound to."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from triage.fixing import file_edit, restart
from triage.fixing.env_file import edited_text
from triage.fixing.launch_change import change_command
from triage.fixing.launch_script import change_script
from triage.fixing.launch_show import launch_diff, write_script
from triage.fixing.pip_command import pip_notes
from triage.fixing.plan import PlannedStep, StepState
from triage.fixing.processes import ProcessIdentity, identity, refusal
from triage.fixing.workshop import Workshop
from triage.playbook import Check, Edit, EndProcess, LaunchChange, Missing, Restart, Run, Step, StepKind, Words
from triage.records import dataclass

DIGEST_LENGTH = 12
"""Hexadecimal digits of SHA-256 that people type: enough that no other step of a plan has the same."""


@dataclass(frozen=True, slots=True)
class PreparedStep:
    """``step`` with its parameters filled in, and what carrying it out means here. ``command`` is an exact argv, ``edit`` an
    exact change, ``process`` whom it ends, ``start`` what is started in its stead, ``launch`` the launch command as it stands
    afterwards. ``words`` is what people have to do where the program cannot; ``notes`` is what they should know before they agree."""

    step: Step
    state: StepState
    reason: str = ""
    command: tuple[str, ...] = ()
    undo_command: tuple[str, ...] = ()
    edit: file_edit.PreparedEdit | None = None
    process: ProcessIdentity | None = None
    start: restart.StartProcess | None = None
    launch: tuple[str, ...] = ()
    diff: tuple[str, ...] = ()
    words: Words | None = None
    notes: tuple[str, ...] = ()
    digest: str = ""


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
            return _unavailable(prepared, f"it could not be taken back: {undo.reason}")
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
        return _unavailable(prepared, argv.reason, command=run.argv)
    is_change = run.pip and prepared.step.kind is StepKind.CHANGE
    return replace(prepared, command=argv, notes=pip_notes(workshop.surroundings) if is_change else ())


def _edit(prepared: PreparedStep, _: Workshop) -> PreparedStep:
    edit = prepared.step.action
    assert isinstance(edit, Edit)
    return _file(prepared, Path(edit.file), lambda text: edited_text(text, edit))


def _file(prepared: PreparedStep, path: Path, new_text: Callable[[str], str], mode: int = 0o600) -> PreparedStep:
    try:
        found = file_edit.prepare(path, new_text, new_mode=mode)
    except file_edit.EditRefused as error:
        return _unavailable(prepared, str(error))
    return replace(prepared, edit=found, diff=found.diff)


def _launch(prepared: PreparedStep, workshop: Workshop) -> PreparedStep:
    change = prepared.step.action
    assert isinstance(change, LaunchChange)
    if change.target == "router":
        return _router(prepared, change, workshop)
    script = workshop.launch_file
    if script is not None and script.exists():
        notes: list[str] = []
        found = _file(prepared, script, lambda text: _changed_text(text, change, notes))
        return replace(found, launch=_changed_words(workshop.launch, change), notes=tuple(notes))
    if not workshop.launch:
        text = f"Change the launch command: {_in_words(change)}."
        return replace(prepared, state=StepState.SHOWN, reason="the launch command is not known", words=Words(text))
    try:
        changed = change_command(workshop.launch, change)
    except ValueError as error:
        return _unavailable(prepared, str(error))
    diff = launch_diff(workshop.launch, changed.words)
    after = replace(prepared, launch=changed.words, diff=diff, notes=changed.notes)
    if script is None:
        reason = "shown only: --set launch_file=PATH has it written there"
        return replace(after, state=StepState.SHOWN, reason=reason, words=Words("", (changed.words,)))
    written = _file(after, script, lambda _: write_script(changed.words), mode=0o700)
    return replace(written, diff=diff)


def _router(prepared: PreparedStep, change: LaunchChange, workshop: Workshop) -> PreparedStep:
    """A router is another program with a command of its own: shown where it is known, never written into the server's script."""
    known = workshop.facts.get("router.command")
    command = tuple(map(str, known)) if isinstance(known, tuple) else ()
    changed = change_command(command, change) if command else None
    if changed is None or changed.words == command:
        text = f"Change the router's command: {_in_words(change)}."
        return replace(prepared, state=StepState.SHOWN, reason="the router's command is not known", words=Words(text))
    diff = launch_diff(command, changed.words)
    words = Words("Start the router with this command.", (changed.words,))
    return replace(prepared, state=StepState.SHOWN, diff=diff, notes=changed.notes, words=words)


def _in_words(change: LaunchChange) -> str:
    """The change for people who have the command before them."""
    told = [f"--{name}" if text is None else f"--{name} {text}" for name, text in change.set]
    told += [f"{name}={text}" for name, text in change.env]
    told += [f"{item} in {name}" for name, item in change.lists.append]
    told += [f"{item} out of {name}" for name, item in change.lists.take_out]
    told += [f"without --{name}" for name in change.remove]
    told += [f"without {name}" for name in change.unset]
    return ", ".join((*told, *(f"{new} instead of {old}" for old, new in change.rename)))


def _changed_text(text: str, change: LaunchChange, notes: list[str]) -> str:
    """Raises ValueError where the script cannot be changed with certainty."""
    changed = change_script(text, change)
    if changed.text == text and changed.notes:
        raise ValueError("; ".join(changed.notes))
    notes += changed.notes
    return changed.text


def _changed_words(words: tuple[str, ...], change: LaunchChange) -> tuple[str, ...]:
    if not words:
        return ()
    try:
        return change_command(words, change).words
    except ValueError:
        return words


def _end_process(prepared: PreparedStep, _: Workshop) -> PreparedStep:
    action = prepared.step.action
    assert isinstance(action, EndProcess)
    found = identity(int(action.pid)) if action.pid.isdecimal() else None
    if found is None:
        return _unavailable(prepared, f"no process {action.pid} runs any more")
    refused = refusal(found)
    return _unavailable(prepared, refused) if refused is not None else replace(prepared, process=found)


def _restart(prepared: PreparedStep, workshop: Workshop) -> PreparedStep:
    action = prepared.step.action
    assert isinstance(action, Restart)
    process = identity(int(action.pid)) if action.pid.isdecimal() else None
    if action.pid and process is None:
        return _unavailable(prepared, f"no process {action.pid} runs any more")
    found = restart.plan_restart(
        workshop.surroundings,
        workshop.launch,
        script=workshop.launch_file,
        pid=process.pid if process is not None else workshop.pid,
        changed=workshop.launch_changed,
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


def _unavailable(prepared: PreparedStep, reason: str, command: tuple[str, ...] = ()) -> PreparedStep:
    return replace(prepared, state=StepState.UNAVAILABLE, reason=f"cannot be prepared: {reason}", command=command)


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
    LaunchChange: _launch,
    EndProcess: _end_process,
    Restart: _restart,
    Words: _words,
}
