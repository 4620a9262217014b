"""A planned step made ready on this machine: its exact command, and the digest that an agreement is bound to."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from triage.fixing.plan import Plan, StepState
from triage.fixing.prepare import PreparedStep, prepare
from triage.fixing.programs import resolve_argv
from triage.fixing.workshop import Workshop
from triage.playbook import Missing, Words

Planned = Callable[..., Plan]
LAUNCH = ("python3", "-m", "sglang.launch_server", "--model-path", "/models/m", "--port", "30000")


def one(plan: Plan, workshop: Workshop) -> PreparedStep:
    """The only step."""
    (planned,) = plan.steps
    return prepare(planned, workshop)


def step(more: str) -> str:
    """A playbook of one step, with a file."""
    return (
        f'\nparameters:\n  file: {{type: path, default: /none}}\nsteps:\n  - {{id: a, title: "A", why: So., {more}}}\n'
    )


def test_a_program_is_shown_by_its_whole_path(planned: Planned, workshop: Workshop) -> None:
    """Found on a fixed path, whatever PATH says."""
    mine = replace(workshop, environment={"PATH": "/nowhere"})
    found = one(planned(step("kind: check, argv: [ls, x]")), mine)
    assert found.command in (("/usr/bin/ls", "x"), ("/bin/ls", "x"))
    assert found.state is StepState.READY
    assert mine.child_environment({})["PATH"].startswith("/usr/local/sbin:")


@pytest.mark.parametrize("argv", [
    "[sh, -c, id]", "[bash, x]", "[/tmp/tool]", "[env, ls]", "[no-such-program-here]", '["{file}", x]', "[kill, '1']", "[perl, x]",
])  # fmt: skip
def test_what_is_no_step(planned: Planned, workshop: Workshop, argv: str) -> None:
    """A playbook that was not linted: it is not possible, and not offered."""
    found = one(planned(step(f"kind: check, argv: {argv}")), workshop)
    assert found.state is StepState.UNAVAILABLE
    assert found.reason.startswith("cannot be prepared: ")


def test_pip_is_that_of_the_server(planned: Planned, workshop: Workshop) -> None:
    """By the interpreter, never by a program called pip; unknown, the step is not possible."""
    plan = planned(step("kind: check, pip: [show, x]"))
    assert one(plan, workshop).command[:3] == (sys.executable, "-m", "pip")
    unknown = replace(workshop, surroundings=replace(workshop.surroundings, python=None))
    assert one(plan, unknown).reason == (
        "cannot be prepared: which interpreter runs the server is not known: name it with --python"
    )


def test_root_trusts_nobody_elses_program(
    planned: Planned, workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root, a program that others may write is not run, and none is taken in its stead."""
    program = tmp_path / "ss"
    program.write_text("#!/bin/true\n")
    program.chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setitem(resolve_argv.__globals__, "resolve", _found_in(tmp_path))
    found = one(planned(step("kind: check, argv: [ss, -l]")), workshop)
    assert found.state is StepState.UNAVAILABLE
    assert f"{program} is not trusted: " in found.reason


def _found_in(folder: Path) -> Callable[..., Path | Missing]:
    """The real search on another path."""
    from triage.fixing.programs import resolve

    return functools.partial(resolve, search_path=str(folder))


