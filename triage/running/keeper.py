"""Keeps a server: starts it, passes its output on unchanged and at once, stores it, and offers a copy to a watcher that may be
slow, fail or be killed.

A process of its own, started by `keeper_program` with the numbers of `Channels` in their order, and without site-packages: the
standard library is all there is. It is the parent of the server and leads the session of both, so that neither a signal nor the end
of the watcher reaches the server by itself, and so that a stopped server can be told from a dead one. It ends when nobody
holds the server's output open any more.

The watcher's pipe carries frames: one letter and a number of 8 bytes, little-endian. ``S`` n: the server was started as process
n; ``F`` e: it could not be, with errno e; ``D`` n: n bytes of output follow; ``X`` n: n bytes were left out here; ``T`` n: it was
stopped by signal n; ``C``: it goes on; ``E`` s: it ended with wait status s; ``W`` e: its output cannot be written (errno e);
``P``: nobody reads its output; ``L`` e: the log cannot be written (errno e); ``K`` n: n bytes were not stored, the disk being too
slow; ``Z``: end of the output.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import struct
import sys
import termios
import threading
from typing import NamedTuple

from triage.running.backlog import Backlog
from triage.running.joined import Joined
from triage.running.log_file import LogFile
from triage.running.pump import Pump

FRAME = struct.Struct("<cQ")
_PIPE_SIZE = 1 << 20
_LOG_BACKLOG = 64 << 20
_IGNORED = (
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP,
    signal.SIGTTIN, signal.SIGTTOU, signal.SIGPIPE, signal.SIGXFSZ,
)  # fmt: skip
_PYTHONS_OWN = (signal.SIGPIPE, signal.SIGXFSZ)
"""Ignored by every Python that started us, whatever its caller wanted."""


class Channels(NamedTuple):
    """Numbers of descriptors, -1 for none, and sizes in bytes: what the keeper is started with."""

    orders: int
    side: int
    master: int
    slave: int
    out_read: int
    out_write: int
    err_read: int
    err_write: int
    stdin_on_terminal: int
    backlog: int


def _feed_watcher(fd: int, side: Backlog) -> None:
    while (frame := side.take()) is not None:
        left_out, letter, number, data = frame
        head = (FRAME.pack(b"X", left_out) if left_out else b"") + FRAME.pack(letter, number)
        try:
            written = os.writev(fd, [head, data])
            rest = memoryview(head + data)[written:] if written < len(head) + len(data) else memoryview(b"")
            while rest:
                rest = rest[os.write(fd, rest) :]
        except OSError:  # the watcher is gone
            side.close(forget=True)
            return


def _feed_log(file: LogFile, log: Backlog, side: Backlog) -> None:
    told: set[int] = set()
    while (frame := log.take()) is not None:
        left_out, _, _, data = frame
        if left_out:
            side.put(b"K", left_out)
        try:
            file.write(data)
        except OSError as error:
            number = error.errno or errno.EIO
            if number not in told:
                told.add(number)
                side.put(b"L", number)


def _start(channels: Channels, program: bytes, argv: list[bytes], inherited: set[int]) -> int:
    """Start the server in a process group of its own, which the terminal, if there is one, listens to.

    Raises:
        OSError: it cannot be executed.
    """
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _become(channels, program, argv, inherited)
        except OSError as error:
            os.write(tell, str(error.errno).encode())
        finally:
            os._exit(127)
    os.close(tell)
    with open(told, "rb") as stream:
        refused = stream.read()
    if refused:
        os.waitpid(pid, 0)
        raise OSError(int(refused), os.strerror(int(refused)))
    return pid


def _become(channels: Channels, program: bytes, argv: list[bytes], inherited: set[int]) -> None:
    os.setpgid(0, 0)
    terminal = channels.slave
    if terminal >= 0:
        os.tcsetpgrp(terminal, os.getpid())
    if channels.stdin_on_terminal:
        os.dup2(terminal, 0)
    os.dup2(channels.out_write if channels.out_write >= 0 else terminal, 1)
    os.dup2(channels.err_write if channels.err_write >= 0 else terminal, 2)
    for number in _IGNORED:
        if number not in inherited:
            signal.signal(number, signal.SIG_DFL)
    os.execve(program, argv, os.environb)  # noqa: S606  (the operator's command, and no shell)


def _orders(fd: int) -> list[bytes]:
    with open(fd, "rb") as stream:
        return stream.read().split(b"\0")


def _threads(channels: Channels, joined: Joined, side: Backlog, log: Backlog | None) -> list[Pump]:
    pairs = [(channels.master if channels.out_read < 0 else channels.out_read, 1)]
    if channels.err_read >= 0:
        pairs.append((channels.err_read, 2))
    pumps = [Pump(stream, source, target, joined, side, log) for stream, (source, target) in enumerate(pairs)]
    for pump in pumps:
        pump.start()
    return pumps


def _wait_for(server: int, side: Backlog) -> None:
    """Tell of every change of the server until its end."""
    while True:
        _, status = os.waitpid(server, os.WUNTRACED | os.WCONTINUED)
        if os.WIFSTOPPED(status):
            side.put(b"T", os.WSTOPSIG(status))
        elif os.WIFCONTINUED(status):
            side.put(b"C")
        else:
            side.put(b"E", status)
            return


def main() -> None:
    """Keep one server."""
    channels = Channels(*map(int, sys.argv[1:]))
    inherited = {int(number) for number in _IGNORED if signal.getsignal(number) is signal.SIG_IGN} - set(_PYTHONS_OWN)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*_IGNORED, signal.SIGCONT, signal.SIGWINCH))
    os.setsid()
    for fd in channels[:-2]:
        if fd >= 0:
            os.set_inheritable(fd, False)
            with contextlib.suppress(OSError):
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    if channels.slave >= 0:
        fcntl.ioctl(channels.slave, termios.TIOCSCTTY, 0)
    path, size, keep, program, *argv = _orders(channels.orders)
    side = Backlog(channels.backlog)
    try:
        server = _start(channels, program, argv, inherited)
    except OSError as error:
        os.write(channels.side, FRAME.pack(b"F", error.errno or errno.EIO))
        return
    # Read by the server alone from now on; and its streams have to end with it.
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    for fd in (channels.slave, channels.out_write, channels.err_write):
        if fd >= 0:
            os.close(fd)
    side.put(b"S", server)
    watcher = threading.Thread(target=_feed_watcher, args=(channels.side, side), name="watcher", daemon=True)
    watcher.start()
    log = Backlog(_LOG_BACKLOG) if path else None
    writer = None
    if log is not None:
        writer = threading.Thread(target=_feed_log, args=(LogFile(path, int(size), int(keep)), log, side), name="log")
        writer.start()
    streams = 1 + (channels.err_read >= 0)
    pumps = _threads(channels, Joined(side, log, streams), side, log)
    _wait_for(server, side)
    if channels.master >= 0:
        # The end of the leader of a session hangs up whoever has the terminal: that is to be nobody but us.
        with contextlib.suppress(OSError):
            os.tcsetpgrp(channels.master, os.getpgrp())
    for pump in pumps:
        pump.join()
    if log is not None and writer is not None:
        log.close()
        writer.join()
    side.put(b"Z")
    side.close()
    watcher.join()
