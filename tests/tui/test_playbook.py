"""Playbooks on the screen: nothing runs but what was shown, agreed to and still is so; a real environment is repaired."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.events import Key

from tests.cli.test_fix_packages import installed
from tests.tui.conftest import Walk, screen_text
from tests.tui.sitting import sit
from triage.fixing.opening import open_fix
from triage.fixing.previewing import preview_plan
from triage.fixing.runs import cut_off
from triage.knowledge.compiled import Knowledge
from triage.knowledge.playbooks import load_playbook
from triage.playbook import Case
from triage.session.fix_plan import ShownPlan
from triage.tui.screens.playbook import PlaybookScreen
from triage.tui.widgets.approval import ApprovalRow

MISSING = """[2026-03-01 09:00:00] server_args=ServerArgs(model_path='/models/m', host='127.0.0.1', port=30000, tp_size=1)
Traceback (most recent call last):
  File "/opt/server/lib/python3.11/site-packages/sglang/launch_server.py", line 7, in <module>
    from sglang.srt.server_args import prepare_server_args
ModuleNotFoundError: No module named 'setproctitle'
"""
HEAD = """id: sample
title: A test
fixes: [missing-python-module]
watch_for: ready
parameters:
  folder: {type: path, from: ask, help: x}
steps:
"""
STEP = """
  - id: %s
    title: Run [bold]code[/bold]
    why: To see what it prints.
    kind: change
    risk: %s
    argv: ["{python}", "{folder}/code.py", %s, "{folder}"]
    env: {SGLANG_TEST: "1"}
    cwd: "{folder}"
    undo: {argv: [rm, "{folder}/%s"]}
"""
CODE = r"""
import pathlib, sys, time
folder = pathlib.Path(sys.argv[2])
print("\x1b]0;owned\x07 [bold red]markup[/] [@click=app.exit]x[/] \u202ehidden", flush=True)
print("token: hf_abcdefghijklmnopqrstuvwxyzABCDEFGH", flush=True)
if (folder / "slow").exists():
    for _ in range(600):
        print("working", flush=True)
        time.sleep(0.1)
(folder / sys.argv[1]).touch()
"""


@pytest.fixture(autouse=True)
def here(drawn_alike: Path) -> Path:
    """A folder with the log and the code of the steps."""
    (drawn_alike / "server.log").write_text(MISSING)
    (drawn_alike / "code.py").write_text(CODE)
    return drawn_alike


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """Journals lie in the folder of the test."""
    return {"XDG_STATE_HOME": str(tmp_path / "state"), "HOME": str(tmp_path)}


Lay = Callable[..., None]


@pytest.fixture
def lay(here: Path, variables: dict[str, str]) -> Lay:
    """``lay(walk, ("first", "reversible"), ...)``: put a playbook with such steps before the operator, as one of ours."""

    def put(walk: Walk, *steps: tuple[str, str]) -> None:
        path = here / "playbooks" / "test" / "sample.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + "".join(STEP % (name, risk, name, name) for name, risk in steps))
        playbook = load_playbook("sample", [here / "playbooks"])
        assert playbook is not None
        fix = open_fix(playbook, Case(), {"folder": str(here)}, variables, python=Path(sys.executable), asks_host=False)
        fixing = walk.desk.fixing
        fixing.diagnosis = "missing-python-module"
        fixing.plan = ShownPlan(fix, preview_plan(fix.plan, fix.workshop))
        fixing.revision += 1

    return put


def made(folder: Path) -> list[str]:
    """The traces that steps left."""
    return [name for name in ("first", "second", "third") if (folder / name).exists()]


def asked(text: str) -> bool:
    """A step is asked about, and answers are taken."""
    return "do it   n: leave it out" in text or "and Enter: _" in text


def test_a_missing_module_is_installed_and_taken_back(
    knowledge: Knowledge, environment: Path, wheels: Path, here: Path, variables: dict[str, str]
) -> None:
    """From the log to a server's environment that can import it: plan, approval, output, verdict, summary; and back."""
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}

    async def story(walk: Walk) -> None:
        await walk.press("f")
        text = await walk.until(lambda text: "r goes through the steps" in text)
        assert "install-package" in text
        assert "u takes back" not in text
        await walk.press("r")
        text = await walk.until(asked)
        # A long path is broken wherever the screen ends.
        command = "".join(text.partition("run  ")[2].partition("folder ")[0].split())
        assert command.startswith(f"{environment}-mpip")
        assert "installsetproctitle" in command
        assert "folder   /" in text
        assert "verify" in text
        assert "undo" in text
        assert installed(environment) == ""
        await walk.press("y")
        text = await walk.until(lambda text: "r goes through the steps" in text and "fixed" in text)
        assert installed(environment) == "1.3.6"
        assert "setproctitle-1.3.6" in text, "what pip printed stands below"
        assert re.search(r"\d done +install-package", text), text
        await walk.press("s")
        text = await walk.until(lambda text: text.startswith(" Summary"))
        assert "**fixed**" in "\n".join(walk.app.screen._text().split("\n"))  # type: ignore[attr-defined]
        await walk.press("q", "p")
        await walk.until(lambda text: "u Undo" in text)
        await walk.press("u")
        await walk.until(lambda text: "y: take it back" in text)
        assert installed(environment) == "1.3.6"
        await walk.press("y")
        await walk.until(lambda text: "Taken back" in text and "r goes through the steps" in text)
        assert installed(environment) == ""

    desk = sit(
        knowledge,
        ["server.log"],
        story,
        environment={**variables, **index},
        python=environment,
        session=here / "s.json",
    )
    assert desk.session is not None
    state = json.loads((here / "s.json").read_text())["state"]
    assert [item["kind"] for item in state["actions"]] == ["fix", "note"]
    assert state["runs"][0]["verdict"] == "fixed"


