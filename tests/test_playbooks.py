"""Every bundled playbook, filled from the first example of a cause that it fixes: what an operator would be shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension

from triage.engine import scan_text
from triage.fixing.case import case_of
from triage.fixing.lint import check_playbooks, check_references
from triage.fixing.parameters import questions, resolve
from triage.fixing.plan import Plan, StepState, make_plan
from triage.fixing.previewing import preview_plan
from triage.fixing.programs import refused_argv
from triage.fixing.surroundings import Surroundings
from triage.fixing.workshop import Workshop
from triage.knowledge.errors import Problems
from triage.knowledge.pack import read_packs
from triage.knowledge.playbooks import decode_playbooks, playbook_roots
from triage.matching.launch import launch_command
from triage.playbook import Case, Missing, Parameter, ParameterType, Playbook, Typed
from triage.probing.catalogue import all_probes
from triage.reporting.outlet import Outlet
from triage.reporting.plan_script import script_lines
from triage.reporting.plan_text import plan_lines
from triage.reporting.view import View
from triage.safety.redact import Redactor

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from triage.knowledge.compiled import Knowledge

FILES = list(decode_playbooks(read_packs(playbook_roots(), Problems(collect=True)), Problems(collect=True)))
PLAYBOOKS = {item.playbook.id: item.playbook for item in FILES}
PYTHON = "/opt/server/bin/python"
ANSWERS = {
    ParameterType.INT: "8", ParameterType.FLOAT: "0.5", ParameterType.SIZE: "1073741824", ParameterType.PORT: "30100",
    ParameterType.PID: "4194300", ParameterType.PATH: "/srv/example/file", ParameterType.IDENT: "example",
    ParameterType.VERSION: "1.2.3", ParameterType.BOOL: "true", ParameterType.MODEL: "example/model",
}  # fmt: skip


class Golden(SingleFileSnapshotExtension):
    """A preview is a text file."""

    file_extension = "txt"


def found_at_usr_bin(argv: Sequence[str], *, allowed: frozenset[Path] = frozenset()) -> tuple[str, ...] | Missing:
    """As if every program were installed: a preview is to be the same on every machine."""
    refused = refused_argv(argv, allowed=allowed)
    if refused is not None:
        return Missing(refused)
    return (argv[0] if argv[0].startswith("/") else f"/usr/bin/{argv[0]}", *argv[1:])


def workshop_for(case: Case, folder: Path) -> Workshop:
    """A server in a virtual environment of its own, on a machine where nothing else is known."""
    surroundings = Surroundings(python=Path(PYTHON), is_venv=True, has_pip=True, user="operator", is_root=True)
    return Workshop(
        surroundings, {}, folder / "backups", launch_command(case.facts), facts=case.facts, find=found_at_usr_bin
    )


def case_for(playbook: Playbook, knowledge: Knowledge) -> Case:
    """What the first example of the first cause tells."""
    signature = knowledge.base.get(playbook.fixes[0])
    return case_of(scan_text(signature.examples[0].encode(), knowledge), signature.id)


def answer(parameter: Parameter) -> str:
    """What an operator might say."""
    if parameter.choices:
        return parameter.choices[0]
    if parameter.minimum is not None and parameter.type in (ParameterType.INT, ParameterType.FLOAT, ParameterType.SIZE):
        return str(parameter.minimum)
    return ANSWERS[parameter.type]


def plan_for(playbook: Playbook, case: Case, *, asked: bool) -> Plan:
    """The plan, with every question answered or with none."""
    values = resolve(playbook.parameters, case, {})
    if asked:
        values = resolve(
            playbook.parameters, case, {item.name: answer(item) for item in questions(playbook.parameters, values)}
        )
    values["python"] = Typed(PYTHON, PYTHON, "this host")
    return make_plan(playbook, case, values)


@pytest.mark.parametrize("identifier", sorted(PLAYBOOKS))
def test_preview(identifier: str, knowledge: Knowledge, snapshot: SnapshotAssertion, tmp_path: Path) -> None:
    """Whoever changes what an operator is told sees it here."""
    playbook = PLAYBOOKS[identifier]
    case = case_for(playbook, knowledge)
    preview = preview_plan(plan_for(playbook, case, asked=True), workshop_for(case, tmp_path))
    text = "\n".join(plan_lines(preview, Outlet(Redactor(hide_prompts=False)), View()))
    # The digests and the user are this run's.
    shown = [line for line in text.splitlines() if "approve " not in line]
    assert "\n".join(shown).replace("as root", "as USER").replace(
        "as operator", "as USER"
    ).encode() + b"\n" == snapshot(extension_class=Golden)


@pytest.mark.parametrize("identifier", sorted(PLAYBOOKS))
def test_every_answer_leads_to_steps(identifier: str, knowledge: Knowledge, tmp_path: Path) -> None:
    """For each cause there is a step to take, and nothing of the plan is lost in the script."""
    playbook = PLAYBOOKS[identifier]
    for name in playbook.fixes:
        signature = knowledge.base.get(name)
        for example in signature.examples:
            case = case_of(scan_text(example.encode(), knowledge), name)
            for asked in (True, False):
                preview = preview_plan(plan_for(playbook, case, asked=asked), workshop_for(case, tmp_path))
                states = {step.state for step in preview.steps}
                if asked:
                    assert states & {StepState.READY.value, StepState.SHOWN.value}, name
                script = "\n".join(script_lines(preview, Outlet(Redactor(hide_prompts=False))))
                assert all(step.title in script for step in preview.steps)


def test_lint(knowledge: Knowledge) -> None:
    """Files, names, probes, formulas and commands are in order, and signatures and playbooks name each other."""
    problems = Problems(collect=True)
    check_playbooks(FILES, knowledge.base, [probe.name for probe in all_probes()], problems)
    check_references(list(PLAYBOOKS.values()), knowledge.base, problems)
    assert [str(problem) for problem in problems.found] == []
