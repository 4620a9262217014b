"""A command that runs in its own session, and the thread that reads its output and sees to its end in time."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import queue
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from triage.fixing.step_output import TAIL, tail_of
from triage.records import dataclass
from triage.safety.redact import Redactor

SHOWN_MOST = 1 << 20
"""Bytes of output that are handed to ``on_output``; what comes after is counted and kept as tail only."""
_POLL_S = 0.05
_SILENCE_S = 0.1
_DRAIN_S = 1.0
_UNKILLABLE_S = 2.0


@dataclass(frozen=True, slots=True)
class Executed:
    """What became of a command. ``exit_code`` and ``signal`` are None both if it hangs in the kernel even after SIGKILL.

    ``tail``: the last 64 KiB of output, redacted and visible. ``digest``: SHA-256 of all raw output. ``bytes``: how much that
    was; ``unshown``: how much of it was not handed to ``on_output``.
    """

    exit_code: int | None
    signal: int | None
    timed_out: bool
    tail: str
    digest: str
    bytes: int
    seconds: float
    unshown: int = 0


class NotStartedError(Exception):
    """The command could not be started; nothing was done. ``str`` tells why."""


@dataclass(frozen=True, slots=True)
class Started:
    """The process, our end of its output, and when it began (monotonic seconds)."""

    process: subprocess.Popen[bytes]
    output: int
    began: float


def started(argv: Sequence[str], cwd: Path, environment: Mapping[str, str], use_pty: bool) -> Started:
    """Start a command in a session of its own, with nothing to read.

    Raises:
        NotStartedError: there is no such program or folder, or it may not be run.
    """
    ours, theirs = _channel(use_pty)
    began = time.monotonic()
    try:
        process = subprocess.Popen(  # noqa: S603  (an argv that was approved as it stands, never a shell)
            list(argv), stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=dict(environment), cwd=cwd, start_new_session=True
        )  # fmt: skip
    except (OSError, ValueError) as error:
        os.close(ours)
        reason = f"{error.filename or argv[0]}: {error.strerror}" if isinstance(error, OSError) else str(error)
        raise NotStartedError(reason) from error
    finally:
        os.close(theirs)
    return Started(process, ours, began)


def _channel(use_pty: bool) -> tuple[int, int]:
    """Our end and the command's; a pipe where there are no terminals (left)."""
    if use_pty:
        with contextlib.suppress(OSError):
            ours, theirs = os.openpty()
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            modes = termios.tcgetattr(theirs)
            # What the program wrote, not what a terminal makes of it, is counted and digested.
            modes[1] &= ~termios.OPOST
            termios.tcsetattr(theirs, termios.TCSANOW, modes)
            return ours, theirs
    return os.pipe()


class RunningCommand:
    """A running command and the thread that reads it, so that it waits neither for a slow screen nor for a question."""

    def __init__(self, started: Started, timeout_s: float, grace_s: float) -> None:
        self.chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.unshown = 0
        self._process, self._output, self._began = started.process, started.output, started.began
        self._timeout_s, self._grace_s = timeout_s, grace_s
        self._ending, self._killing = threading.Event(), threading.Event()
        self._timed_out = self._at_end = self._lost = self._over = False
        self._size = 0
        self._digest = hashlib.sha256()
        self._tail = bytearray()
        self._ready = select.poll()
        self._ready.register(self._output, select.POLLIN)
        self._failure: BaseException | None = None
        # A daemon: what hangs in the kernel must not keep us from ending.
        self._thread = threading.Thread(target=self._run, name="step", daemon=True)

    def start(self) -> None:
        """Read from now on."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether there may be more output."""
        return not self._over

    def end(self) -> None:
        """SIGTERM, and SIGKILL after the grace."""
        self._ending.set()

    def kill(self) -> None:
        """SIGKILL now."""
        self._killing.set()
        self._ending.set()
        if self._thread.ident is None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            os.close(self._output)
        else:
            self._thread.join()

    def executed(self, redactor: Redactor) -> Executed:
        """What became of the command, once nothing is alive."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        status = None if self._lost else self._process.returncode
        return Executed(
            exit_code=status if status is not None and status >= 0 else None,
            signal=-status if status is not None and status < 0 else None,
            timed_out=self._timed_out,
            tail=tail_of(bytes(self._tail[-TAIL:]), redactor, whole=self._size <= TAIL),
            digest=self._digest.hexdigest(),
            bytes=self._size,
            seconds=round(time.monotonic() - self._began, 3),
            unshown=self.unshown,
        )

    def _run(self) -> None:
        try:
            self._attend()
        except BaseException as error:  # noqa: BLE001  (raised again by who waits for this thread)
            self._failure = error
            self._signal(signal.SIGKILL)
        finally:
            os.close(self._output)
            self._over = True
            self.chunks.put(b"")  # wakes who waits for output

    def _attend(self) -> None:
        """Read until the command has ended, and see to it that it does."""
        due = self._began + self._timeout_s
        kill_at: float | None = None
        given_up_at: float | None = None
        while not self._has_ended():
            self._read(_POLL_S)
            now = time.monotonic()
            if kill_at is None and (now >= due or self._ending.is_set()):
                self._timed_out = not self._ending.is_set()
                self._signal(signal.SIGTERM)
                kill_at = now + self._grace_s
            if kill_at is not None and given_up_at is None and (now >= kill_at or self._killing.is_set()):
                self._signal(signal.SIGKILL)
                given_up_at = now + _UNKILLABLE_S
            if given_up_at is not None and now >= given_up_at:
                return
        self._drain(kill_at)
        if kill_at is not None:
            # Not waited for yet, the command still holds its number: the group is surely its own.
            self._signal(signal.SIGKILL)
        self._process.wait()

    def _has_ended(self) -> bool:
        """Whether it can be waited for, without doing so."""
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            # Somebody else took its status: nobody knows it, and 0 would be a lie.
            self._lost = True
            return True

    def _drain(self, kill_at: float | None) -> None:
        """Read what is left. Others of its group may hold the output open: they have what is left of the grace to end, and
        are not waited for where nobody is to end."""
        until = kill_at if kill_at is not None else time.monotonic() + _DRAIN_S
        while not self._at_end and time.monotonic() < until and not self._killing.is_set():
            if not self._read(_SILENCE_S) and kill_at is None:
                return

    def _read(self, wait_s: float) -> bool:
        """Take what is there, or comes in this time; False if nothing does."""
        if self._at_end:
            time.sleep(wait_s)
            return False
        if not self._ready.poll(wait_s * 1000):
            return False
        try:
            data = os.read(self._output, 1 << 16)
        except OSError:
            data = b""  # how a terminal says that nobody has it open any more
        if not data:
            self._at_end = True
            return False
        self._take(data)
        return True

    def _take(self, data: bytes) -> None:
        shown = data[: max(0, SHOWN_MOST - self._size)]
        self._size += len(data)
        self._digest.update(data)
        self._tail += data
        if len(self._tail) > 4 * TAIL:
            del self._tail[:-TAIL]
        self.unshown += len(data) - len(shown)
        if shown:
            self.chunks.put(shown)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
