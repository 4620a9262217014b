"""What a kept server prints and what becomes of it, read from the keeper's frames as a live source."""

from __future__ import annotations

import os
import select
import signal
import time
from typing import TYPE_CHECKING

from triage.reading.live import Item, Note
from triage.reading.live_buffer import dropped
from triage.reading.live_frames import LiveFrames

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
        self._frames = LiveFrames(side, self._frame, _killed)
        self._on_stop, self._grace_s, self._clock = on_stop, grace_s, clock
        self._give_up_at: float | None = None
        self._is_whole = False
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
        return self._frames.is_closed

    @property
    def stored_size(self) -> int:
        """How many bytes at the end of the log are all that was printed; 0 if it lacks some, or others may still write."""
        return self._frames.offset + self.left_out if self._is_whole and self._is_stored else 0

    def fileno(self) -> int | None:
        """Readable when there is something to poll; None while the end of the output is waited for."""
        return None if self.ended or self._give_up_at is not None else self._frames.fileno()

    def poll(self, most: int = _MOST) -> list[Item]:
        """What came since the last call, up to about ``most`` bytes; the last item is a note ``ended``."""
        out = self._frames.poll(most)
        if not self.ended and self._give_up_at is not None and self._clock() >= self._give_up_at:
            self.is_held_open = True
            out.append(Note("ended", "the server is dead, and its output is still held open"))
            self.close()
        return out

    def wait(self, timeout_s: float = 1.0) -> None:
        """Wait until there is something to poll, at most this long."""
        if not self.ended:
            ready = select.poll()
            ready.register(self._frames.fileno(), select.POLLIN)
            ready.poll(round(timeout_s * 1000))

    def close(self) -> None:
        """Stop watching; the output is passed on until its end all the same. A second call does nothing."""
        self._frames.close()

    def _frame(self, letter: bytes, number: int) -> list[Item]:
        if letter == b"E":
            self.wait_status = number
            self._give_up_at = self._clock() + self._grace_s
        elif letter == b"T":
            self._on_stop(number)
            if number == signal.SIGSTOP:
                # Nobody's key: whoever finds a server that says nothing has to learn why.
                return [Note("output", "the server was stopped by SIGSTOP, and goes on with SIGCONT")]
        elif letter == b"Z":
            self._is_whole = True
            self.close()
            return [Note("ended", "end of output")]
        else:
            self.left_out += number if letter == b"X" else 0
            self._is_stored = self._is_stored and letter not in (b"L", b"K")
            return _trouble(letter, number)
        return []


def _killed() -> list[Item]:
    return [Note("ended", "the process that keeps the server was killed", loss=True)]


def _trouble(letter: bytes, number: int) -> list[Item]:
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
