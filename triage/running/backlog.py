"""Frames between threads of the keeper that must not wait and one that may.

Part of the keeper, a process without site-packages: the standard library is all there is.
"""

from __future__ import annotations

import threading
from collections import deque


class Backlog:
    """Frames between threads that must not wait and one that may: up to about ``most`` bytes, the rest is counted."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._frames: deque[tuple[int, bytes, int, bytes]] = deque()
        self._size = self._left_out = 0
        self._is_full = self._is_stuck = self._closed = False
        self._changed = threading.Condition()

    def put(self, letter: bytes, number: int = 0, data: bytes = b"") -> None:
        """Keep a frame; one with ``data`` is left out when there is too much already, until half of that is gone."""
        with self._changed:
            if self._closed:
                return
            self._is_full = self._size > (self._most // 2 if self._is_full else self._most)
            if data and self._is_full:
                self._left_out += len(data)
                return
            self._frames.append((self._left_out, letter, number, data))
            self._left_out = 0
            self._size += len(data)
            self._changed.notify_all()

    def take(self) -> tuple[int, bytes, int, bytes] | None:
        """Wait for the next frame: bytes left out before it, letter, number, data. None after `close`."""
        with self._changed:
            while not self._frames:
                if self._closed:
                    return None
                self._changed.wait()
            frame = self._frames.popleft()
            self._size -= len(frame[3])
            if self._size <= self._most // 2:
                self._is_stuck = False
                self._changed.notify_all()
            return frame

    def wait_for_room(self, patience_s: float) -> None:
        """Wait until half is free; once that took longer than ``patience_s``, not again before it is."""
        with self._changed:
            if not self._is_stuck and self._size > self._most // 2:
                self._is_stuck = not self._changed.wait_for(
                    lambda: self._closed or self._size <= self._most // 2, patience_s
                )

    def close(self, *, forget: bool = False) -> None:
        """Nothing more is kept; what is there can be taken, unless ``forget``."""
        with self._changed:
            self._closed = True
            if forget:
                self._frames.clear()
                self._size = 0
            self._changed.notify_all()
