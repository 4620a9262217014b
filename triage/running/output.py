"""What a kept server prints and what becomes of it, read from the keeper's frames as a live source."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import TYPE_CHECKING

from triage.reading.live import Chunk, Item, Note
from triage.reading.live_buffer import dropped
from triage.reading.live_stdin import PIPE_SIZE, widen
from triage.running.keeper import FRAME

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 1 << 20
GRACE_S = 5.0
"""How long the output of a dead server is waited for, while others hold it open."""


class ServerOutput:
    """A live source of the keeper's frames from ``side``, which it owns. ``on_stop`` is called with the number of the signal
    that stopped the server.

    It ends with the output, or ``grace_s`` after the server when something else holds the output open (`is_held_open`).
    ``clock`` gives monotonic seconds.
    """

    def __init__(
        self,
        side: int,
        *,
        on_stop: Callable[[int], None],
        grace_s: float = GRACE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._side, self._on_stop, self._grace_s, self._clock = side, on_stop, grace_s, clock
        os.set_blocking(side, False)
        widen(side)
        self._rest = bytearray()
        self._wanted = self._offset = 0
        self._give_up_at: float | None = None
        self._closed = self._is_whole = False
        self._is_stored = True
        self.left_out = 0
        """Bytes that came too fast and were not handed out."""
        self.wait_status: int | None = None
        """As waitpid gives it; None while the server lives, or if its keeper was killed."""
        self.is_held_open = False
        """The server is dead and something else can still write to its output."""

    @property
    def ended(self) -> bool:
        """True once nothing more is handed out."""
        return self._closed

    @property
    def stored_size(self) -> int:
        """How many bytes at the end of the log are all that was printed; 0 if it lacks some, or others may still write."""
        return self._offset + self.left_out if self._is_whole and self._is_stored else 0

    def fileno(self) -> int | None:
        """Readable when there is something to poll; None while the end of the output is waited for."""
        return None if self._closed or self._give_up_at is not None else self._side

    def poll(self, most: int = _MOST) -> list[Item]:
        """What came since the last call, up to about ``most`` bytes; the last item is a note ``ended``."""
        out: list[Item] = []
        pieces: list[bytes] = []
        while not self._closed and most > 0:
            try:
                block = os.read(self._side, min(most, PIPE_SIZE))
            except BlockingIOError:
                break
            if not block:
                self._join(pieces, out)
                out.append(Note("ended", "the process that keeps the server was killed", loss=True))
                self.close()
                break
            most -= len(block)
            self._parse(block, pieces, out)
        self._join(pieces, out)
        if not self._closed and self._give_up_at is not None and self._clock() >= self._give_up_at:
            self.is_held_open = True
            out.append(Note("ended", "the server is dead, and its output is still held open"))
            self.close()
        return out

    def wait(self, timeout_s: float = 1.0) -> None:
        """Wait until there is something to poll, at most this long."""
        if not self._closed:
            ready = select.poll()
            ready.register(self._side, select.POLLIN)
            ready.poll(round(timeout_s * 1000))

    def close(self) -> None:
        """Stop watching; the output is passed on until its end all the same. A second call does nothing."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(OSError):
                os.close(self._side)

    def _parse(self, block: bytes, pieces: list[bytes], out: list[Item]) -> None:
        at = 0
        while at < len(block):
            if self._wanted:
                piece = block[at : at + self._wanted]
                pieces.append(piece)
                at += len(piece)
                self._wanted -= len(piece)
                continue
            part = block[at : at + FRAME.size - len(self._rest)]
            self._rest += part
            at += len(part)
            if len(self._rest) == FRAME.size:
                letter, number = FRAME.unpack(self._rest)
                self._rest.clear()
                self._frame(letter, number, pieces, out)

    def _frame(self, letter: bytes, number: int, pieces: list[bytes], out: list[Item]) -> None:
        if letter == b"D":
            self._wanted = number
            return
        self._join(pieces, out)
        if letter == b"E":
            self.wait_status = number
            self._give_up_at = self._clock() + self._grace_s
        elif letter == b"T":
            if number == signal.SIGSTOP:
                # Nobody's key: whoever finds a server that says nothing has to learn why.
                out.append(Note("output", "the server was stopped by SIGSTOP, and goes on with SIGCONT"))
            self._on_stop(number)
        elif letter == b"Z":
            self._is_whole = True
            out.append(Note("ended", "end of output"))
            self.close()
        else:
            self.left_out += number if letter == b"X" else 0
            self._is_stored = self._is_stored and letter not in (b"L", b"K")
            out.extend(_trouble(letter, number))

    def _join(self, pieces: list[bytes], out: list[Item]) -> None:
        if pieces:
            data = b"".join(pieces)
            out.append(Chunk(data, self._offset, 0))
            self._offset += len(data)
            pieces.clear()


def _trouble(letter: bytes, number: int) -> list[Note]:
    """What the keeper could not do, in words."""
    if letter == b"X":
        return [dropped(number)]
    if letter == b"P":
        return [Note("output", "nobody reads the server's output any more")]
    if letter == b"W":
        return [
            Note("output", f"the server's output cannot be written ({os.strerror(number)}): it is lost, and watched on")
        ]
    if letter == b"L":
        return [
            Note("output", f"the log cannot be written ({os.strerror(number)}): it lacks lines, the output goes on")
        ]
    if letter == b"K":
        return [Note("output", f"{number:,} bytes are missing in the log: the disk takes them too slowly")]
    return []
