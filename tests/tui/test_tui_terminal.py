"""The application on a real terminal: what is sent to it, where keys come from, and how it is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
LOG = ROOT / "fixtures" / "logs" / "eight-ranks-nccl-waiters" / "server.log"
PROGRAM = ("-m", "triage", "tui")
FAILING_WIDGET = """
import sys
from triage.cli.main import run
from triage.tui.widgets.log_view import LogView

def broken(self, y):
    raise ValueError("a bug in a widget")

LogView.render_line = broken
sys.argv = ["sgltriage", "tui", *sys.argv[1:]]
run()
"""
HOSTILE = (
    b"\x1b]0;owned\x07 title\n\x1b[2J cleared \x9b2J\n[bold red]markup[/bold red] [/] [@click=app.exit]x[/]\n"
    b"\xe2\x80\xaereversed \xe2\x80\x8bhidden\r\x1b]52;c;AAAA\x07\n\x1bPq sixel \x1b\\ \x1b[?1049l left \x0e\x0f\n"
    b"[2026-03-01 10:00:00 TP0\x1b]0;rank\x07] Scheduler hit an exception: Traceback (most recent call last):\n"
    b"torch.OutOfMemoryError: CUDA out of memory \x1b]0;owned\x07 [blink]x[/blink]\n"
)
ALLOWED = re.compile(
    rb"\x1b\[[0-9;]*m"  # colours
    rb"|\x1b\[[0-9;]*[HABCDJK]"  # places and clearing
    rb"|\x1b\]22;[a-z]+\x07"  # the shape of the pointer
    rb"|\x1b\[[?>=<][0-9;]*\$?[a-zA-Z]|\x1b\[[0-9;]*[tn]"  # modes and questions
)


class Screen(Terminal):
    """The application on a terminal of its own. ``pipe``: standard input is a pipe, and keys come from the terminal."""

    def __init__(
        self,
        folder: Path,
        cache: Path,
        *words: str,
        pipe: bool = False,
        program: Sequence[str] = PROGRAM,
        **variables: str,
    ) -> None:
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), "LC_ALL": "C.UTF-8",
            "XDG_CACHE_HOME": str(cache), "XDG_STATE_HOME": str(folder / "state"), "TERM": "xterm-256color", **variables,
        }  # fmt: skip
        argv = [sys.executable, *program, *words]
        super().__init__(argv, folder, environment, columns=100, stdin=subprocess.PIPE if pipe else None)
        self._waited = 0

    def wait_for(self, text: bytes, *, outlived: bool = False, again: bool = False) -> bytes:
        """All that was drawn, or with ``again`` what was drawn since the last wait, once ``text`` was: parts of a screen come in
        no order that matters."""
        start = self._waited if again else 0
        self.wait_to_see(text, start, outlived=outlived)
        self._waited = len(self.seen)
        return self.seen[start:]

    def wait_for_state(self, state: str) -> None:
        """Wait until the process is in this state (a letter of /proc/PID/stat)."""
        until = time.monotonic() + 60
        while Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] != state:
            assert time.monotonic() < until, state
            self.read(0.02)
        self.drain()

    @property
    def is_as_before(self) -> bool:
        """The terminal's settings are those that it had, and the alternate screen was left."""
        modes = self.seen.rfind(b"\x1b[?1049l") > self.seen.rfind(b"\x1b[?1049h")
        return self.after == self.before and modes


Sit = Callable[..., Screen]


@pytest.fixture
def sit(tmp_path: Path, cache: Path) -> Iterator[Sit]:
    """Sit down before a terminal."""
    with ExitStack() as opened:

        def start(*words: str, pipe: bool = False, program: Sequence[str] = PROGRAM, **variables: str) -> Screen:
            screen = Screen(tmp_path, cache, *words, pipe=pipe, program=program, **variables)
            return opened.enter_context(closing(screen))

        yield start


def test_hostile_log(sit: Sit, tmp_path: Path) -> None:
    """Nothing that a log holds reaches the terminal as an instruction, on any screen, and no markup is obeyed."""
    (tmp_path / "hostile\x1b[2J.log").write_bytes(HOSTILE * 3)
    screen = sit("hostile\x1b[2J.log")
    screen.wait_for(b"as of")
    for key, sign in (
        (b"lw", b"Log "),
        (b"t", b"Time line "),
        (b"h", b"Host and facts "),
        (b"s", b"Summary "),
        (b"l", b"Log "),
    ):
        screen.type(key)
        screen.wait_for(sign, again=True)
    screen.wait_for("␛]0;owned␇".encode())
    assert b"[bold red]markup[/bold red]" in screen.seen
    screen.type(b"qq")
    assert screen.end() == 0
    rest = ALLOWED.sub(b"", screen.seen)
    assert b"\x1b" not in rest, rest[rest.index(b"\x1b") - 50 :][:100]
    for bad in (b"\x07", b"\x9b2J", "\u202e".encode(), "\u200b".encode(), b"\x0e"):
        assert bad not in rest
    assert screen.is_as_before


