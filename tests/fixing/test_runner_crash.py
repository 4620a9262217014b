"""The real ``sgltriage fix`` killed at every point of a run, and what ``--resume`` and ``--undo`` then make of it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from triage.fixing.opening import open_fix
from triage.fixing.runner import ready_steps
from triage.fixing.runs import RunSummary, latest, verify
from triage.fixing.step_records import StepProgress, state_of
from triage.knowledge.playbooks import load_playbook
from triage.playbook import Case

ROOT = Path(__file__).parents[2]
HELPER = """
# What each step, check and undo of the playbook does; once, where the file "fault" names it, it kills who runs it.
import os, signal, sys, time
from pathlib import Path
what, step, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
effects, fault = folder / "effects", folder / "fault"

def point(name):
    if not fault.exists() or fault.read_text() != f"{what} {step} {name}":
        return
    fault.unlink()
    if name == "start":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(0.2)
    else:
        # Whoever runs us must not see us end: it is stopped first, and the test kills it then.
        os.kill(os.getppid(), signal.SIGSTOP)

point("start")
there = effects.read_text().split() if effects.exists() else []
if what == "do":
    effects.write_text("\\n".join([*there, step]))
if what == "undo":
    effects.write_text("\\n".join(item for item in there if item != step))
if what == "ask" and step not in there:
    sys.exit(1)
point("end")
"""
LAUNCHER = """
# sgltriage itself, which dies where nothing that it starts could kill it.
import os, signal, sys
fault, word = sys.argv[1], sys.argv[2].encode()
sys.argv[1:] = sys.argv[3:]

def die(event, arguments):
    # Everything for the process is made ready, and it is not started yet.
    if event == "subprocess.Popen" and [b"do", word] == [os.fsencode(item) for item in arguments[1]][2:4]:
        os.kill(os.getpid(), signal.SIGKILL)

