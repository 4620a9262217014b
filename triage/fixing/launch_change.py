"""The launch command changed as a playbook says: options and variables; every other word stays as it was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from triage.fixing.container_change import ContainerEditor
from triage.fixing.launch_options import OptionEditor
from triage.fixing.launch_text import WordEdits, place, siblings
from triage.fixing.launch_variables import VariableEditor
from triage.fixing.list_variables import whole_values
from triage.playbook import LaunchChange, ListChange
from triage.preflight.command import ROUTER, ROUTER_WITH_SERVERS, SERVER, PlannedCommand, parse_command
from triage.records import dataclass, replace

_KINDS = {"server": (SERVER, ROUTER_WITH_SERVERS), "router": (ROUTER,)}
_SECRET = re.compile(r"<[a-z][a-z0-9_]*>")


@dataclass(frozen=True, slots=True)
class Changed:
    """A changed argv, and what people should know of it."""

    words: tuple[str, ...]
    notes: tuple[str, ...] = ()


def change_command(words: Sequence[str], change: LaunchChange) -> Changed:
    """``words`` (an argv, variables in front) with ``change`` made in every program of its target.

    Looked through is what ``parse_command`` looks through. Without such a program the words are returned as they are.

    Raises:
        ValueError: as ``planned_edits`` does.
    """
    edits, notes = planned_edits(words, parse_command(words), change)
    return Changed(edits.applied_to_words(words), notes)


def targets(commands: Sequence[PlannedCommand], change: LaunchChange) -> tuple[PlannedCommand, ...]:
    """The programs that ``change`` is about."""
    return tuple(command for command in commands if command.kind in _KINDS.get(change.target, ()))


def planned_edits(
    words: Sequence[str], commands: Sequence[PlannedCommand], change: LaunchChange
) -> tuple[WordEdits, tuple[str, ...]]:
    """The edits of ``words`` that ``change`` means, and what people should know of them.

    Raises:
        ValueError: options of a container are to change, and none is started.
    """
    edits, notes = WordEdits(), list[str]()
    chosen = targets(commands, change)
    if not chosen:
        return edits, (f"no {change.target} is started by this command, so it stays as it is",)
    if change.container and all(command.container is None for command in chosen):
        raise ValueError("no container is started by this command, so it stays as it is")
    if len(chosen) > 1:
        notes.append(f"{len(chosen)} programs are started by this command; each of them is changed")
    for command in chosen:
        notes += _made(words, command, edits, change)
    # Two programs of one script may share a container, whose options change once.
    containers = dict.fromkeys(command.container for command in chosen if command.container is not None)
    for container in containers if change.container else ():
        behind = next((word for word in siblings(words, container.image) if place(word) > place(container.image)), None)
        notes += ContainerEditor(container, edits, behind).make(change.container)
    secrets = dict.fromkeys(found for word in words for found in _SECRET.findall(word))
    notes += [f"{secret} stands for a value that is not shown: put it in by hand" for secret in secrets]
    return edits, tuple(dict.fromkeys(notes))


def listed(change: LaunchChange, known: Mapping[str, str]) -> tuple[LaunchChange, tuple[str, ...]]:
    """``change`` with its lists as whole values, given those that the variables have (the last of a name counts); and notes."""
    found = list(whole_values(change.lists, known))
    whole = {name: value for name, value, _ in found if value is not None}
    notes = tuple(note for _, _, note in found if note)
    return replace(change, env=(*change.env, *whole.items()), lists=ListChange()), notes


def _made(words: Sequence[str], command: PlannedCommand, edits: WordEdits, change: LaunchChange) -> Iterator[str]:
    """The changes of one program, put down in ``edits``; yields what people should know."""
    options, variables = OptionEditor(words, command, edits), VariableEditor(words, command, edits)
    for old, new in change.rename:
        yield from options.rename(old, new) if old.startswith("--") else variables.rename(old, new)
    for name in change.remove:
        yield from options.remove(name)
    for name, value in change.set:
        yield from options.set(name, value)
    for name in change.unset:
        yield from variables.unset(name)
    lists, notes = listed(change, {item.name: item.value for item in command.variables})
    yield from notes
    added = [f"{name}={text}" for name, text in lists.env if not variables.set(name, text)]
    if added:
        variables.add(added)
