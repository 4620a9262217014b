"""A child process within a time and a size: what it prints is capped while it runs, and its family ends with it."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from triage.records import dataclass

_BLOCK = 1 << 16
_GRACE_S = 1.0
"""How long a killed child is waited for; one that hangs in a driver is left to the kernel."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What a child printed, capped; its exit status, None when it was ended for taking too long."""

    output: bytes
    exit_code: int | None


class _Capped:
    """The first, or the last, ``most`` bytes of all that is added."""

    def __init__(self, most: int, *, tail: bool) -> None:
        self._kept = bytearray()
        self._most, self._tail = most, tail

    def add(self, block: bytes) -> None:
        if self._tail:
            self._kept += block
            # Cut now and then, not at each block: a cut moves everything that stays.
            if len(self._kept) > 2 * self._most:
                del self._kept[: -self._most]
        elif len(self._kept) < self._most:
            self._kept += block[: self._most - len(self._kept)]

    def value(self) -> bytes:
        return bytes(self._kept[-self._most :])


def run_child(
    argv: Sequence[str],
    environment: Mapping[str, str],
    timeout_s: float,
    most: int,
    *,
    tail: bool = False,
    stdin: bytes = b"",
    cwd: str = "/",
) -> Printed:
    """Run ``argv`` without a shell in a session of its own; of a longer output the first (``tail``: last) ``most`` bytes stay.

    It reads ``stdin`` and then an end, or nothing at all if it likes. After ``timeout_s`` seconds it is killed with all that is
    in its session or descends from it, also when only its output is still held open. A process that has left both is left
    alone: it writes to a closed pipe, and nobody waits for it.

    Raises:
        OSError: it cannot be started.
    """
    end = time.monotonic() + timeout_s
    child = subprocess.Popen(  # noqa: S603  (an argv of our own catalogue or of the operator, never a shell)
        argv, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=dict(environment), cwd=cwd, start_new_session=True, bufsize=0,
    )  # fmt: skip
    kept = _Capped(most, tail=tail)
    with contextlib.closing(_Talk(child, stdin, kept)) as talk:
        if talk.until(end) and _ended(child, end - time.monotonic()):
            return Printed(kept.value(), child.returncode)
        _kill(child.pid)
        # What it had printed when its time was over belongs to it; what comes later does not.
        talk.until(time.monotonic())
    _ended(child, _GRACE_S)
    return Printed(kept.value(), None)


class _Talk:
    """Both pipes of a child: writes what it is to read as it takes it, and keeps what it prints."""

    def __init__(self, child: subprocess.Popen[bytes], words: bytes, kept: _Capped) -> None:
        assert child.stdout is not None
        self._output, self._input, self._words, self._kept = child.stdout, child.stdin, memoryview(words), kept
        self._selector = selectors.DefaultSelector()
        os.set_blocking(self._output.fileno(), False)
        self._selector.register(self._output, selectors.EVENT_READ)
        if self._input is not None:
            os.set_blocking(self._input.fileno(), False)
            self._selector.register(self._input, selectors.EVENT_WRITE)

    def close(self) -> None:
        """Give both pipes back."""
        self._selector.close()
        self._output.close()
        if self._input is not None:
            self._input.close()

    def until(self, end: float) -> bool:
        """Go on until nobody holds the other end of the output any more (True), or until ``end``, whatever is there then
        included once."""
        while ready := self._selector.select(max(0.0, end - time.monotonic())):
            for key, _events in ready:
                if key.fileobj is self._input:
                    self._write(self._input)
                    continue
                block = os.read(key.fd, _BLOCK)
                if not block:
                    return True
                self._kept.add(block)
            if time.monotonic() > end:
                break
        return False

    def _write(self, stream: IO[bytes]) -> None:
        try:
            self._words = self._words[os.write(stream.fileno(), self._words[:_BLOCK]) :]
        except BlockingIOError:
            return
        except OSError:
            # It does not want to read: that is its business.
            self._words = self._words[:0]
        if not self._words:
            self._selector.unregister(stream)
            stream.close()


def _ended(child: subprocess.Popen[bytes], within_s: float) -> bool:
    try:
        child.wait(max(0.0, within_s))
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill(leader: int) -> None:
    """The group, the session and the descendants of ``leader``, which was not waited for yet, so that its number is its own."""
    family = _family(leader)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for pid in family:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _family(leader: int) -> set[int]:
    """Who is in the leader's session, or descends from one who is."""
    parents: dict[int, int] = {}
    found = {leader}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name in brackets may hold anything, spaces and brackets too.
            words = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            pid = int(path.parent.name)
            parents[pid] = int(words[1])
            if int(words[3]) == leader:
                found.add(pid)
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found