def test_only_what_is_on_the_screen_is_agreed_to(
    knowledge: Knowledge, here: Path, variables: dict[str, str], lay: Lay
) -> None:
    """Keys typed ahead, on other screens, or in lower case for a word, run nothing; what steps print is shown and not obeyed."""

    async def story(walk: Walk) -> None:
        lay(walk, ("first", "reversible"), ("second", "disruptive"), ("third", "reversible"))
        await walk.press("p")
        text = await walk.until(lambda text: "Run [bold]code[/bold]" in text)
        await walk.press("r")
        # A row that is shut is on the screen for a fifth of a second: whatever comes until then is typed ahead.
        while not asked(screen_text(walk.app)):
            walk.app.post_message(Key("y", "y"))
            walk.app.look()
            await asyncio.sleep(0.005)
        text = await walk.press("j")
        assert made(here) == []
        for wanted in (f"in {here}", "SGLANG_TEST=1", "digest", "can be undone"):
            assert wanted in re.sub(r"\s*\n\s*", "", text) or wanted in text, wanted
        await walk.press("question_mark", "y", "escape", "l", "y", "q")
        assert made(here) == []
        await walk.press("p")
        await walk.until(asked)
        await walk.press("y")
        text = await walk.until(lambda text: "type INTERRUPT and Enter: _" in text)
        assert made(here) == ["first"]
        assert "␛]0;owned␇ [bold red]markup[/] [@click=app.exit]x[/] <U+202E>hidden" in text, text
        assert "hf_abcdef" not in text
        await walk.press("y", "enter", *"interrupt", "enter", *"INTERRUPS", "enter")
        assert made(here) == ["first"]
        text = await walk.press(*"INTERRUPX", "backspace", "T")
        assert "Enter: INTERRUPT_" in text
        await walk.press("enter")
        await walk.until(lambda text: "Step 3 of 3" in text and asked(text))
        assert made(here) == ["first", "second"]
        await walk.press("n")
        await walk.until(lambda _: not walk.desk.is_fixing)
        assert made(here) == ["first", "second"]
        assert [item.outcome for item in walk.desk.fixing.told.values()] == ["done", "done", "skipped"]
        assert walk.desk.session is not None
        assert walk.desk.session.state.runs[0].outcomes == (("first", "done"), ("second", "done"), ("third", "skipped"))

    sit(knowledge, ["server.log"], story, environment=variables)


