"""A change of the launch command made ready: written into the operator's script, or shown."""

from __future__ import annotations

from triage.fixing.container_words import container_words, launch_words
from triage.fixing.launch_change import change_command
from triage.fixing.launch_script import change_script
from triage.fixing.launch_show import launch_diff, write_script
from triage.fixing.plan import StepState
from triage.fixing.prepared_step import PreparedStep, file_step, unavailable
from triage.fixing.workshop import Workshop
from triage.playbook import LaunchChange, Words
from triage.preflight.command import parse_command
from triage.records import replace


def prepare_launch(prepared: PreparedStep, workshop: Workshop) -> PreparedStep:
    """The step that changes the launch command: in the script that the operator named, else shown."""
    change = prepared.step.action
    assert isinstance(change, LaunchChange)
    if change.target == "router":
        return _router(prepared, change, workshop)
    script = workshop.launch_file
    if script is not None and script.exists():
        notes: list[str] = []
        found = file_step(prepared, script, lambda text: _changed_text(text, change, notes))
        if change.container and found.state is StepState.UNAVAILABLE:
            return _container(prepared, change, workshop, found.reason.removeprefix("cannot be prepared: "))
        return replace(found, launch=_changed_words(workshop.launch, change), notes=tuple(notes))
    if change.container and not any(command.container for command in parse_command(workshop.launch)):
        return _container(prepared, change, workshop, "the command that starts the container is not known")
    if not workshop.launch:
        text = f"Change the launch command: {launch_words(change)}."
        return replace(prepared, state=StepState.SHOWN, reason="the launch command is not known", words=Words(text))
    try:
        changed = change_command(workshop.launch, change)
    except ValueError as error:
        return unavailable(prepared, str(error))
    diff = launch_diff(workshop.launch, changed.words)
    after = replace(prepared, launch=changed.words, diff=diff, notes=changed.notes)
    if script is None:
        reason = "shown only: --set launch_file=PATH has it written there"
        return replace(after, state=StepState.SHOWN, reason=reason, words=Words("", (changed.words,)))
    written = file_step(after, script, lambda _: write_script(changed.words), mode=0o700)
    return replace(written, diff=diff)


def _container(prepared: PreparedStep, change: LaunchChange, workshop: Workshop, reason: str) -> PreparedStep:
    """Of a container whose command we have not, only what is to be changed about it can be said."""
    words = container_words(change.container, workshop.surroundings.container_runtime)
    named = workshop.launch_file is not None
    how = "" if named else " (--set launch_file=PATH names a script that has it)"
    return replace(prepared, state=StepState.SHOWN, reason=reason + how, words=words)


def _router(prepared: PreparedStep, change: LaunchChange, workshop: Workshop) -> PreparedStep:
    """A router is another program with a command of its own: shown where it is known, never written into the server's script."""
    known = workshop.facts.get("router.command")
    command = tuple(map(str, known)) if isinstance(known, tuple) else ()
    changed = change_command(command, change) if command else None
    if changed is None or changed.words == command:
        text = f"Change the router's command: {launch_words(change)}."
        return replace(prepared, state=StepState.SHOWN, reason="the router's command is not known", words=Words(text))
    diff = launch_diff(command, changed.words)
    words = Words("Start the router with this command.", (changed.words,))
    return replace(prepared, state=StepState.SHOWN, diff=diff, notes=changed.notes, words=words)


def _changed_text(text: str, change: LaunchChange, notes: list[str]) -> str:
    """Raises ValueError where the script cannot be changed with certainty."""
    changed = change_script(text, change)
    # An option of a container that is there already needs no change, whatever the notes say of it.
    if changed.is_refused or (changed.text == text and changed.notes and not change.container):
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
