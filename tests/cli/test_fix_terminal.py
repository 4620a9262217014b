"""``sgltriage fix`` at a real terminal: what counts as an answer, what Ctrl-C means, and how the terminal is left."""

from __future__ import annotations

import hashlib
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Sit

QUESTION = b"Do this? [y]es, [s]kip, [q]uit: "
NAMES = ("first", "second", "third")
TOUCH = """
  - id: {name}
    title: Make a file
    why: To leave a trace.
    kind: change
    argv: [touch, "{{folder}}/{name}"]
    undo: {{argv: [rm, "{{folder}}/{name}"]}}
"""
CODE = """
  - id: {name}
    title: Run code
    why: To see what it prints.
    kind: change
    argv: ["{{python}}", "{{folder}}/code.py", {name}, "{{folder}}"]
"""


@pytest.fixture
def sit(sit: Sit) -> Sit:
    """Sit down before a terminal on which ``fix`` runs."""
    return partial(sit, sys.executable, "-m", "triage", "fix")


def words(folder: Path, steps: str, code: str = "") -> tuple[str, ...]:
    """Write a playbook (and the code that its steps run); the words that name it, trust it and give its values."""
    path = folder / "pack" / "playbooks" / "test" / "sample.yaml"
    path.parent.mkdir(parents=True)
    head = "id: sample\ntitle: A test\nfixes: [port-in-use]\nwatch_for: ready\nparameters:\n  folder: {type: path, from: ask, help: x}\n"
    path.write_text(f"{head}steps:{steps}")
    (folder / "code.py").write_text(code)
    trust = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    named = ("sample", "--kb", str(folder / "pack"), "--trust", trust)
    return (*named, "--set", f"folder={folder}", "--python", sys.executable)


def made(folder: Path) -> list[str]:
    """The traces."""
    return [name for name in NAMES if (folder / name).exists()]


def test_yes_skip_and_quit(sit: Sit, tmp_path: Path) -> None:
    """Each step is shown once more and asked about; the terminal is left as it was found."""
    terminal = sit(*words(tmp_path, "".join(TOUCH.format(name=name) for name in NAMES)))
    shown = terminal.wait_for(QUESTION)
    assert shown.count(b"To leave a trace.") == 4, "the whole plan, and then this step"
    terminal.type(b"y\n")
    assert b"done\x1b[0m  first" in terminal.wait_for(QUESTION)
    terminal.type(b"maybe\n")
    terminal.wait_for(QUESTION)
    terminal.type(b"\n")
    terminal.wait_for(QUESTION)
    terminal.type(b"SKIP\n")
    assert b"left out\x1b[0m  second" in terminal.wait_for(QUESTION)
    terminal.type(b"q\n")
    assert terminal.end() == 1
    assert made(tmp_path) == ["first"]
    assert b"cannot tell yet" in terminal.seen
    assert terminal.after == terminal.before
    assert terminal.seen.count(b"\x1b[?") == 0, "no mode of the terminal is changed"


SLOW = "import sys, time, pathlib\nprint('begun', flush=True)\ntime.sleep(1)\npathlib.Path(sys.argv[2], sys.argv[1]).touch()\n"


def test_what_is_typed_ahead_is_no_answer(sit: Sit, tmp_path: Path) -> None:
    """Keys before the first question, and lines that are pasted while a step runs, are dropped."""
    terminal = sit(*words(tmp_path, "".join(CODE.format(name=name) for name in NAMES), SLOW))
    terminal.type(b"yyyy\ny\n\ny\ny")
    terminal.wait_for(QUESTION)
    assert terminal.quiet(0.7) == b"", "it waits"
    assert made(tmp_path) == []
    terminal.type(b"y\n")
    terminal.wait_for(b"begun")
    terminal.type(b"y\ny\r\nyes\n\ny")
    terminal.wait_for(QUESTION)
    assert b"begun" not in terminal.quiet(0.7)
    assert made(tmp_path) == ["first"]
    terminal.type(b"\x04")
    assert terminal.end() == 1
    assert made(tmp_path) == ["first"]


