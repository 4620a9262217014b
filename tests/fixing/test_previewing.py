"""A plan as it is shown: for every step exactly what would be done."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from triage.fixing.plan import Plan
from triage.fixing.previewing import preview_plan
from triage.fixing.runner import ready_steps
from triage.fixing.workshop import Workshop
from triage.playbook import Case, ShownValue

Planned = Callable[..., Plan]
TEXT = """
applies: {gpu.count: {gt: 1}}
parameters:
  file: {type: path, from: ask, help: a file}
  port: {type: port, from: [capture port, ask], help: the port}
steps:
  - id: run
    title: Show {port}
    why: So.
    kind: change
    argv: [echo, "{port}"]
    cwd: /tmp
    env: {A: "{port}"}
    preview: {argv: [ls, "{file}"]}
    already_done: {argv: [test, -e, "{file}"], label: it is there}
    verify: {argv: [test, -e, "{file}"]}
    undo: {argv: [rm, "{file}"]}
    needs: [restart]
    timeout: 7
  - {id: edit, title: Edit, why: So., kind: change, edit: {file: "{file}", set: {A: "2"}}}
  - {id: hand, title: By hand, why: So., kind: manual, text: Do it., commands: [[reboot, "{port}"]]}
  - {id: out, title: Out, why: So., kind: manual, text: x, when: {gpu.count: {lt: 1}}}
  - {id: lost, title: Lost, why: So., kind: check, argv: [no-such-program-here]}
verify:
  - {argv: ["true"], label: all is well}
"""


def test_everything_that_would_be_done(planned: Planned, workshop: Workshop, tmp_path: Path) -> None:
    """Command, folder, variables, user, checks, undo, limit, diff; and nothing of it happens."""
    path = tmp_path / "x"
    path.write_text("A=1\n")
    plan = planned(TEXT, Case("d", {"gpu.count": 4}, {"port": 30000}, {"capture port": "a.log:3"}), file=str(path))
    shown = preview_plan(plan, workshop)
    run, edit, hand, out, lost = shown.steps
    assert run.command[0].startswith("/")
    assert run.command[1:] == ("30000",)
    assert (run.title, run.cwd, run.env, run.user, run.timeout_s) == (
        "Show 30000",
        "/tmp",
        (("A", "30000"),),
        "tester",
        7,
    )
    assert run.preview[1:] == (str(path),)
    assert (run.already_done, run.verify) == ("it is there", f"test -e {path} ends with 0")
    assert run.undo.endswith(f"rm {path}")
    assert run.needs == ("restart",)
    assert edit.diff[-2:] == ("-A=1", "+A=2")
    assert "byte for byte" in edit.undo
    assert (hand.state, hand.commands, hand.digest) == ("shown", (("reboot", "30000"),), "")
    assert (out.state, out.reason, out.digest) == ("left-out", "not needed here: gpu.count is 4", "")
    assert lost.state == "unavailable"
    assert lost.digest == ""
    assert shown.after == ("all is well",)
    assert shown.values[:2] == (ShownValue("file", str(path), "--set file"), ShownValue("port", "30000", "a.log:3"))
    assert [item.digest for item in ready_steps(plan, workshop)][:2] == [run.digest, edit.digest]
    assert path.read_text() == "A=1\n"


@pytest.mark.parametrize(("facts", "note"), [
    ({"gpu.count": 1}, "this playbook does not apply here: gpu.count is 1"),
    ({}, "whether this playbook applies is not known: gpu.count is not told"),
])  # fmt: skip
def test_whether_it_applies(planned: Planned, workshop: Workshop, facts: dict[str, int], note: str) -> None:
    """Shown nevertheless, with the fact that speaks against it."""
    shown = preview_plan(planned(TEXT, Case(facts=facts)), workshop)
    assert shown.notes == (note,)


def test_a_value_that_is_not_known_is_told(planned: Planned, workshop: Workshop) -> None:
    """With the way to give it; the steps that need it say so too."""
    shown = preview_plan(planned(TEXT), workshop)
    assert shown.values[1].problem == "ask: the port (--set port=VALUE) (no capture 'port' is known)"
    assert shown.steps[0].state == "unavailable"


def test_the_process_that_would_end(planned: Planned, workshop: Workshop) -> None:
    """By number, name and start, so that people see which one it is."""
    text = "\nparameters:\n  pid: {type: pid, from: ask, help: x}\nsteps:\n"
    text += '  - {id: a, title: A, why: So., kind: change, end_process: "{pid}"}\n'
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        (step,) = preview_plan(planned(text, pid=str(process.pid)), workshop).steps
        assert step.text.startswith(f"End process {process.pid} (")
        assert "SIGTERM, then SIGKILL" in step.text
    finally:
        process.kill()
        process.wait()


def test_the_user_is_who_we_are(planned: Planned, workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not who a variable that sudo kept says we are."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    real = replace(workshop, surroundings=replace(workshop.surroundings, user="root"))
    shown = preview_plan(planned("\nsteps:\n  - {id: a, title: A, why: So., kind: check, argv: [ls]}\n"), real)
    assert shown.steps[0].user == "root"
