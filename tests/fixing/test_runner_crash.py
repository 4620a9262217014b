"""The real ``sgltriage fix`` killed at every point of a run, and what ``--resume`` and ``--undo`` then make of it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.fixing.warm_command import WarmCommand
from tests.processes import soon
from triage.fixing.opening import open_fix
from triage.fixing.runner import ready_steps
from triage.fixing.runs import RunSummary, latest, verify
from triage.fixing.step_records import StepProgress, state_of
from triage.knowledge.playbooks import load_playbook
from triage.playbook import Case

HELPER = """
# What each step, check and undo of the playbook does; once, where the file "fault" names it, it kills who runs it.
import os, signal, sys, time
what, step, folder = sys.argv[1:4]
effects, fault = folder + "/effects", folder + "/fault"

def text_of(path):
    try:
        with open(path) as stream:
            return stream.read()
    except FileNotFoundError:
        return ""

def write(path, text):
    with open(path, "w") as stream:
        stream.write(text)

def is_at(name):
    if text_of(fault) != f"{what} {step} {name}":
        return False
    os.unlink(fault)
    return True

runner = os.getppid()
is_left_alone = is_at("start")
if is_left_alone:
    os.kill(runner, signal.SIGKILL)
    while os.getppid() == runner:
        time.sleep(0.005)
there = text_of(effects).split()
if what == "do":
    write(effects, "\\n".join([*there, step]))
if what == "undo":
    write(effects, "\\n".join(item for item in there if item != step))
if is_left_alone:
    write(folder + "/left-alone", "")
if what == "ask" and step not in there:
    sys.exit(1)
if is_at("end"):
    # Whoever runs us must not see us end: it is stopped first, and the test kills it then.
    os.kill(runner, signal.SIGSTOP)
"""
FAULTS = {
    "none": "",
    # Everything for the process is made ready, and it is not started yet.
    "before-exec": """
import os, signal, sys
def die(event, arguments):
    if event == "subprocess.Popen" and [b"do", {word!r}] == [os.fsencode(item) for item in arguments[1]][3:5]:
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(die)
""",
    # The disk gets half of the record, and then the machine is off.
    "journal-write": """
