"""A step as it would be carried out on this machine, and what the ways of preparing one share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from triage.fixing import file_edit, restart
from triage.fixing.plan import StepState
from triage.fixing.processes import ProcessIdentity
from triage.playbook import LaunchChange, Step, Words
from triage.records import dataclass, replace


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

    @property
    def changes_container(self) -> bool:
        """Does it change (or tell people to change) options of the container?"""
        action = self.step.action
        is_change = isinstance(action, LaunchChange) and bool(action.container)
        return (
            is_change and self.state in (StepState.READY, StepState.SHOWN) and (self.edit is None or self.edit.changes)
        )


def file_step(prepared: PreparedStep, path: Path, new_text: Callable[[str], str], mode: int = 0o600) -> PreparedStep:
    """The step that has ``path`` hold ``new_text`` of what it holds now; ``mode`` is that of a new file."""
    try:
        found = file_edit.prepare(path, new_text, new_mode=mode)
    except file_edit.EditRefused as error:
        return unavailable(prepared, str(error))
    return replace(prepared, edit=found, diff=found.diff)


def unavailable(prepared: PreparedStep, reason: str, command: tuple[str, ...] = ()) -> PreparedStep:
    """The step cannot be done here."""
    return replace(prepared, state=StepState.UNAVAILABLE, reason=f"cannot be prepared: {reason}", command=command)
