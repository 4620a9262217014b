"""A program on a terminal of its own, for tests that sit before one."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

WITHIN_S = 90.0


class Terminal:
    """``argv`` in ``folder``, with a new terminal as the controlling one, and who sits before it. ``stdin`` and ``stderr``: what
    the program has instead of the terminal, as `subprocess.Popen` takes it."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        folder: Path,
        environment: Mapping[str, str],
        *,
        columns: int = 80,
        lines: int = 24,
        stdin: int | None = None,
        stderr: int | None = None,
    ) -> None:
        # The program's end is kept open: what the terminal is like can be asked when the program has ended.
        self._ours, self._theirs = os.openpty()
        self.resize(lines, columns)
        self.before = self.after
        self.seen = b""
        self._at = 0
        # One of its three streams may be something else, so that none of them is sure to be the terminal.
        self.process = subprocess.Popen(
            argv, stdin=self._theirs if stdin is None else stdin, stdout=self._theirs,
            stderr=self._theirs if stderr is None else stderr, cwd=folder, env=environment, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(self._theirs, termios.TIOCSCTTY, 0),
        )  # fmt: skip

    @property
    def after(self) -> list[object]:
        """How the terminal is set now."""
        return termios.tcgetattr(self._theirs)

    def resize(self, lines: int, columns: int) -> None:
        """What a window manager does."""
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        """What a person, or a paste, puts in."""
        os.write(self._ours, keys)

    def wait_for(self, text: bytes, *, outlived: bool = False) -> bytes:
        """What was printed up to ``text``, since the last time. ``outlived``: something else prints it, when the program may
        have ended."""
        self.wait_to_see(text, self._at, outlived=outlived)
        end = self.seen.index(text, self._at) + len(text)
        found, self._at = self.seen[self._at : end], end
        return found

    def wait_to_see(self, text: bytes, start: int = 0, *, outlived: bool = False) -> None:
        """Wait until ``text`` stands anywhere in ``seen[start:]``."""
        until = time.monotonic() + WITHIN_S
        while text not in self.seen[start:]:
            assert time.monotonic() < until, self._shown()
            # What it printed before it ended may come after a look that found it alive.
            assert self.read(0.2) or outlived or self.process.poll() is None or self.read(0.0), self._shown()

    def quiet(self, seconds: float) -> bytes:
        """What is printed in a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.read(0.05)
        found, self._at = self.seen[self._at :], len(self.seen)
        return found

    def end(self) -> int:
        """Wait for its end; the exit status."""
        until = time.monotonic() + WITHIN_S
        while self.process.poll() is None:
            assert time.monotonic() < until, self._shown()
            self.read(0.1)
        self.drain()
        return self.process.returncode

    def read(self, wait_s: float) -> bool:
        """Take what was printed; False if nothing was."""
        if not select.select([self._ours], [], [], wait_s)[0]:
            return False
        self.seen += os.read(self._ours, 1 << 16)
        return True

    def drain(self) -> None:
        """Take all that was printed."""
        while self.read(0.0):
            pass

    def close(self) -> None:
        """Give everything back."""
        if self.process.poll() is None:
            self.process.kill()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)

    def _shown(self) -> str:
        return self.seen[-5000:].decode(errors="replace")
