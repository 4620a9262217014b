"""Frames between threads of the keeper that must not wait and one that may.

Part of the keeper, a process without site-packages: the standard library is all there is.
"""

from __future__ import annotations

import threading
from collections import deque

Frame = tuple[int, bytes, int, bytes]
"""Bytes left out before it, letter, number, data."""


class Backlog:
    """Frames between threads that must not wait and one that may: up to about ``most`` bytes, the rest is counted.

    Of what is too much the middle is left out: how trouble began matters, and so do a server's last words.
    """

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._oldest: deque[Frame] = deque()
        self._newest: deque[Frame] = deque()
        self._oldest_size = self._newest_size = 0
        self._left_out = 0
        """Bytes that are missing before the first frame of ``_newest``."""
        self._is_stuck = self._closed = False
        self._changed = threading.Condition()

    def put(self, letter: bytes, number: int = 0, data: bytes = b"") -> None:
        """Keep a frame; where there is no room, data that is neither among the oldest nor among the newest is left out."""
        with self._changed:
            if self._closed:
                return
            if not self._newest and self._oldest_size < self._half:
                self._oldest.append((0, letter, number, data))
                self._oldest_size += len(data)
            else:
                self._newest.append((0, letter, number, data))
                self._newest_size += len(data)
                self._leave_out()
            self._changed.notify_all()

    def take(self) -> Frame | None:
        """Wait for the next frame: bytes left out before it, letter, number, data. None after `close`."""
        with self._changed:
            while not self._oldest and not self._newest:
                if self._closed:
                    return None
                self._changed.wait()
            if not self._oldest:
                self._close_gap()
            frame = self._oldest.popleft()
            self._oldest_size -= len(frame[3])
            if self._has_room():
                self._is_stuck = False
                self._changed.notify_all()
            return frame

    def wait_for_room(self, patience_s: float) -> None:
        """Wait until half is free; once that took longer than ``patience_s``, not again before it is."""
        with self._changed:
            if not self._is_stuck and not self._has_room():
                self._is_stuck = not self._changed.wait_for(lambda: self._closed or self._has_room(), patience_s)

    def close(self, *, forget: bool = False) -> None:
        """Nothing more is kept; what is there can be taken, unless ``forget``."""
        with self._changed:
            self._closed = True
            if forget:
                self._oldest.clear()
                self._newest.clear()
                self._oldest_size = self._newest_size = 0
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return self._oldest_size + self._newest_size <= self._half

    def _leave_out(self) -> None:
        """Make the newest few enough. What is no data stays, where it stood."""
        while self._newest_size > self._half and len(self._newest) > 1:
            frame = self._newest.popleft()
            if frame[3]:
                self._left_out += len(frame[3])
                self._newest_size -= len(frame[3])
            else:
                self._oldest.append((self._left_out, *frame[1:]))
                self._left_out = 0

    def _close_gap(self) -> None:
        """The newest are the oldest now, and there is room for others."""
        self._oldest, self._newest = self._newest, deque()
        self._oldest_size, self._newest_size = self._newest_size, 0
        if self._left_out:
            self._oldest[0] = (self._left_out, *self._oldest[0][1:])
            self._left_out = 0
