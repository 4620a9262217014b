"""Runs whose operator answers from another thread."""

from __future__ import annotations

import hashlib
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from triage.fixing.opening import open_fix
from triage.fixing.previewing import preview_plan
from triage.fixing.runner import Decision
from triage.fixing.runs import latest
from triage.fixing.undoing import steps_to_undo
from triage.knowledge.playbooks import load_playbook
from triage.playbook import Case
from triage.session.bench import Bench
from triage.session.fix_plan import ShownPlan
from triage.session.fix_talk import FixTalk, begin, go_on, take_back

HEAD = """id: sample
title: A test
fixes: [port-in-use]
watch_for: ready
parameters:
  folder: {type: path, from: ask, help: x}
steps:
"""
STEP = """
  - id: %s
    title: Run code
    why: To see what it prints.
    kind: change
    argv: ["{python}", "{folder}/code.py", "{folder}/%s"]
    undo: {argv: [rm, "{folder}/%s"]}
"""
CODE = """
import pathlib, sys, time
print("begun", flush=True)
while pathlib.Path(sys.argv[1] + ".wait").exists():
    time.sleep(0.02)
pathlib.Path(sys.argv[1]).touch()
"""


PLAYBOOK = HEAD + "".join(STEP % (name, name, name) for name in ("first", "second"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Journals lie in the folder of the test, and its playbook may run."""
    trusted = hashlib.sha256(PLAYBOOK.encode()).hexdigest()
    return Bench({"XDG_STATE_HOME": str(tmp_path / "state")}, Path(sys.executable), trusted=("0" * 12, trusted))


@pytest.fixture
def shown(tmp_path: Path, bench: Bench) -> Callable[[], ShownPlan]:
    """The plan of two steps, with its last run."""
    path = tmp_path / "playbooks" / "test" / "sample.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(PLAYBOOK)
    (tmp_path / "code.py").write_text(CODE)

    def plan() -> ShownPlan:
        playbook = load_playbook("sample", [tmp_path / "playbooks"])
        assert playbook is not None
        given = {"folder": str(tmp_path)}
        fix = open_fix(playbook, Case(), given, bench.environment, python=bench.python, asks_host=False)
        last = latest(tmp_path / "state" / "sgltriage" / "journal", "sample")
        undo = steps_to_undo(last.records) if last is not None else ()
        return ShownPlan(fix, preview_plan(fix.plan, fix.workshop), "", last, last, undo)

    return plan


def wait(holds: Callable[[], object]) -> None:
    """Wait for what another thread does."""
    limit = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < limit
        threading.Event().wait(0.005)


def answer(talk: FixTalk, decision: Decision) -> None:
    """Wait for the next question, and answer it."""
    wait(lambda: talk.question is not None)
    question = talk.question
    assert question is not None
    talk.reply(question, decision)


Shown = Callable[[], ShownPlan]


def test_asked_and_told(shown: Shown, bench: Bench, tmp_path: Path) -> None:
    """Each step is asked about with what it would do now; an answer to another question is none."""
    talk = begin(shown(), (), bench)
    wait(lambda: talk.question is not None)
    first = talk.question
    assert first is not None
    assert first.step is not None
    assert (first.number, first.step.id, first.step.command[0]) == (1, "first", sys.executable)
    assert not talk.is_working
    talk.reply(first, Decision.RUN)
    wait(lambda: talk.question is not None)
    talk.reply(first, Decision.RUN)
    assert talk.question is not None, "the first question's answer is not the second's"
    answer(talk, Decision.SKIP)
    done = talk.finished()
    assert done.run is not None
    assert done.run.result.outcomes == (("first", "done"), ("second", "skipped"))
    assert [(item.step, item.outcome) for item in talk.news()] == [("first", "done"), ("second", "skipped")]
    assert talk.lines() == ["begun"]
    assert (tmp_path / "first").exists()
    assert not (tmp_path / "second").exists()


def test_a_step_is_ended(shown: Shown, bench: Bench, tmp_path: Path) -> None:
    """By another thread, though it prints nothing; the journal holds its end, and the next step is not asked about."""
    (tmp_path / "first.wait").touch()
    talk = begin(shown(), (), bench)
    answer(talk, Decision.RUN)
    wait(talk.lines)
    assert talk.is_working
    time.sleep(0.3)  # silent by now, which takes no event
    talk.end_step()
    done = talk.finished()
    assert done.run is not None
    assert done.run.result.outcomes == (("first", "broken-off"),)
    assert not (tmp_path / "first").exists()


def test_closing_ends_everything(shown: Shown, bench: Bench, tmp_path: Path) -> None:
    """Whether it is asked or at work; nothing further is run."""
    talk = begin(shown(), (), bench)
    wait(lambda: talk.question is not None)
    assert talk.close()
    assert talk.finished().run is not None
    (tmp_path / "first.wait").touch()
    talk = begin(shown(), (), bench)
    answer(talk, Decision.RUN)
    wait(talk.lines)
    assert talk.close()
    assert not (tmp_path / "first").exists()


def test_gone_on_with_and_taken_back(
    shown: Shown, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same journal: finished steps are not repeated; each is taken back when that is agreed to."""
    talk = begin(shown(), (tmp_path,), bench)
    answer(talk, Decision.RUN)
    answer(talk, Decision.STOP)
    assert talk.finished().run is not None
    talk = go_on(shown(), (tmp_path,), bench)
    answer(talk, Decision.RUN)
    done = talk.finished()
    assert done.run is not None
    assert done.run.result.outcomes == (("first", "already"), ("second", "done"))
    talk = take_back(shown(), bench)
    wait(lambda: talk.question is not None)
    assert talk.question is not None
    assert talk.question.undo is not None
    assert talk.question.undo.step == "second"
    answer(talk, Decision.RUN)
    answer(talk, Decision.SKIP)
    assert talk.finished().undone == (("second", "undone"),)
    assert (tmp_path / "first").exists()
    assert not (tmp_path / "second").exists()


def test_what_is_gone_on_with_is_trusted_as_it_is_now(shown: Shown, bench: Bench, tmp_path: Path) -> None:
    """A playbook from elsewhere that changed since its plan was shown runs nothing."""
    talk = begin(shown(), (tmp_path,), bench)
    answer(talk, Decision.STOP)
    assert talk.finished().run is not None
    plan = shown()
    with open(tmp_path / "playbooks" / "test" / "sample.yaml", "a") as file:
        file.write("# changed\n")
    with pytest.raises(PermissionError, match="is not one of ours"):
        go_on(plan, (tmp_path,), bench).finished()


def test_only_shown(shown: Shown, bench: Bench) -> None:
    """What may only be looked at is not begun, whoever calls."""
    from dataclasses import replace

    plan = replace(shown(), only_shown="not here")
    starts: list[Callable[[], FixTalk]] = [
        lambda: begin(plan, (), bench),
        lambda: go_on(plan, (), bench),
        lambda: take_back(plan, bench),
    ]
    for start in starts:
        with pytest.raises(PermissionError, match="not here"):
            start()
    with pytest.raises(LookupError):
        go_on(replace(plan, only_shown="", unfinished=None), (), bench)
    with pytest.raises(LookupError):
        take_back(replace(plan, only_shown="", last=None), bench)