import os, signal
def half(file, data, write=os.write):
    if {word!r} not in data:
        return write(file, data)
    write(file, data[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
os.write = half
""",
}
"""What sgltriage does to itself, where nothing that it starts could kill it."""
STEP = """
  - id: {step}
    title: The {step} step
    why: To leave a trace.
    kind: change
    argv: ["{{python}}", -IS, "{{helper}}", do, {step}, "{{folder}}"]
    verify: {{argv: ["{{python}}", -IS, "{{helper}}", ask, {step}, "{{folder}}"], label: verified}}
    undo: {{argv: ["{{python}}", -IS, "{{helper}}", undo, {step}, "{{folder}}"]}}
"""
CHECK = '    already_done: {{argv: ["{{python}}", -IS, "{{helper}}", ask, {step}, "{{folder}}"], label: there}}\n'
EDIT = """
  - id: edit
    title: Set a variable
    why: It is read.
    kind: change
    edit: {file: "{folder}/server.env", set: {A: "2"}}
"""
STEPS = ("first", "second", "third")
NewFix: TypeAlias = "Callable[[str], Fix]"


class Fix:
    """One playbook in a home of its own, run for real."""

    def __init__(self, folder: Path, cache: Path, command: WarmCommand, steps: str) -> None:
        self.folder, self.command = folder, command
        self.helper = folder / "helper.py"
        self.helper.write_text(HELPER)
        path = folder / "pack" / "playbooks" / "test" / "three-steps.yaml"
        path.parent.mkdir(parents=True)
        parameters = "".join(f"  {name}: {{type: path, from: ask, help: a path}}\n" for name in ("helper", "folder"))
        path.write_text(
            "id: three-steps\ntitle: A test\nfixes: [port-in-use]\nwatch_for: ready\nparameters:\n"
            + parameters
            + f"steps:{steps}"
        )
        self.trust = ("--trust", hashlib.sha256(path.read_bytes()).hexdigest()[:12])
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CACHE_HOME": str(cache), "LC_ALL": "C.UTF-8",
        }  # fmt: skip
        given = {"helper": str(self.helper), "folder": str(folder)}
        self.begin = (
            "three-steps", "--kb", str(folder / "pack"), "--python", sys.executable,
            *(word for name, text in given.items() for word in ("--set", f"{name}={text}")),
        )  # fmt: skip
        read = load_playbook("three-steps", [folder / "pack" / "playbooks"])
        assert read is not None
        fix = open_fix(read, Case(), given, self.environment, python=Path(sys.executable))
        self.tokens = {item.step.id: f"{item.step.id}@{item.digest}" for item in ready_steps(fix.plan, fix.workshop)}

    def agreed(self, *without: str) -> list[str]:
        """The agreement to every step but some."""
        return [word for step, token in self.tokens.items() if step not in without for word in ("--yes-to", token)]

    def run(self, *words: str, fault: str = "none", word: str = "-") -> subprocess.CompletedProcess[str]:
        """One process of ``sgltriage fix``, to its end; one that was stopped is killed when its step has ended."""
        done = self.command.run(
            ("fix", *words, *self.trust), self.folder, self.environment, prelude=FAULTS[fault].format(word=word.encode()),
            on_stop=_killed_when_its_child_is_dead,
        )  # fmt: skip
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def broken_off(self, before: str) -> None:
        """A run that ends at a step which is not what was agreed to, so that it can be gone on with."""
        done = self.run(*self.begin, *self.agreed(before), "--yes-to", f"{before}@000000000000")
        assert done.returncode == 1, done.stderr
        assert "it is not what was agreed to" in done.stdout

    def killed(self, *words: str, at: str = "", fault: str = "none", word: str = "-") -> None:
        """A run that does not survive."""
        if at:
            (self.folder / "fault").write_text(at)
        done = self.run(*words, fault=fault, word=word)
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
        if at.endswith(" start"):
            # What was started goes on without us.
            assert soon((self.folder / "left-alone").exists), "what was left alone did not end"

    @property
    def effects(self) -> list[str]:
        """The traces of the steps, in order."""
        path = self.folder / "effects"
        return path.read_text().split() if path.exists() else []

    @property
    def last(self) -> RunSummary:
        """The run, of which there is only one."""
        found = latest(self.folder / "state" / "sgltriage" / "journal")
        assert found is not None
        return found

    @property
    def progress(self) -> dict[str, StepProgress]:
        """How far each step got."""
        return state_of(self.last.records)


def _killed_when_its_child_is_dead(pid: int) -> None:
    def is_dead() -> bool:
        return any(words[:2] == ["Z", str(pid)] for words in map(_stat, Path("/proc").iterdir()))

    assert soon(is_dead), "the step did not end"
    os.kill(pid, signal.SIGKILL)


def _stat(folder: Path) -> list[str]:
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split() if folder.name.isdecimal() else []
    except OSError:
        return []


@pytest.fixture(scope="module")
def command(cache: Path) -> Iterator[WarmCommand]:
    """The command, for all tests of the module."""
    with contextlib.closing(WarmCommand(cache)) as found:
        yield found


@pytest.fixture
def new_fix(tmp_path: Path, cache: Path, command: WarmCommand) -> NewFix:
    """Makes a playbook of these steps in a home of its own."""
    return lambda steps: Fix(tmp_path, cache, command, steps)


def three(second: str = "") -> str:
    """The steps, the second with something more."""
    return "".join(STEP.format(step=step) + (second.format(step=step) if step == "second" else "") for step in STEPS)


def finished(fix: Fix) -> None:
    """All was done, just once, and the journal stands."""
    assert fix.effects == list(STEPS)
    assert fix.progress == dict.fromkeys(STEPS, StepProgress.FINISHED)
    assert verify(fix.last.path) is None
    assert fix.last.records[-1].event == "verdict"


# Where it is killed, what is left of the second step, whether its effect is there, and whether the last record is torn.
CONCLUDED = {
    "during exec": ({"at": "do second start"}, StepProgress.BEGUN, True, False),
    "after exec, before its end is noted": ({"at": "do second end"}, StepProgress.BEGUN, True, False),
    "while its end is written": (
        {"fault": "journal-write", "word": '"event":"end","exit":0,"hash"'}, StepProgress.BEGUN, True, True,
    ),
    "while its begin is written": ({"fault": "journal-write", "word": '"event":"begin"'}, None, False, True),
    "while it is looked whether it is done already": ({"at": "ask second start"}, None, False, False),
}  # fmt: skip


@pytest.mark.parametrize("point", CONCLUDED)
def test_a_step_with_a_check_is_neither_repeated_nor_left_out(new_fix: NewFix, point: str) -> None:
    """Resumed, the check tells whether the step was done; what is left is done, and each step once."""
    fault, progress, had_effect, torn = CONCLUDED[point]
    fix = new_fix(three(CHECK))
    if "word" in fault:
        # The records of the first step are written by a process of their own, so that those of the second are the first hit.
        fix.broken_off(before="second")
        fix.killed("--resume", *fix.agreed(), **fault)
    else:
        fix.killed(*fix.begin, *fix.agreed(), **fault)
    assert fix.effects == ["first", "second"][: 1 + had_effect]
    left = fix.progress
    assert left.get("first") is StepProgress.FINISHED
    assert left.get("second") in ({progress} if progress else {None, StepProgress.SKIPPED})
    assert (fix.last.broken is not None and fix.last.broken.torn) == torn
    done = fix.run("--resume", *fix.agreed())
    assert "Traceback" not in done.stderr
    finished(fix)


def test_a_step_that_was_not_started_is_asked_about(new_fix: NewFix) -> None:
    """Killed between its begin and its exec: nobody can know that it was not started, so nothing goes on before somebody says
    what is to be done; then it is done, once."""
    fix = new_fix(three())
    fix.killed(*fix.begin, *fix.agreed(), fault="before-exec", word="second")
    assert fix.progress == {"first": StepProgress.FINISHED, "second": StepProgress.BEGUN}
    asked = fix.run("--resume", *fix.agreed("second"))
    assert asked.returncode == 1
    assert "it was begun and has no end" in asked.stdout
    assert f"--yes-to {fix.tokens['second']}" in asked.stdout
    assert fix.effects == ["first"], "neither repeated nor passed over"
    fix.run("--resume", *fix.agreed())
    finished(fix)


def test_a_step_that_was_carried_out_is_asked_about(new_fix: NewFix) -> None:
    """Killed between its end and the record of that, without a check: it is not repeated, and can be taken back."""
    fix = new_fix(three())
    fix.killed(*fix.begin, *fix.agreed(), at="do second end")
    asked = fix.run("--resume", *fix.agreed("second"))
    assert "it was begun and has no end" in asked.stdout
    assert fix.effects == ["first", "second"]
    offered = fix.run("--undo")
    assert "it was begun, and its end was not noted: see what it did" in offered.stdout
    fix.run("--undo", *(word for token in _undo_tokens(offered.stdout) for word in ("--yes-to", token)))
    assert fix.effects == []
    assert set(fix.progress.values()) == {StepProgress.UNDONE}
    assert verify(fix.last.path) is None


def test_killed_while_it_is_verified(new_fix: NewFix) -> None:
    """The step has its end and is not repeated, but what was not verified is verified then."""
    fix = new_fix(three())
    fix.killed(*fix.begin, *fix.agreed(), at="ask second start")
    assert fix.progress == {"first": StepProgress.FINISHED, "second": StepProgress.FINISHED}
    fix.run("--resume", *fix.agreed("second"))
    finished(fix)
    verified = [item.step for item in fix.last.records if item.event == "verify" and item.data["ok"] is True]
    assert verified == list(STEPS)


def test_killed_while_the_plan_is_written(new_fix: NewFix) -> None:
    """Nothing was begun, and that is said in one line."""
    fix = new_fix(three())
    fix.killed(*fix.begin, *fix.agreed(), fault="journal-write", word='"event":"plan"')
    for verb in ("--resume", "--undo"):
        done = fix.run(verb)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "nothing was begun" in done.stderr
    assert fix.effects == []


def test_killed_while_a_step_is_taken_back(new_fix: NewFix) -> None:
    """Those that were taken back are not taken back again, and the one in between is told as such."""
    fix = new_fix(three())
    fix.run(*fix.begin, *fix.agreed())
    finished(fix)
    tokens = _undo_tokens(fix.run("--undo").stdout)
    assert [token.partition("@")[0] for token in tokens] == ["third", "second", "first"]
    words = [word for token in tokens for word in ("--yes-to", token)]
    fix.killed("--undo", *words, at="undo second start")
    assert fix.effects == ["first"]
    assert fix.progress == {
        "first": StepProgress.FINISHED, "second": StepProgress.UNDOING, "third": StepProgress.UNDONE,
    }  # fmt: skip
    offered = fix.run("--undo").stdout
    assert "its undo was begun, and the end of that was not noted" in offered
    assert [token.partition("@")[0] for token in _undo_tokens(offered)] == ["second", "first"]
    assert fix.run("--undo", *words).returncode == 0
    assert fix.effects == []
    assert set(fix.progress.values()) == {StepProgress.UNDONE}
    assert verify(fix.last.path) is None


def test_a_file_that_was_replaced_before_the_kill_comes_back(new_fix: NewFix, tmp_path: Path) -> None:
    """The file is changed and the journal does not say so: its copy is known all the same, and every byte comes back."""
    path = tmp_path / "server.env"
    before = b"# ours\r\nA=1\n\xff\n"
    path.write_bytes(before)
    fix = new_fix(EDIT)
    fix.killed(*fix.begin, *fix.agreed(), fault="journal-write", word='"event":"end"')
    assert path.read_bytes() == before.replace(b"A=1", b"A=2")
    offered = fix.run("--undo").stdout
    done = fix.run("--undo", "--yes-to", *_undo_tokens(offered))
    assert done.returncode == 0, done.stdout + done.stderr
    assert path.read_bytes() == before
    assert verify(fix.last.path) is None


def _undo_tokens(shown: str) -> list[str]:
    return [line.split()[-1] for line in shown.splitlines() if line.split()[:2] == ["approve", "--yes-to"]]


def test_a_run_that_goes_on_is_not_taken_over(new_fix: NewFix) -> None:
    """Two of them at once would each do what the other does."""
    fix = new_fix(three())
    fix.broken_off(before="second")
    from triage.fixing.journal import Journal

    with Journal.reopen(fix.last.path):
        assert fix.last.live
        done = fix.run("--resume", *fix.agreed())
    assert done.returncode == 2
    assert "is going on" in done.stderr
    assert fix.effects == ["first"]
