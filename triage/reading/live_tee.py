"""Standard input that is passed through to an output while it is watched: ``--tee``."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys

from triage.reading import live_passthrough
from triage.reading.live import Item, Note
from triage.reading.live_buffer import dropped
from triage.reading.live_frames import LiveFrames

_MOST = 1 << 20
_BACKLOG = 32 << 20
_ABOVE = 10


class LiveTee:
    """What comes from ``source``, which a process of its own passes on to ``target`` unchanged and at once.

    A process, because a thread would wait for the analysis (one interpreter runs one thread at a time) and die with it: so
    the output flows on while we are slow, have failed or were killed. What the analysis has no time for, beyond ``backlog``
    bytes, is dropped with a note. Both are taken over, and lead nowhere here from now on: so the writer is told by SIGPIPE
    when nobody reads ``target`` any more, and its reader sees the end when it comes, also while we are stopped or slow.

    Raises:
        OSError: the process cannot be started; nothing was changed.
    """

    def __init__(self, source: int, target: int, *, backlog: int = _BACKLOG) -> None:
        side, theirs = os.pipe()
        try:
            self._pid: int | None = _started(source, target, theirs, backlog)
        except BaseException:
            os.close(side)
            raise
        finally:
            os.close(theirs)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, source)
        os.dup2(null, target)
        os.close(null)
        self._finished = False
        self._frames = LiveFrames(side, self._frame, self._end)

    @property
    def ended(self) -> bool:
        """True once all that came was handed out and nothing more can come."""
        return self._frames.is_closed

    def fileno(self) -> int | None:
        """Readable when there is something to poll; None once ended."""
        return None if self._frames.is_closed else self._frames.fileno()

    def poll(self, most: int = _MOST) -> list[Item]:
        """What came since the last call, up to about ``most`` bytes; the last item is a note ``ended``."""
        return self._frames.poll(most)

    def close(self) -> None:
        """Stop watching; the bytes are passed through until their end all the same. A second call does nothing."""
        self._frames.close()
        if self._pid is not None:
            with contextlib.suppress(ChildProcessError):
                if not os.waitpid(self._pid, os.WNOHANG)[0]:
                    return
            self._pid = None

    def _end(self) -> list[Item]:
        if self._finished:
            return []
        return [Note("ended", "the process that passes the input through was killed", loss=True)]

    def _frame(self, letter: bytes, number: int) -> list[Item]:
        self._finished = self._finished or letter in (b"P", b"Z")
        if letter == b"X":
            return [dropped(number)]
        if letter == b"W":
            text = f"the output cannot be written ({os.strerror(number)}): it is lost, and watched on"
            return [Note("output", text)]
        if letter == b"P":
            return [Note("output", "nobody reads the output any more"), Note("ended", "end of output")]
        return [Note("ended", "end of input")] if letter == b"Z" else []


def _started(source: int, target: int, side: int, backlog: int) -> int:
    """Start the process; not by subprocess, which would want to wait for what may outlive us."""
    if not sys.executable:
        raise FileNotFoundError("there is no interpreter to be started")
    script = str(live_passthrough.__file__)
    if not os.path.isfile(script):  # noqa: PTH113
        raise FileNotFoundError("the program that passes bytes through is not a file here")
    # Away from 0 to 3 first, so that no descriptor is overwritten before it was put in its place.
    spare = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE) for fd in (source, target, side)]
    try:
        actions = [(os.POSIX_SPAWN_DUP2, fd, place) for fd, place in zip(spare, (0, 1, 3), strict=True)]
        # -I -S: neither the environment nor the current folder may bring code into the path of the server's output.
        argv = [sys.executable, "-I", "-S", script, str(backlog)]
        return os.posix_spawn(sys.executable, argv, os.environ, file_actions=actions)
    finally:
        for fd in spare:
            os.close(fd)
