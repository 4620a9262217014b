"""A bounded buffer between a reader that must not wait and an analysis that may be slow."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque

from triage.reading.live import Chunk, Item, Note

_OVERHEAD = 256
"""What a piece costs beside its bytes, so that a flood of tiny writes is bounded too."""


class LiveBuffer:
    """Bytes and notes in the order in which they came, up to about ``most`` bytes. Of what is beyond the middle is counted and not
    kept: how trouble began matters, and so do a server's last words.

    One thread offers, another takes. `fileno` is readable while there is something to take.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: deque[bytes | Note] = deque()
        self._newest: deque[bytes | Note] = deque()
        """What comes behind a gap; there is something before it as long as it holds anything."""
        self._size = self._newest_size = self._offset = self._dropped = 0
        self._room = threading.Condition()
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_out, False)
        os.set_blocking(self._wake_in, False)
        self._closed = False

    def fileno(self) -> int:
        """A descriptor that is readable while there is something to take."""
        return self._wake_out

    def offer(self, data: bytes, *, wait: bool = False) -> bool:
        """Keep ``data``, at the price of older data if there is no room; with ``wait`` wait until there is. False once closed."""
        with self._room:
            while wait and self._size >= self._most and not self._closed:
                self._room.wait()
            if self._closed:
                return False
            if wait or (not self._newest and self._size < self._most // 2):
                self._keep(data)
            else:
                self._keep_newest(data)
        return True

    def note(self, note: Note) -> None:
        """Keep a note; there is always room for it."""
        with self._room:
            if not self._closed:
                if self._newest:
                    self._keep_newest(note)
                else:
                    self._keep(note)

    def take(self, most: int) -> list[Item]:
        """What came first, up to about ``most`` bytes; pieces that follow each other are joined."""
        out: list[Item] = []
        joined: list[bytes] = []
        with self._room:
            while self._pieces and most > 0:
                piece = self._pieces.popleft()
                self._size -= _cost(piece)
                if isinstance(piece, Note):
                    self._join(joined, out)
                    out.append(piece)
                else:
                    joined.append(piece)
                    most -= len(piece)
            self._join(joined, out)
            if not self._pieces:
                self._close_gap()
            if not self._pieces:
                self._quiet()
            self._room.notify_all()
        return out

    def is_empty(self) -> bool:
        """Whether there is nothing to take."""
        with self._room:
            return not self._pieces

    def wake(self) -> None:
        """Make `fileno` readable: no more will come."""
        with self._room:
            if not self._closed:
                self._signal()

    def close(self) -> None:
        """Let go of everything, and of whoever waits for room."""
        with self._room:
            if not self._closed:
                self._closed = True
                self._pieces.clear()
                self._newest.clear()
                os.close(self._wake_in)
                os.close(self._wake_out)
                self._room.notify_all()

    def _keep(self, piece: bytes | Note) -> None:
        if not self._pieces:
            self._signal()
        self._pieces.append(piece)
        self._size += _cost(piece)

    def _keep_newest(self, piece: bytes | Note) -> None:
        self._newest.append(piece)
        self._newest_size += _cost(piece)
        while self._newest_size - _cost(self._newest[0]) >= self._most // 2:
            oldest = self._newest.popleft()
            self._newest_size -= _cost(oldest)
            if isinstance(oldest, Note):
                self._say_dropped()
                self._keep(oldest)
            else:
                self._dropped += len(oldest)

    def _close_gap(self) -> None:
        """All before the gap was taken: what comes behind it is next, and there is room again."""
        self._say_dropped()
        self._pieces.extend(self._newest)
        self._size += self._newest_size
        self._newest.clear()
        self._newest_size = 0

    def _join(self, joined: list[bytes], out: list[Item]) -> None:
        if joined:
            data = b"".join(joined)
            out.append(Chunk(data, self._offset, 0))
            self._offset += len(data)
            joined.clear()

    def _say_dropped(self) -> None:
        if self._dropped:
            note, self._dropped = dropped(self._dropped), 0
            self._keep(note)

    def _signal(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_in, b"!")

    def _quiet(self) -> None:
        if not self._closed:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_out, 4096)


def _cost(piece: bytes | Note) -> int:
    return _OVERHEAD + (0 if isinstance(piece, Note) else len(piece))


def dropped(count: int) -> Note:
    """The note for bytes that the analysis had no time for."""
    return Note("dropped", f"{count:,} bytes were not looked at: they came faster than they can be", loss=True)
