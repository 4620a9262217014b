"""A terminal with somebody before it, for servers that are started on one."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHIN_S = 30.0


class Terminal:
    """``python`` code on a terminal of its own, and who sits before it."""

    def __init__(self, argv: list[str], *, columns: int = 97, lines: int = 31, **streams: int) -> None:
        self.ours, self._theirs = os.openpty()
        self.resize(lines, columns)
        self.before = termios.tcgetattr(self._theirs)
        self.seen = b""
        self.process = subprocess.Popen(
            argv, stdin=streams.get("stdin", self._theirs), stdout=self._theirs, stderr=streams.get("stderr", self._theirs),
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, start_new_session=True, pass_fds=(self._theirs,),
            preexec_fn=lambda: fcntl.ioctl(self._theirs, termios.TIOCSCTTY, 0),
        )  # fmt: skip

    def resize(self, lines: int, columns: int) -> None:
        """What a window manager does."""
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        """What a person types."""
        os.write(self.ours, keys)

    def wait_for(self, text: bytes) -> bytes:
        """All that was printed, once ``text`` was."""
        end = time.monotonic() + WITHIN_S
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            self.read(0.1)
        return self.seen

    def end(self) -> int:
        """Wait for its end; the exit status."""
        end = time.monotonic() + WITHIN_S
        while self.process.poll() is None:
            assert time.monotonic() < end, self.seen
            self.read(0.05)
        while self.read(0.0):
            pass
        return self.process.returncode

    @property
    def after(self) -> object:
        """How the terminal is set now."""
        return termios.tcgetattr(self._theirs)

    def read(self, wait_s: float) -> bool:
        """Take what was printed; False if nothing was."""
        if not select.select([self.ours], [], [], wait_s)[0]:
            return False
        self.seen += os.read(self.ours, 1 << 16)
        return True

    def close(self) -> None:
        """Give everything back."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self._theirs)


@pytest.fixture(name="terminal")
def terminal_fixture() -> Iterator[Callable[..., Terminal]]:
    """Sit down before a terminal on which an argv runs."""
    found: list[Terminal] = []

    def sit(argv: list[str], **options: int) -> Terminal:
        found.append(Terminal(argv, **options))
        return found[-1]

    yield sit
    for item in found:
        item.close()


@pytest.fixture(name="runner")
def runner_fixture() -> list[str]:
    """The argv of a small program that runs its arguments as a server and exits as it did, without any analysis."""
    return [sys.executable, "-c", _RUNNER]


_RUNNER = """
import sys
from triage.running.command import CannotRun
from triage.running.session import RunningServer
try:
    server = RunningServer(sys.argv[1:], use_terminal=sys.stdout.isatty())
except CannotRun as refused:
    print(refused, file=sys.stderr)
    sys.exit(refused.status)
with server:
    death = server.wait()
sys.exit(3 if death is None else death.shell_status)
"""
