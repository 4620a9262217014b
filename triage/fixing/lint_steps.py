"""What is wrong in the steps and checks of playbooks beyond the form of their files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from triage.fixing import template
from triage.fixing.container_change import REPEATED, SWITCHES
from triage.fixing.opening import BUILT_IN
from triage.fixing.pip_command import COMMANDS
from triage.fixing.programs import refused_argv
from triage.knowledge.errors import did_you_mean
from triage.playbook import (
    Action,
    Check,
    Edit,
    EndProcess,
    LaunchChange,
    ListChange,
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
from triage.preflight.container_run import WITH_VALUE

_ACTIONS_OF: Mapping[StepKind, tuple[type, ...]] = {
    StepKind.CHECK: (Run,),
    StepKind.CHANGE: (Run, Edit, LaunchChange, EndProcess),
    StepKind.RESTART: (Run, Restart),
    StepKind.MANUAL: (Words,),
    StepKind.ASK: (Words,),
}


def step_complaints(step: Step, playbook: Playbook, probes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What is wrong in one step: the key to point at, and the words."""
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
            for message in check_complaints(check, playbook, probes):
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
    if isinstance(step.action, LaunchChange):
        for message in _launch(step.action):
            yield "launch", message


def _launch(change: LaunchChange) -> Iterator[str]:
    if change == LaunchChange(target=change.target):
        yield "changes nothing"
    container = change.container
    if container and change != LaunchChange(target=change.target, container=container):
        yield "'container' stands by itself: put the other changes into a step of their own"
    known = WITH_VALUE | SWITCHES
    for name in (*(name for name, _ in (*container.set, *container.add)), *container.remove):
        if name not in known:
            yield f"docker run has no option --{name}{did_you_mean(name, sorted(known))}"
    for name, value in container.set:
        if name in REPEATED:
            yield f"--{name} may be given often: put it under 'add'"
        elif (value is None) != (name in SWITCHES):
            yield f"--{name} takes {'no' if name in SWITCHES else 'a'} value"
    for name, _ in container.add:
        if name not in REPEATED:
            yield f"--{name} counts once: put it under 'set'"
        elif name == "env":
            yield "variables stand under 'env' of 'launch'"


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


def check_complaints(check: Check, playbook: Playbook, probes: Sequence[str]) -> Iterator[str]:
    """What is wrong in one check."""
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
            yield from texts_of_check(check)


def texts_of_check(check: Check) -> Iterator[str]:
    """Every text of a check into which values may go."""
    yield from (check.label, *(check.run.argv if check.run is not None else ()))


def _action_texts(action: Action) -> Iterator[str]:
    if isinstance(action, Run):
        yield from action.argv
    elif isinstance(action, Edit):
        yield from (action.file, *(text for _, text in action.set), *(text for pair in action.replace for text in pair))
        yield from _items(action.lists)
    elif isinstance(action, LaunchChange):
        yield from (text for _, text in (*action.set, *action.container.set) if text is not None)
        yield from (text for _, text in (*action.env, *action.container.add))
        yield from _items(action.lists)
    elif isinstance(action, (EndProcess, Restart)):
        yield action.pid
    else:
        yield from (action.text, *(text for words in action.commands for text in words))


def _items(change: ListChange) -> Iterator[str]:
    yield from (item for _, item in (*change.append, *change.take_out))
