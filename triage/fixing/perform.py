"""One prepared step carried out, and one finished step taken back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triage.fixing import file_edit, restart
from triage.fixing.execution import Executed, NotStartedError, Onlooker, execute
from triage.fixing.prepare import PreparedStep
from triage.fixing.processes import end
from triage.fixing.step_records import command_data, outcome_data
from triage.fixing.workshop import Workshop
from triage.playbook import EndProcess, Words
from triage.records import dataclass
from triage.safety.redact import Redactor

_RESTART_GRACE_S = 60.0
"""A server that drains its requests takes longer to end than a program that hangs."""


@dataclass(frozen=True, slots=True)
class Performed:
    """``data`` goes into the journal; ``undo`` is what takes the step back (None: nothing does); ``told`` is for people."""

    ok: bool
    told: str
    data: Mapping[str, Any]
    undo: Mapping[str, Any] | None = None


def perform(prepared: PreparedStep, workshop: Workshop, onlooker: Onlooker) -> Performed:
    """Do what was approved.

    Raises:
        InterruptedStepError, OutputError: as ``execute`` does.
    """
    if prepared.edit is not None:
        return _apply(prepared.edit, workshop)
    if prepared.command and prepared.process is None:
        return _execute(prepared, workshop, onlooker)
    return _process(prepared, workshop, onlooker)


def begin_data(prepared: PreparedStep, workshop: Workshop, redactor: Redactor) -> dict[str, Any]:
    """What the journal says of a step before it is carried out, its undo included: it may be cut off.

    Raises:
        EditRefused: the file that is to be edited cannot be read any more.
    """
    data: dict[str, Any] = {"step": prepared.step.id, "digest": prepared.digest, "title": prepared.step.title}
    data["undo"] = _undo_of(prepared)
    if prepared.command:
        data |= command_data(prepared.command, redactor)
    if prepared.edit is not None:
        data |= {"edit": prepared.edit.path, "before": prepared.edit.before_digest, "after": prepared.edit.after_digest}
        foreseen = file_edit.foreseen(prepared.edit, workshop.backups)
        data["undo"] = {"kind": "edit", "edit": foreseen.to_record()}
    if prepared.process is not None:
        data |= {"pid": prepared.process.pid, "start_ticks": prepared.process.start_ticks}
    return data


def _execute(prepared: PreparedStep, workshop: Workshop, onlooker: Onlooker) -> Performed:
    step = prepared.step
    try:
        done = execute(
            prepared.command,
            cwd=Path(step.cwd or "/"),
            environment=workshop.child_environment(dict(step.env)),
            timeout_s=step.timeout_s,
            on_output=onlooker.output,
            use_pty=True,
            stop=onlooker.stop,
            wants_end=onlooker.wants_end,
        )
    except NotStartedError as error:
        return Performed(False, str(error), {"reason": str(error)})
    return finished(prepared, done)


def finished(prepared: PreparedStep, done: Executed) -> Performed:
    """What became of a step whose command has ended, in whatever way."""
    told = told_of(done, prepared.step.timeout_s)
    return Performed(done.exit_code == 0, told, outcome_data(done), _undo_of(prepared))


def told_of(done: Executed, timeout_s: float) -> str:
    """How a command ended, in words."""
    if done.timed_out:
        return f"took more than {timeout_s:g} s and was ended"
    if done.signal is not None:
        return f"ended by signal {done.signal}"
    if done.exit_code is None:
        return "hangs in the kernel and cannot be ended"
    return f"exit status {done.exit_code} after {done.seconds:.1f} s"


def _undo_of(prepared: PreparedStep) -> dict[str, Any] | None:
    """For the journal: a command that holds a secret is not written down, so it can only be repeated by hand."""
    undo, redactor = prepared.step.undo, Redactor()
    if isinstance(undo, Words):
        return {"kind": "words", "text": redactor.redact(undo.text)}
    if not prepared.undo_command:
        return None
    hides = list(redactor.redact_arguments(prepared.undo_command)) != list(prepared.undo_command)
    if hides or any(redactor.redact_named(name, text) != text for name, text in prepared.step.env):
        return {"kind": "words", "text": "its undo holds a secret, which no journal keeps: see the playbook"}
    return {"kind": "command", "argv": list(prepared.undo_command), "env": dict(prepared.step.env)}


def _apply(edit: file_edit.PreparedEdit, workshop: Workshop) -> Performed:
    try:
        applied = file_edit.apply(edit, workshop.backups)
    except file_edit.EditRefused as error:
        return Performed(False, str(error), {"reason": str(error)})
    saved = f", copy in {applied.backup}" if applied.backup else ""
    return Performed(True, f"wrote {applied.path}{saved}", {}, {"kind": "edit", "edit": applied.to_record()})


def _process(prepared: PreparedStep, workshop: Workshop, onlooker: Onlooker) -> Performed:
    data: dict[str, Any] = {}
    told = []
    if prepared.process is not None:
        action = prepared.step.action
        ended = end(prepared.process, action.grace_s if isinstance(action, EndProcess) else _RESTART_GRACE_S)
        data = {"outcome": ended.outcome, "reason": ended.reason, "seconds": ended.seconds}
        told.append(f"process {prepared.process.pid}: {ended.outcome}{f', {ended.reason}' if ended.reason else ''}")
        if not ended.is_over:
            return Performed(False, told[0], data)
    if prepared.command:
        done = _execute(prepared, workshop, onlooker)
        return Performed(done.ok, "; ".join((*told, done.told)), {**data, **done.data}, done.undo)
    if prepared.start is not None:
        try:
            started = restart.start(prepared.start)
        except OSError as error:
            reason = f"could not be started: {error.strerror or error}"
            return Performed(False, "; ".join((*told, reason)), {**data, "reason": reason})
        data |= {"started": started.pid, "log": str(prepared.start.log)}
        told.append(f"started process {started.pid}, its output goes to {prepared.start.log}")
    return Performed(True, "; ".join(told), data)


def take_back(undo: Mapping[str, Any], workshop: Workshop, onlooker: Onlooker) -> Performed:
    """Carry out what the journal keeps as the undo of a finished step."""
    if undo.get("kind") == "edit":
        try:
            changed = file_edit.undo(file_edit.Applied.from_record(undo["edit"]))
        except file_edit.EditRefused as error:
            return Performed(False, str(error), {"reason": str(error)})
        path = undo["edit"]["path"]
        return Performed(True, f"{path} is as it was" if changed else f"{path} was as before already", {})
    if undo.get("kind") == "command":
        return _undo_command(undo, workshop, onlooker)
    return Performed(False, f"to be done by hand: {undo.get('text', 'this step has no undo')}", {})


def _undo_command(undo: Mapping[str, Any], workshop: Workshop, onlooker: Onlooker) -> Performed:
    try:
        done = execute(
            [str(word) for word in undo["argv"]],
            cwd=Path("/"),
            environment=workshop.child_environment(dict(undo.get("env", {}))),
            timeout_s=600.0,
            on_output=onlooker.output,
            use_pty=True,
            stop=onlooker.stop,
            wants_end=onlooker.wants_end,
        )
    except NotStartedError as error:
        return Performed(False, str(error), {"reason": str(error)})
    return Performed(done.exit_code == 0, told_of(done, 600.0), outcome_data(done))