def test_quit_leaves_the_terminal(sit: Sit) -> None:
    """q ends it with status 0."""
    screen = sit(str(LOG))
    screen.wait_for(b"gpu-oom-runtime")
    screen.type(b"q")
    assert screen.end() == 0
    assert screen.is_as_before
    assert b"\x1b[?1000h" not in screen.seen, "the mouse belongs to the terminal"


def test_sigterm_leaves_the_terminal(sit: Sit) -> None:
    """SIGTERM ends it, in order, with the status that a shell knows."""
    screen = sit(str(LOG))
    screen.wait_for(b"gpu-oom-runtime")
    screen.process.send_signal(signal.SIGTERM)
    assert screen.end() == 128 + signal.SIGTERM
    assert screen.is_as_before


def test_crash_leaves_the_terminal(sit: Sit, tmp_path: Path) -> None:
    """A failure of what reads beside the screen ends in one line, without a traceback."""
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "wrong.yaml").write_text("id: [")
    screen = sit("--kb", str(pack), str(LOG))
    assert screen.end() == 2
    assert screen.is_as_before
    tail = screen.seen[screen.seen.rfind(b"\x1b[?1049l") :]
    assert b"sgltriage: " in tail
    assert b"wrong.yaml:" in tail
    assert b"Traceback" not in screen.seen


def test_a_bug_in_a_widget_leaves_the_terminal(sit: Sit) -> None:
    """A widget that raises while it draws ends the program in one line, without a traceback."""
    screen = sit(str(LOG), program=("-c", FAILING_WIDGET))
    assert screen.end() == 3
    assert screen.is_as_before
    tail = screen.seen[screen.seen.rfind(b"\x1b[?1049l") :]
    assert b"internal error: ValueError: a bug in a widget" in tail
    assert b"Traceback" not in screen.seen


def test_suspended_and_resumed(sit: Sit) -> None:
    """ctrl+z gives the terminal back as it was; after SIGCONT the screen is drawn again."""
    screen = sit(str(LOG))
    screen.wait_for(b"gpu-oom-runtime")
    screen.type(b"\x1a")
    screen.wait_for_state("T")
    assert screen.is_as_before
    screen.process.send_signal(signal.SIGCONT)
    screen.wait_for(b"\x1b[?1049h", again=True)
    screen.wait_for(b"gpu-oom-runtime", again=True)
    screen.type(b"q")
    assert screen.end() == 0
    assert screen.is_as_before


def test_rotation_is_followed(sit: Sit, tmp_path: Path) -> None:
    """--follow goes on with the file that took the place of the one that was begun with."""
    lines = LOG.read_bytes().splitlines(keepends=True)
    log = tmp_path / "server.log"
    log.write_bytes(b"".join(lines[:100]))
    screen = sit("--follow", "server.log")
    screen.wait_for(b"live")
    screen.wait_for(b"lines/s")
    log.rename(tmp_path / "server.log.1")
    log.write_bytes(b"".join(lines[100:]))
    screen.wait_for(b"gpu-oom-runtime")
    screen.type(b"q")
    assert screen.end() == 0
    assert screen.is_as_before


def test_sixteen_colours(sit: Sit) -> None:
    """On a terminal of few colours only its own sixteen are used."""
    screen = sit(str(LOG), TERM="xterm-16color")
    screen.wait_for(b"gpu-oom-runtime")
    screen.type(b"q")
    assert screen.end() == 0
    assert re.search(rb"\x1b\[[0-9;]*3[0-7]", screen.seen)
    assert not re.search(rb"[34]8;[25];", screen.seen)


def test_pipe_and_keyboard(sit: Sit) -> None:
    """While a log comes by a pipe, keys come from the terminal, and the ranking follows what comes."""
    screen = sit(pipe=True)
    assert screen.process.stdin is not None
    lines = LOG.read_bytes().splitlines(keepends=True)
    screen.process.stdin.write(b"".join(lines[:100]))
    screen.process.stdin.flush()
    screen.wait_for(b"live")
    screen.process.stdin.write(b"".join(lines[100:]))
    screen.process.stdin.flush()
    screen.wait_for(b"gpu-oom-runtime")
    screen.type(b"q")
    assert screen.end() == 0
    assert screen.is_as_before


def test_without_colour(sit: Sit) -> None:
    """With NO_COLOR no colour is sent."""
    screen = sit(str(LOG), NO_COLOR="1")
    screen.wait_for(b"gpu-oom-runtime")
    screen.type(b"q")
    assert screen.end() == 0
    assert not re.search(rb"\x1b\[[0-9;]*(?:3[0-79]|4[0-79]|38|48);?[0-9;]*m", screen.seen.replace(b"39;49m", b"m"))


def test_needs_a_terminal(tmp_path: Path) -> None:
    """Without a terminal it says so in one line."""
    done = subprocess.run(
        [sys.executable, "-m", "triage", "tui", str(LOG)], capture_output=True, cwd=tmp_path, check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"not a terminal" in done.stderr
