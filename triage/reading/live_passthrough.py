"""Passes bytes through, unchanged and at once, and offers a copy to a watcher that may be slow, fail or be killed.

Run as a process of its own, by its path and with nothing of ours imported: ``python -I -S live_passthrough.py BACKLOG`` with
the input as descriptor 0, the output as 1 and the watcher's pipe as 3. It goes on when the watcher is gone, and ends with its
input, or when nobody reads its output any more: then the writer has its SIGPIPE, as it would have without us. It ignores the
signals that end a whole foreground group, since the last words of the writer come after them.

The watcher's pipe carries frames: one letter and a number of 8 bytes, little-endian. ``D`` n: n bytes follow; ``X`` n: n bytes
were left out here; ``W`` e: writing failed with errno e, and output is being lost; ``P``: nobody reads the output; ``Z``: end.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import struct
import sys
from collections import deque

FRAME = struct.Struct("<cQ")
_BLOCK = 1 << 18
_PIPE_SIZE = 1 << 20
_INPUT, _OUTPUT, _SIDE = 0, 1, 3


class Side:
    """The watcher's pipe: takes what it can at once, keeps up to ``most`` bytes, counts the rest."""

    def __init__(self, fd: int, most: int) -> None:
        self._fd, self._most = fd, most
        self._backlog: deque[memoryview] = deque()
        self._size = self._left_out = 0
        self.alive = True
        os.set_blocking(fd, False)

    @property
    def waiting(self) -> bool:
        """Whether there is something that the pipe did not take yet."""
        return self.alive and bool(self._backlog)

    def offer(self, data: memoryview) -> None:
        """Give a copy of ``data``, which may change after the call."""
        if not self.alive:
            return
        self.flush()
        if self._size > self._most:
            self._left_out += len(data)
            return
        head = FRAME.pack(b"X", self._left_out) if self._left_out else b""
        self._left_out = 0
        self._put(head + FRAME.pack(b"D", len(data)), data)

    def tell(self, letter: bytes, number: int = 0) -> None:
        """A frame without bytes."""
        if self.alive:
            head = FRAME.pack(b"X", self._left_out) if self._left_out else b""
            self._left_out = 0
            self._put(head + FRAME.pack(letter, number), memoryview(b""))

    def flush(self) -> None:
        """Write as much of the backlog as the pipe takes."""
        while self.waiting:
            written = self._write([self._backlog[0]])
            if not self.alive:
                return
            self._size -= written
            if written < len(self._backlog[0]):
                self._backlog[0] = self._backlog[0][written:]
                return
            self._backlog.popleft()

    def finish(self) -> None:
        """Wait until the watcher has taken everything, or is gone."""
        self.flush()
        while self.waiting:
            ready = select.poll()
            ready.register(self._fd, select.POLLOUT)
            ready.poll()
            self.flush()

    def _put(self, head: bytes, data: memoryview) -> None:
        written = 0 if self._backlog else self._write([memoryview(head), data])
        if not self.alive:
            return
        for part in (memoryview(head), data):
            if written < len(part):
                kept = memoryview(bytes(part[written:]))
                self._backlog.append(kept)
                self._size += len(kept)
            written = max(0, written - len(part))

    def _write(self, parts: list[memoryview]) -> int:
        try:
            return os.writev(self._fd, parts)
        except BlockingIOError:
            return 0
        except OSError:
            self.alive = False
            self._backlog.clear()
            return 0


def pass_through(side: Side) -> None:
    """Copy input to output until one of them ends."""
    buffer = bytearray(_BLOCK)
    view = memoryview(buffer)
    failed = 0
    while count := _read(view, side):
        data = view[:count]
        # The copy first: it never waits, while the output may.
        side.offer(data)
        try:
            _write_all(data)
            failed = 0
        except OSError as error:
            if error.errno == errno.EPIPE:
                side.tell(b"P")
                return
            # A full disk: to end would kill the writer. What cannot be written is lost, with us as without us.
            if error.errno != failed:
                failed = error.errno or errno.EIO
                side.tell(b"W", failed)
    side.tell(b"Z")


def _read(view: memoryview, side: Side) -> int:
    while True:
        if side.waiting:
            ready = select.poll()
            ready.register(_INPUT, select.POLLIN)
            ready.register(_SIDE, select.POLLOUT)
            if not any(fd == _INPUT for fd, _ in ready.poll()):
                side.flush()
                continue
        try:
            return os.readv(_INPUT, [view])
        except BlockingIOError:
            _await(_INPUT, select.POLLIN)
        except OSError:
            return 0


def _write_all(data: memoryview) -> None:
    while data:
        try:
            data = data[os.write(_OUTPUT, data) :]
        except BlockingIOError:
            _await(_OUTPUT, select.POLLOUT)


def _await(fd: int, event: int) -> None:
    # Whoever shares the descriptor made it non-blocking.
    ready = select.poll()
    ready.register(fd, event)
    ready.poll()


def main() -> None:
    """Pass standard input to standard output."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    for fd in (_INPUT, _OUTPUT, _SIDE):
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    side = Side(_SIDE, int(sys.argv[1]))
    try:
        pass_through(side)
    finally:
        # Whoever reads the output must see its end now, however slow the watcher is.
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, _INPUT)
        os.dup2(null, _OUTPUT)
    side.finish()


if __name__ == "__main__":
    main()
