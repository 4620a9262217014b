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
    argv: Sequence[str], environment: Mapping[str, str], timeout_s: float, most: int, *, tail: bool = False
) -> Printed:
    """Run ``argv`` without a shell in a session of its own; of a longer output the first (``tail``: last) ``most`` bytes stay.

    After ``timeout_s`` seconds it is killed with all that is in its session or descends from it, also when only its output
    is still held open. A process that has left both is left alone: it writes to a closed pipe, and nobody waits for it.

    Raises:
        OSError: it cannot be started.
    """
    end = time.monotonic() + timeout_s
    child = subprocess.Popen(  # noqa: S603  (an argv of our own catalogue, never a shell)
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=dict(environment), cwd="/", start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None
    kept = _Capped(most, tail=tail)
    with child.stdout as stream:
        if _read_until(end, stream, kept) and _ended(child, end - time.monotonic()):
            return Printed(kept.value(), child.returncode)
        _kill(child.pid)
        # What it had printed when its time was over belongs to it; what comes later does not.
        _read_until(time.monotonic(), stream, kept)
    _ended(child, _GRACE_S)
    return Printed(kept.value(), None)


def _read_until(end: float, stream: IO[bytes], kept: _Capped) -> bool:
    """Read until nobody holds the other end any more (True), or until ``end``, whatever is there then included once."""
    descriptor = stream.fileno()
    os.set_blocking(descriptor, False)
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while selector.select(max(0.0, end - time.monotonic())):
            block = os.read(descriptor, _BLOCK)
            if not block:
                return True
            kept.add(block)
            if time.monotonic() > end:
                break
    return False


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