def half(file, data, write=os.write):
    # The disk gets half of the record, and then the machine is off.
    if word not in data:
        return write(file, data)
    write(file, data[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)

if fault == "before-exec":
    sys.addaudithook(die)
if fault == "journal-write":
    os.write = half
from triage.cli.main import run
run()
"""
STEP = """
  - id: {step}
    title: The {step} step
    why: To leave a trace.
    kind: change
    argv: ["{{python}}", "{{helper}}", do, {step}, "{{folder}}"]
    verify: {{argv: ["{{python}}", "{{helper}}", ask, {step}, "{{folder}}"], label: verified}}
    undo: {{argv: ["{{python}}", "{{helper}}", undo, {step}, "{{folder}}"]}}
"""
CHECK = '    already_done: {{argv: ["{{python}}", "{{helper}}", ask, {step}, "{{folder}}"], label: there}}\n'
EDIT = """
  - id: edit
    title: Set a variable
    why: It is read.
    kind: change
    edit: {file: "{folder}/server.env", set: {A: "2"}}
"""
STEPS = ("first", "second", "third")


class Fix:
    """One playbook in a home of its own, run for real."""

    def __init__(self, folder: Path, cache: Path, steps: str) -> None:
        self.folder = folder
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
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CACHE_HOME": str(cache), "LC_ALL": "C.UTF-8",
            "PYTHONPYCACHEPREFIX": str(cache / "bytecode"),
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
        command = [sys.executable, "-c", LAUNCHER, fault, word, "fix", *words, *self.trust]
        process = subprocess.Popen(
            command, env=self.environment, cwd=self.folder, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )  # fmt: skip
        if (self.folder / "fault").exists() and (self.folder / "fault").read_text().endswith(" end"):
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status), "the step did not get to its end"
            _wait_for_dead_child(process.pid)
            process.kill()
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def killed(self, *words: str, at: str = "", fault: str = "none", word: str = "-") -> None:
        """A run that does not survive."""
        if at:
            (self.folder / "fault").write_text(at)
        done = self.run(*words, fault=fault, word=word)
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
        if at.endswith(" start"):
            time.sleep(0.5)  # what was started goes on without us

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


def _wait_for_dead_child(pid: int) -> None:
    for _ in range(500):
        for folder in Path("/proc").iterdir():
            words = _stat(folder)
            if words and words[1] == str(pid) and words[0] == "Z":
                return
        time.sleep(0.01)
    pytest.fail("the step did not end")


def _stat(folder: Path) -> list[str]:
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split() if folder.name.isdecimal() else []
    except OSError:
        return []


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled knowledge, kept for the test session."""
    return tmp_path_factory.getbasetemp() / "knowledge"


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
def test_a_step_with_a_check_is_neither_repeated_nor_left_out(tmp_path: Path, cache: Path, point: str) -> None:
    """Resumed, the check tells whether the step was done; what is left is done, and each step once."""
    fault, progress, had_effect, torn = CONCLUDED[point]
    fix = Fix(tmp_path, cache, three(CHECK))
    if "word" in fault:
        # The records of the first step are written in a run of their own, so that those of the second are the first hit.
        done = fix.run(*fix.begin, *fix.agreed("second", "third"))
        assert done.returncode == 1, done.stderr
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


def test_a_step_that_was_not_started_is_asked_about(tmp_path: Path, cache: Path) -> None:
    """Killed between its begin and its exec: nobody can know that it was not started, so nothing goes on before somebody says
    what is to be done; then it is done, once."""
    fix = Fix(tmp_path, cache, three())
    fix.killed(*fix.begin, *fix.agreed(), fault="before-exec", word="second")
    assert fix.progress == {"first": StepProgress.FINISHED, "second": StepProgress.BEGUN}
    asked = fix.run("--resume", *fix.agreed("second"))
    assert asked.returncode == 1
    assert "it was begun and has no end" in asked.stdout
    assert f"--yes-to {fix.tokens['second']}" in asked.stdout
    assert fix.effects == ["first"], "neither repeated nor passed over"
    fix.run("--resume", *fix.agreed())
    finished(fix)


def test_a_step_that_was_carried_out_is_asked_about(tmp_path: Path, cache: Path) -> None:
    """Killed between its end and the record of that, without a check: it is not repeated, and can be taken back."""
    fix = Fix(tmp_path, cache, three())
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


def test_killed_while_it_is_verified(tmp_path: Path, cache: Path) -> None:
    """The step has its end and is not repeated, but what was not verified is verified then."""
    fix = Fix(tmp_path, cache, three())
    fix.killed(*fix.begin, *fix.agreed(), at="ask second start")
    assert fix.progress == {"first": StepProgress.FINISHED, "second": StepProgress.FINISHED}
    fix.run("--resume", *fix.agreed("second"))
    finished(fix)
    verified = [item.step for item in fix.last.records if item.event == "verify" and item.data["ok"] is True]
    assert verified == list(STEPS)


def test_killed_while_the_plan_is_written(tmp_path: Path, cache: Path) -> None:
    """Nothing was begun, and that is said in one line."""
    fix = Fix(tmp_path, cache, three())
    fix.killed(*fix.begin, *fix.agreed(), fault="journal-write", word='"event":"plan"')
    for verb in ("--resume", "--undo"):
        done = fix.run(verb)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "nothing was begun" in done.stderr
    assert fix.effects == []


def test_killed_while_a_step_is_taken_back(tmp_path: Path, cache: Path) -> None:
    """Those that were taken back are not taken back again, and the one in between is told as such."""
    fix = Fix(tmp_path, cache, three())
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


def test_a_file_that_was_replaced_before_the_kill_comes_back(tmp_path: Path, cache: Path) -> None:
    """The file is changed and the journal does not say so: its copy is known all the same, and every byte comes back."""
    path = tmp_path / "server.env"
    before = b"# ours\r\nA=1\n\xff\n"
    path.write_bytes(before)
    fix = Fix(tmp_path, cache, EDIT)
    fix.killed(*fix.begin, *fix.agreed(), fault="journal-write", word='"event":"end"')
    assert path.read_bytes() == before.replace(b"A=1", b"A=2")
    offered = fix.run("--undo").stdout
    done = fix.run("--undo", "--yes-to", *_undo_tokens(offered))
    assert done.returncode == 0, done.stdout + done.stderr
    assert path.read_bytes() == before
    assert verify(fix.last.path) is None


def _undo_tokens(shown: str) -> list[str]:
    return [line.split()[-1] for line in shown.splitlines() if line.split()[:2] == ["approve", "--yes-to"]]


def test_a_run_that_goes_on_is_not_taken_over(tmp_path: Path, cache: Path) -> None:
    """Two of them at once would each do what the other does."""
    fix = Fix(tmp_path, cache, three())
    fix.run(*fix.begin, *fix.agreed("second", "third"))
    from triage.fixing.journal import Journal

    with Journal.reopen(fix.last.path):
        assert fix.last.live
        done = fix.run("--resume", *fix.agreed())
    assert done.returncode == 2
    assert "is going on" in done.stderr
    assert fix.effects == ["first"]
