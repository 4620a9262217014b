"""What is wrong in playbooks beyond the form of their files: unknown names, dangerous commands, steps that cannot be taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from triage.fixing import template
from triage.fixing.opening import BUILT_IN
from triage.fixing.package_names import LOOKUPS
from triage.fixing.pip_command import COMMANDS
from triage.fixing.programs import refused_argv
from triage.fixing.sizing import FORMULAS
from triage.fixing.values import convert
from triage.knowledge.base import KnowledgeBase
from triage.knowledge.errors import Problems, did_you_mean
from triage.knowledge.playbooks import PlaybookFile
from triage.playbook import (
    Action,
    Check,
    Edit,
    EndProcess,
    LaunchChange,
    ListChange,
    Missing,
    Parameter,
    ParameterType,
    Playbook,
    Restart,
    Risk,
    Run,
    Step,
    StepKind,
    Words,
)

Complaint = tuple[tuple[str | int, ...], str]
_ACTIONS_OF: Mapping[StepKind, tuple[type, ...]] = {
    StepKind.CHECK: (Run,),
    StepKind.CHANGE: (Run, Edit, LaunchChange, EndProcess),
    StepKind.RESTART: (Run, Restart),
    StepKind.MANUAL: (Words,),
    StepKind.ASK: (Words,),
}
_BRACES = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def check_playbooks(
    files: Sequence[PlaybookFile], base: KnowledgeBase, probes: Sequence[str], problems: Problems
) -> None:
    """Report everything that is wrong with ``files``, each by itself and against the signatures."""
    for item in files:
        for steps, message in _complaints(item.playbook, base, probes):
            problems.add(item.place(*steps), message)


def check_references(playbooks: Sequence[Playbook], base: KnowledgeBase, problems: Problems) -> None:
    """Report every signature that names a playbook which is not there, or which does not name it."""
    known = {item.id: item for item in playbooks}
    for signature in base:
        if signature.playbook is None:
            continue
        place = base.records[signature.id].place("playbook")
        if signature.playbook not in known:
            problems.add(place, f"no playbook '{signature.playbook}'{did_you_mean(signature.playbook, list(known))}")
        elif signature.id not in known[signature.playbook].fixes:
            problems.add(place, f"the playbook '{signature.playbook}' does not name '{signature.id}' under 'fixes'")


def _complaints(playbook: Playbook, base: KnowledgeBase, probes: Sequence[str]) -> Iterator[Complaint]:
    yield from _causes(playbook, base)
    if not playbook.area:
        yield (), "a playbook lies in the folder of its area"
    yield from _parameters(playbook, base)
    seen: set[str] = set()
    for index, step in enumerate(playbook.steps):
        if step.id in seen:
            yield ("steps", index, "id"), f"step '{step.id}' stands twice"
        if step.instead_of and step.instead_of not in seen:
            yield ("steps", index, "instead_of"), f"no earlier step '{step.instead_of}'"
        seen.add(step.id)
        for key, message in _step(step, playbook, probes):
            yield ("steps", index, key), message
    for index, check in enumerate(playbook.verify):
        for message in _check(check, playbook, probes):
            yield ("verify", index), message
    if not playbook.verify and not playbook.watch_for:
        yield ("id",), "nothing tells whether it worked: give 'verify' or 'watch_for'"


def _causes(playbook: Playbook, base: KnowledgeBase) -> Iterator[Complaint]:
    for index, identifier in enumerate(playbook.fixes):
        if identifier not in base:
            yield ("fixes", index), f"'{identifier}' is no signature{did_you_mean(identifier, list(base.ids()))}"
        elif base.get(identifier).playbook != playbook.id:
            yield ("fixes", index), f"the signature '{identifier}' does not name this playbook"


def _parameters(playbook: Playbook, base: KnowledgeBase) -> Iterator[Complaint]:
    captures = {
        name
        for identifier in playbook.fixes
        if identifier in base
        for pattern in base.get(identifier).patterns()
        for name, _ in pattern.captures
    }
    used = {name for step in playbook.steps for text in texts_of(step) for name in _BRACES.findall(text)}
    used |= {name for check in playbook.verify for text in _check_texts(check) for name in _BRACES.findall(text)}
    for item in playbook.parameters:
        place = ("parameters", item.name)
        if item.name in {other.name for other in BUILT_IN}:
            yield place, f"'{item.name}' is there always; take another name"
        if item.name not in used:
            yield place, f"no step uses '{item.name}'"
        if bool(item.choices) != (item.type is ParameterType.ENUM):
            yield place, "'choices' belongs to the type enum, and to no other"
        if not item.sources and item.default is None:
            yield place, "has neither 'from' nor 'default'"
        if item.default is not None and isinstance(refused := convert(item, item.default, "'default'"), Missing):
            yield (*place, "default"), refused.reason
        if "ask" in item.sources and not item.help:
            yield place, "who is asked must be told what for: give 'help'"
        for source in item.sources:
            kind, _, name = source.partition(" ")
            if kind == "compute" and name not in (known := {*FORMULAS, *LOOKUPS}):
                yield (*place, "from"), f"no formula '{name}'{did_you_mean(name, sorted(known))}"
            if kind == "capture" and name not in captures:
                hint = did_you_mean(name, sorted(captures))
                yield (*place, "from"), f"no signature that it fixes captures '{name}'{hint}"


def _step(step: Step, playbook: Playbook, probes: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from _step_rules(step)
    yield from _process(step, playbook)
    for text in texts_of(step):
        for message in template.complaints(text, _all(playbook)):
            yield "id", f"{message} in '{text[:60]}'"
    for run in _runs(step):
        for message in _run(run, playbook):
            yield "id", message
    for check in (step.already_done, step.verify):
        if check is not None:
            for message in _check(check, playbook, probes):
                yield "id", message


def _step_rules(step: Step) -> Iterator[tuple[str, str]]:
    """What belongs together in a step."""
    if not isinstance(step.action, _ACTIONS_OF[step.kind]):
        yield "kind", f"a step of kind '{step.kind.value}' cannot do that"
    if (step.kind is StepKind.CHECK) != (step.risk is Risk.READ) and step.kind not in (StepKind.MANUAL, StepKind.ASK):
        yield "risk", f"a step of kind '{step.kind.value}' cannot have the risk '{step.risk.value}'"
    own_undo = isinstance(step.action, (Edit, LaunchChange))
    if step.kind is StepKind.CHANGE and step.risk is Risk.REVERSIBLE and step.undo is None and not own_undo:
        yield "risk", "is called reversible, but has no 'undo'"
    if step.kind is StepKind.CHANGE and isinstance(step.action, Run) and not (step.verify or step.already_done):
        yield "kind", "a change needs 'verify' or 'already_done', so that it is known whether it worked"
    if isinstance(step.action, Edit) and step.action == Edit(step.action.file):
        yield "edit", "changes nothing"
    if isinstance(step.action, LaunchChange) and step.action == LaunchChange(target=step.action.target):
        yield "launch", "changes nothing"


def _process(step: Step, playbook: Playbook) -> Iterator[tuple[str, str]]:
    """Which process ends is said by a number that was converted as one."""
    if isinstance(step.action, (EndProcess, Restart)) and step.action.pid:
        found = playbook.parameter(step.action.pid.strip("{}"))
        if found is not None and found.type is not ParameterType.PID:
            key = "end_process" if isinstance(step.action, EndProcess) else "restart"
            yield key, f"'{found.name}' must have the type pid"


def _run(run: Run, playbook: Playbook) -> Iterator[str]:
    if run.pip:
        if run.argv[0] not in COMMANDS:
            yield f"pip {run.argv[0]} is not for a playbook{did_you_mean(run.argv[0], sorted(COMMANDS))}"
    elif (refused := refused_argv(run.argv)) is not None:
        yield refused
    complaint = template.complaint(run.argv if not run.pip else ("{python}", "-m", "pip", *run.argv), _all(playbook))
    if complaint is not None:
        yield complaint


def _check(check: Check, playbook: Playbook, probes: Sequence[str]) -> Iterator[str]:
    if check.probe and check.probe not in probes:
        yield f"no probe '{check.probe}'{did_you_mean(check.probe, list(probes))}"
    if check.probe and not check.facts:
        yield "a probe is asked for facts: give 'fact'"
    if check.facts and not check.probe:
        yield "'fact' stands beside 'probe'"
    for message in template.complaints(check.label, _all(playbook)):
        yield f"{message} in '{check.label[:60]}'"
    if check.run is not None:
        yield from _run(check.run, playbook)
        yield from template.complaints(check.has, _all(playbook))


def _runs(step: Step) -> Iterator[Run]:
    for action in (step.action, step.undo, step.preview):
        if isinstance(action, Run):
            yield action


def _all(playbook: Playbook) -> dict[str, Parameter]:
    return {item.name: item for item in (*BUILT_IN, *playbook.parameters)}


def texts_of(step: Step) -> Iterator[str]:
    """Every text of a step into which values may go."""
    yield from (step.title, step.why, step.cwd, *(text for _, text in step.env))
    for action in (step.action, step.undo, step.preview):
        if action is not None:
            yield from _action_texts(action)
    for check in (step.already_done, step.verify):
        if check is not None:
            yield from _check_texts(check)


def _check_texts(check: Check) -> Iterator[str]:
    yield from (check.label, *(check.run.argv if check.run is not None else ()))


def _action_texts(action: Action) -> Iterator[str]:
    if isinstance(action, Run):
        yield from action.argv
    elif isinstance(action, Edit):
        yield from (action.file, *(text for _, text in action.set), *(text for pair in action.replace for text in pair))
        yield from _items(action.lists)
    elif isinstance(action, LaunchChange):
        yield from (*(text for _, text in action.set if text is not None), *(text for _, text in action.env))
        yield from _items(action.lists)
    elif isinstance(action, (EndProcess, Restart)):
        yield action.pid
    else:
        yield from (action.text, *(text for words in action.commands for text in words))


def _items(change: ListChange) -> Iterator[str]:
    yield from (item for _, item in (*change.append, *change.take_out))