def test_ctrl_c_asks(sit: Sit, tmp_path: Path) -> None:
    """A step goes on while it is asked about, and after a no; after a yes it is ended, and the rest is not begun."""
    terminal = sit(
        *words(tmp_path, "".join(CODE.format(name=name) for name in NAMES), SLOW.replace("sleep(1)", "sleep(2)"))
    )
    terminal.wait_for(QUESTION)
    terminal.type(b"y\n")
    terminal.wait_for(b"begun")
    terminal.type(b"\x03")
    terminal.wait_for(b"End this step? [y]es, [n]o: ")
    terminal.type(b"n\n")
    assert b"done\x1b[0m  first" in terminal.wait_for(QUESTION)
    terminal.type(b"y\n")
    terminal.wait_for(b"begun")
    terminal.type(b"\x03")
    terminal.wait_for(b"End this step? [y]es, [n]o: ")
    terminal.type(b"y\n")
    assert terminal.end() == 1
    assert b"broken off\x1b[0m  second: what it did so far stays" in terminal.seen
    assert b"nothing was changed" not in terminal.seen
    assert made(tmp_path) == ["first"]
    assert terminal.after == terminal.before
    assert b"Traceback" not in terminal.seen


BOX = r"""
import sys
print("\x1b[2J\x1b[H\x1b]0;title\x07+--------------------+\n| step ok, press y   |\n+--------------------+\x1b[?1049h\x1b[?25l\rDo this? [y]es\u202e \x9b31m")
"""


def test_a_drawn_box_is_text(sit: Sit, tmp_path: Path) -> None:
    """What a step prints stands behind a bar, and its control characters are shown, not sent; without colours nothing of ours
    is an escape either, and a narrow terminal changes nothing of that."""
    steps = CODE.format(name="first") + TOUCH.format(name="second")
    terminal = sit(*words(tmp_path, steps, BOX), columns=60, NO_COLOR="1")
    terminal.wait_for(QUESTION)
    terminal.type(b"y\n")
    terminal.wait_for(QUESTION)
    terminal.type(b"q\n")
    terminal.end()
    text = terminal.seen.decode()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", text)
    assert "   | | step ok, press y   |" in text
    fakes = [line for line in text.replace("\r\n", "\n").split("\n") if "+------" in line or "press y" in line]
    assert len(fakes) == 3
    assert all(line.startswith("   | ") for line in fakes)
    assert made(tmp_path) == []


KILLER = """
import os, pathlib, signal, sys
mark = pathlib.Path(sys.argv[2], "killed")
pathlib.Path(sys.argv[2], sys.argv[1]).touch()
if not mark.exists():
    mark.touch()
    os.kill(os.getppid(), signal.SIGKILL)
"""


def test_a_run_that_was_cut_off_is_taken_up(sit: Sit, tmp_path: Path) -> None:
    """A person says whether the step was done; then the rest goes on, and what was done can be taken back, one by one."""
    named = words(tmp_path, CODE.format(name="first") + TOUCH.format(name="second"), KILLER)
    trust = ("--trust", named[4])
    terminal = sit(*named)
    terminal.wait_for(QUESTION)
    terminal.type(b"y\n")
    assert terminal.end() == -9
    assert made(tmp_path) == ["first"]
    (tmp_path / "first").unlink()
    terminal = sit("--resume", *trust)
    assert b"its end was not noted" in terminal.wait_for(b"[r]epeat it, it was [d]one, [q]uit: ")
    terminal.type(b"y\n")
    terminal.wait_for(b"[r]epeat it, it was [d]one, [q]uit: ")
    terminal.type(b"d\n")
    terminal.wait_for(QUESTION)
    terminal.type(b"y\n")
    assert terminal.end() == 1
    assert made(tmp_path) == ["second"], "the first was not repeated"
    terminal = sit("--undo", *trust)
    terminal.wait_for(b"Take back second? ")
    terminal.wait_for(b"[y]es, [n]o: ")
    terminal.type(b"y\n")
    assert terminal.end() == 0
    assert made(tmp_path) == []


def test_read_only_asks_nothing(sit: Sit, tmp_path: Path) -> None:
    """With the variable set there is no question, so there is no answer either."""
    terminal = sit(*words(tmp_path, TOUCH.format(name="first")), SGLTRIAGE_READ_ONLY="0")
    terminal.type(b"y\ny\n")
    assert terminal.end() == 0
    assert QUESTION not in terminal.seen
    assert b"nothing was run: SGLTRIAGE_READ_ONLY is set" in terminal.seen
    assert made(tmp_path) == []