def test_who_does_it_and_where(planned: Planned, workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of the host is shown inside a container; one of root, to anybody else."""
    host = planned(step("kind: check, argv: [ls], where: host"))
    inside = replace(workshop, surroundings=replace(workshop.surroundings, in_container=True))
    assert one(host, workshop).state is StepState.READY
    assert one(host, inside).state is StepState.SHOWN
    assert one(host, inside).reason == "run this on the host: we are inside a container"
    root = planned(step("kind: check, argv: [ls], needs: [root]"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert one(root, workshop).state is StepState.READY
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    # Whatever the variables say: who is told that he is somebody else looks for the fault in the wrong place.
    monkeypatch.setenv("LOGNAME", "mallory")
    assert one(root, workshop).reason == "run this as root; you are tester"


def test_what_cannot_be_taken_back_is_not_offered(planned: Planned, workshop: Workshop) -> None:
    """A reversible step whose undo is not possible here is not reversible."""
    found = one(planned(step("kind: change, argv: [ls], undo: {argv: [no-such-program-here]}")), workshop)
    assert found.state is StepState.UNAVAILABLE
    assert found.reason.startswith("cannot be prepared: it could not be taken back: no program no-such-program-here")


BASE = 'kind: change, argv: [echo, a], cwd: /tmp, env: {A: "1"}, undo: {argv: [echo, b]}, verify: {argv: [echo, c]}, already_done: {argv: [echo, d]}'


@pytest.mark.parametrize(("old", "new"), [
    ("[echo, a]", "[echo, aa]"), ("[echo, a]", "[ls, a]"), ("cwd: /tmp", "cwd: /"), ('A: "1"', 'A: "2"'), ('{A: "1"}', '{B: "1"}'),
    ("[echo, b]", "[echo, bb]"), ("[echo, c]", "[echo, cc]"), ("[echo, d]", "[echo, dd]"),
])  # fmt: skip
def test_an_agreement_is_for_one_command(planned: Planned, workshop: Workshop, old: str, new: str) -> None:
    """Another command, folder, variable, undo or check is another digest; the same is the same."""
    digest = one(planned(step(BASE)), workshop).digest
    assert len(digest) == 12
    assert one(planned(step(BASE)), workshop).digest == digest
    assert one(planned(step(BASE.replace(old, new))), workshop).digest != digest


def test_an_agreement_is_for_one_user(planned: Planned, workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was agreed to as somebody is not agreed to as root."""
    digest = one(planned(step(BASE)), workshop).digest
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert one(planned(step(BASE)), workshop).digest != digest


def test_an_agreement_is_for_one_content(planned: Planned, workshop: Workshop, tmp_path: Path) -> None:
    """An edit is bound to what the file holds now and then."""
    path = tmp_path / "x"
    path.write_text("A=1\n")
    plan = planned(step('kind: change, edit: {file: "{file}", set: {A: "2"}}'), file=str(path))
    before = one(plan, workshop)
    assert before.diff[-2:] == ("-A=1", "+A=2")
    path.write_text("A=1\n\n")
    assert one(plan, workshop).digest != before.digest


@pytest.mark.parametrize(("name", "reason"), [
    ("gone/x", "No such file or directory"), ("folder", "is no regular file"), ("link", "is a link to"),
])  # fmt: skip
def test_files_that_are_left_alone(
    planned: Planned, workshop: Workshop, tmp_path: Path, name: str, reason: str
) -> None:
    """The reason stands with the step."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "x")
    plan = planned(step('kind: change, edit: {file: "{file}", set: {A: "2"}}'), file=str(tmp_path / name))
    found = one(plan, workshop)
    assert found.state is StepState.UNAVAILABLE
    assert reason in found.reason


PID = '\nparameters:\n  pid: {type: %s, from: ask, help: x}\nsteps:\n  - {id: a, title: A, why: So., kind: change, end_process: "{pid}"}\n'


@pytest.mark.parametrize(("kind", "pid", "reason"), [
    ("pid", "1", "process 1 holds the whole machine or container"), ("pid", "ourselves", "is this program"),
    ("pid", "who started us", "is this program, or one that started it"), ("pid", "4194304", "no process 4194304 runs any more"),
    ("ident", "init", "no process init runs any more"), ("ident", "٣", "cannot be prepared"),
])  # fmt: skip
def test_processes_that_are_never_ended(planned: Planned, workshop: Workshop, kind: str, pid: str, reason: str) -> None:
    """Process 1, ourselves, those who started us, and what is no process."""
    number = {"ourselves": str(os.getpid()), "who started us": str(os.getppid())}.get(pid, pid)
    found = one(planned(PID % kind, pid=number), workshop)
    assert found.state is StepState.UNAVAILABLE
    assert reason in found.reason


CHANGE = 'kind: change, launch: {remove: [enable-ep-moe], set: {port: "30001"}}'


def test_a_launch_command_that_is_not_known(planned: Planned, workshop: Workshop) -> None:
    """People have it before them: the change is told."""
    found = one(planned(step(CHANGE)), workshop)
    assert (found.state, found.reason) == (StepState.SHOWN, "the launch command is not known")
    assert found.words == Words("Change the launch command: --port 30001, without --enable-ep-moe.")


def test_a_launch_command_is_changed_step_by_step(planned: Planned, workshop: Workshop) -> None:
    """Shown with old and new words; the next step begins with the new ones."""
    known = replace(workshop, launch=LAUNCH)
    found = one(planned(step('kind: change, launch: {set: {port: "30001"}}')), known)
    assert found.state is StepState.SHOWN
    assert found.words == Words("", ((*LAUNCH[:-1], "30001"),))
    after = known.after(found.launch)
    assert after.launch[-1] == "30001"
    assert after.launch_changed
    assert not known.after(LAUNCH).launch_changed


def test_a_launch_file_is_written_where_there_is_none(planned: Planned, workshop: Workshop, tmp_path: Path) -> None:
    """With its own diff against the command, executable, and by nothing but the agreement."""
    known = replace(workshop, launch=LAUNCH, launch_file=tmp_path / "serve.sh")
    found = one(planned(step('kind: change, launch: {set: {port: "30001"}}')), known)
    assert found.state is StepState.READY
    assert found.edit is not None
    assert found.edit.new_mode == 0o700
    assert b"30001" in found.edit.after
    assert not (tmp_path / "serve.sh").exists()


def test_a_script_that_cannot_be_changed(planned: Planned, workshop: Workshop, tmp_path: Path) -> None:
    """Two launch commands in it, or none: nobody can say which is meant."""
    script = tmp_path / "serve.sh"
    script.write_text("#!/bin/bash\necho hello\n")
    found = one(planned(step(CHANGE)), replace(workshop, launch=LAUNCH, launch_file=script))
    assert found.state is StepState.UNAVAILABLE
    assert str(script) in found.reason


def test_a_restart_that_nobody_can_do(planned: Planned, workshop: Workshop) -> None:
    """Without a command and without a process it is for people."""
    found = one(planned("\nsteps:\n  - {id: a, title: A, why: So., kind: restart, restart: {}}\n"), workshop)
    assert (found.state, found.reason) == (StepState.SHOWN, "the program cannot do this here")
    assert found.words is not None
