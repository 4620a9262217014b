"""A server started under a keeper: its process, its output, and the signals that are passed on to it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
from typing import TYPE_CHECKING

from triage.records import dataclass
from triage.running import keeper_program
from triage.running.command import CannotRun, find_program, refusal
from triage.running.keeper import FRAME, Channels
from triage.running.output import ServerOutput
from triage.running.signals import FORWARDED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from triage.running.terminal import LentTerminal

_BACKLOG = 32 << 20
_ABOVE = 200
"""Our descriptors in the keeper stand from here on, so that those which the caller hands to the server keep their numbers."""


@dataclass(frozen=True, slots=True)
class LogPlan:
    """Where the output is stored: renamed at ``size`` bytes (0: never), with ``keep`` renamed files kept."""

    path: str
    size: int
    keep: int


@dataclass(frozen=True, slots=True)
class Server:
    """A started server. ``outputs``: the inodes of the pipes (or the name of the terminal) that it writes to."""

    pid: int
    keeper: int
    output: ServerOutput
    outputs: tuple[str, ...]

    def send(self, number: int) -> None:
        """Pass a signal on to the server's process group, unless the server is dead."""
        if self.output.wait_status is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def release(self) -> None:
        """Stop watching. The keeper goes on while somebody holds the server's output open."""
        self.output.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.keeper, os.WNOHANG)


def start_server(
    argv: Sequence[str],
    *,
    log: LogPlan | None = None,
    terminal: LentTerminal | None = None,
    on_stop: Callable[[int], None] = lambda _number: None,
    backlog: int = _BACKLOG,
) -> Server:
    """Start ``argv`` with our descriptors, on ``terminal`` where there is one; return when it runs.

    Raises:
        CannotRun: there is no such program, or the kernel refuses it. OSError: the keeper cannot be started.
    """
    program = find_program(argv[0], os.environ)
    side, theirs = os.pipe()
    pipes = [theirs]
    try:
        out = (-1, -1) if terminal is not None else os.pipe()
        pipes += [fd for fd in out if fd >= 0]
        err = (-1, -1) if terminal is not None and terminal.has_stderr else os.pipe()
        pipes += [fd for fd in err if fd >= 0]
        outputs = [f"pipe:[{os.fstat(fd).st_ino}]" for fd in (out[1], err[1]) if fd >= 0]
        if terminal is not None:
            outputs.append(terminal.name)
        orders, told = os.pipe()
        pipes.append(orders)
        channels = Channels(
            orders, theirs, terminal.master if terminal else -1, terminal.slave if terminal else -1,
            *out, *err, int(terminal is not None and terminal.has_stdin), backlog,
        )  # fmt: skip
        pid = _spawn(channels)
    except BaseException:
        os.close(side)
        raise
    finally:
        for fd in pipes:
            os.close(fd)
        if terminal is not None:
            terminal.close_slave()
    with open(told, "wb") as stream, contextlib.suppress(BrokenPipeError):
        stream.write(b"\0".join(map(os.fsencode, _orders(log, program, argv))))
    letter, number = _first_frame(side)
    if letter != b"S":
        os.close(side)
        os.waitpid(pid, 0)
        if letter == b"F":
            raise refusal(argv[0], number)
        raise OSError("the process that keeps the server ended at once")
    return Server(number, pid, ServerOutput(side, on_stop=on_stop), tuple(outputs))


def _orders(log: LogPlan | None, program: str, argv: Sequence[str]) -> list[str]:
    if any("\0" in word for word in argv):
        raise CannotRun("an argument holds a NUL character", 126)
    stored = [os.path.abspath(log.path), str(log.size), str(log.keep)] if log else ["", "0", "0"]  # noqa: PTH100
    return [*stored, program, *argv]


def _spawn(channels: Channels) -> int:
    """Start the keeper; not by subprocess, which would want to wait for what may outlive us."""
    script = str(keeper_program.__file__)
    if not sys.executable or not os.path.isfile(script):  # noqa: PTH113
        raise FileNotFoundError("the program that keeps the server is not a file here")
    moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, _ABOVE) if fd >= 0 else -1 for fd in channels[:-2]]
    # -I -S: neither the environment nor the current folder may bring code into the path of the server's output.
    argv = [sys.executable, "-I", "-S", script, *map(str, (*moved, *channels[-2:]))]
    # Until the keeper has a session of its own a Ctrl-C would end it: it unblocks them when it is ready.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    try:
        return os.posix_spawn(sys.executable, argv, os.environ)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for fd in moved:
            if fd >= 0:
                os.close(fd)


def _first_frame(side: int) -> tuple[bytes, int]:
    data = b""
    while len(data) < FRAME.size:
        block = os.read(side, FRAME.size - len(data))
        if not block:
            return b"", 0
        data += block
    letter, number = FRAME.unpack(data)
    return letter, number
