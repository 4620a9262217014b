"""Standard input, or any pipe, as a live source: a thread takes what comes, so that its writer never waits for us."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import threading

from triage.reading.live import Item, Note
from triage.reading.live_buffer import LiveBuffer
from triage.reading.opening import explain

_BLOCK = 1 << 18
_MOST = 1 << 20
_BUFFER = 32 << 20
PIPE_SIZE = 1 << 20


class LiveStdin:
    """What comes from ``fd``, which stays its owner's, until its end.

    When the analysis falls behind by ``buffer`` bytes, what comes is dropped with a note; with ``lossless`` it is left to the
    writer to wait, as in ``cat file | ...``.
    """

    def __init__(self, fd: int, *, buffer: int = _BUFFER, lossless: bool = False) -> None:
        self._fd, self._lossless = fd, lossless
        self._buffer = LiveBuffer(buffer)
        self._stop_out, self._stop_in = os.pipe()
        self._over = self._closed = False
        widen(fd)
        # A daemon: a read that hangs in the kernel must not keep us from ending.
        self._thread = threading.Thread(target=self._run, name="stdin", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """True once the end was read and all that came was handed out."""
        return self._closed

    def fileno(self) -> int | None:
        """Readable when there is something to poll; None once ended."""
        return None if self._closed else self._buffer.fileno()

    def poll(self, most: int = _MOST) -> list[Item]:
        """What came since the last call, up to about ``most`` bytes; the last item is the note ``ended``."""
        if self._closed:
            return []
        # Asked before: what the thread put in before its end is in the buffer by then.
        over = self._over
        items = self._buffer.take(most)
        if over and self._buffer.is_empty():
            self.close()
            items.append(Note("ended", "end of input"))
        return items

    def close(self) -> None:
        """Stop reading; the descriptor is left open. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        os.close(self._stop_in)
        self._buffer.close()
        self._thread.join(1.0)
        if not self._thread.is_alive():
            os.close(self._stop_out)

    def _run(self) -> None:
        ready = select.poll()
        ready.register(self._fd, select.POLLIN)
        ready.register(self._stop_out, 0)
        try:
            while not any(fd == self._stop_out for fd, _ in ready.poll()):
                try:
                    data = os.read(self._fd, _BLOCK)
                except BlockingIOError:
                    continue
                if not data or not self._buffer.offer(data, wait=self._lossless):
                    break
        except OSError as error:
            self._buffer.note(Note("ended", f"reading failed: {explain(error)}", loss=True))
        finally:
            self._over = True
            self._buffer.wake()


def widen(fd: int) -> None:
    """Give a pipe its largest usual size: its writer is held up less. Anything else is left as it is."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