def test_the_step_that_is_asked_about_is_in_sight(
    knowledge: Knowledge, here: Path, variables: dict[str, str], lay: Lay
) -> None:
    """However many steps there are on however small a screen, with how many are not shown."""

    async def story(walk: Walk) -> None:
        names = ("first", "second", "third", "fourth", "fifth", "sixth")
        lay(walk, *((name, "reversible") for name in names))
        await walk.press("p", "r")
        for number, name in enumerate(names, 1):
            text = await walk.until(lambda text, number=number: f"Step {number} of 6" in text and asked(text))  # type: ignore[misc]
            assert re.search(rf"^ > {number} now +{name} ", text, re.MULTILINE), text
            assert "4 more; all are told below" in text
            await walk.press("n")
        await walk.until(lambda _: not walk.desk.is_fixing)

    sit(knowledge, ["server.log"], story, environment=variables, size=(60, 16))


def test_a_row_is_shut_until_it_is_opened() -> None:
    """An event that is older than the opening is no answer, whoever delivers it when."""
    row = ApprovalRow()
    answered: list[object] = []
    row.post_message = answered.append  # type: ignore[method-assign,assignment]
    row.update = lambda *_, **__: None  # type: ignore[method-assign]
    early = Key("y", "y")
    row.ask("Do this?", {"y": "do it", "n": "no"})
    row.on_key(early)
    row.open(early.time + 1)
    row.on_key(early)
    assert answered == []
    late = Key("y", "y")
    late.time = early.time + 2
    row.on_key(late)
    assert [type(item) for item in answered] == [ApprovalRow.Answered]
    row.on_key(late)
    assert len(answered) == 1, "an answer shuts it"


def test_quitting_while_a_step_runs_asks(knowledge: Knowledge, here: Path, variables: dict[str, str], lay: Lay) -> None:
    """Escape stays; ending it ends the step, and the journal says where it stopped, so that it can be gone on with."""
    (here / "slow").touch()

    async def story(walk: Walk) -> None:
        lay(walk, ("first", "reversible"), ("second", "reversible"))
        await walk.press("p", "r")
        await walk.until(asked)
        await walk.press("y")
        await walk.until(lambda text: "working" in text)
        await walk.press("ctrl+q")
        await walk.until(lambda text: "is being carried out" in text)
        await walk.press("escape")
        assert walk.desk.fixing.is_working
        await walk.press("q", "q")
        await walk.until(lambda text: "is being carried out" in text)
        await walk.press("e")

    sit(knowledge, ["server.log"], story, environment=variables)
    assert made(here) == []
    run = cut_off(here / "state" / "sgltriage" / "journal")
    assert run is not None
    assert not run.live
    assert [item.event for item in run.records][:4] == ["plan", "approve", "begin", "end"]
    assert run.records[3].data["told"] == "broken off"


def test_a_run_that_was_ended_is_gone_on_with(
    knowledge: Knowledge, here: Path, variables: dict[str, str], environment: Path, wheels: Path
) -> None:
    """What was stopped before its first step is offered again, and R carries it out."""
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}

    async def story(walk: Walk) -> None:
        await walk.press("f")
        await walk.until(lambda text: "r goes through the steps" in text)
        await walk.press("r")
        await walk.until(asked)
        await walk.press("x")
        text = await walk.until(lambda text: "R goes on with the run that was cut off" in text)
        assert "nothing was changed" in text
        await walk.press("R")
        await walk.until(asked)
        await walk.press("y")
        await walk.until(lambda text: "r goes through the steps" in text and "fixed" in text)
        assert installed(environment) == "1.3.6"

    sit(knowledge, ["server.log"], story, environment={**variables, **index}, python=environment)


def test_read_only_runs_nothing(knowledge: Knowledge, here: Path, variables: dict[str, str]) -> None:
    """The plan is shown with the reason; its keys are not offered and do nothing."""

    async def story(walk: Walk) -> None:
        await walk.press("f")
        text = await walk.until(lambda text: "nothing is run: this session is read-only" in text)
        assert "r Run" not in text
        await walk.press("r", "y", "u", "R")
        assert not walk.desk.is_fixing
        screen = walk.app.screen
        assert isinstance(screen, PlaybookScreen)
        screen.action_begin()
        assert not walk.desk.is_fixing, "nor does the action by itself"
        assert "read-only" in walk.desk.fixing.trouble

    sit(knowledge, ["server.log"], story, environment=variables, read_only=True, python=Path(sys.executable))
    assert not (here / "state" / "sgltriage" / "journal").exists()
