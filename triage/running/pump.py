"""One stream of a server on its way to where it would have gone without us.

Part of the keeper, a process without site-packages: the standard library is all there is.
"""

from __future__ import annotations

import errno
import os
import select
import threading

from triage.running.backlog import Backlog
from triage.running.joined import Joined, TerminalUndone

_BLOCK = 1 << 18
_LOG_PATIENCE_S = 5.0
_IDLE_MS = 1000


class Pump(threading.Thread):
    """Copies one stream of the server to where it would have gone."""

    def __init__(
        self, stream: int, source: int, target: int, joined: Joined, side: Backlog, log: Backlog | None
    ) -> None:
        super().__init__(name=f"stream {stream}", daemon=True)
        self._stream, self._source, self._target = stream, source, target
        self._joined, self._side, self._log = joined, side, log
        self._failed = 0

    def run(self) -> None:
        """Until nobody can write to the stream, or nobody reads where it goes."""
        # A terminal turns each line feed into two characters; what is stored and looked at is what the server wrote.
        undo = TerminalUndone() if os.isatty(self._source) else None
        while data := self._read():
            # The copy first: it never waits, while the output may.
            self._joined.put(self._stream, undo(data) if undo else data)
            if not self._pass_on(data):
                self._side.put(b"P")
                break
            if self._log is not None:
                # A disk that is merely slow holds up the server, as in any pipe to a file; one that hangs does not.
                self._log.wait_for_room(_LOG_PATIENCE_S)
        if undo:
            self._joined.put(self._stream, undo.rest())
        self._joined.flush(self._stream)
        # The writer has its SIGPIPE, and the reader its end, as without us.
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, self._source)
        os.dup2(null, self._target)
        os.close(null)

    def _read(self) -> bytes:
        while True:
            if self._joined.holds_back(self._stream) and not _wait(self._source, select.POLLIN, _IDLE_MS):
                self._joined.flush(self._stream)
            try:
                return os.read(self._source, _BLOCK)
            except BlockingIOError:
                _wait(self._source, select.POLLIN)
            except OSError:  # a terminal that nobody holds open any more
                return b""

    def _pass_on(self, data: bytes) -> bool:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._target, view) :]
                self._failed = 0
            except BlockingIOError:
                # Whoever shares the descriptor made it non-blocking.
                _wait(self._target, select.POLLOUT)
            except OSError as error:
                if error.errno == errno.EPIPE:
                    return False
                # A full disk: to end would kill the server. What cannot be written is lost, with us as without us.
                if error.errno != self._failed:
                    self._failed = error.errno or errno.EIO
                    self._side.put(b"W", self._failed)
                return True
        return True


def _wait(fd: int, event: int, timeout_ms: int | None = None) -> bool:
    ready = select.poll()
    ready.register(fd, event)
    return bool(ready.poll(timeout_ms))
