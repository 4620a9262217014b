"""A regular file in blocks: read where somebody looks, at any size, also while it grows, is cut or replaced."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from typing import TypeAlias

BLOCK = 1 << 20
_KEPT = 4
_LARGE = 64 << 20
"""From this size on numpy is worth its import: it counts five times as fast, and beside other threads."""

Change: TypeAlias = Literal["same", "grown", "truncated", "replaced"]


class BlockFile:
    """Reads an open file, and owns ``fd``. Several threads may read at the same time; one of them may call `refresh`.

    ``size``: bytes at the last refresh, without the first ``base`` ones (a byte order mark), which no offset counts.
    ``path`` is looked at to see whether the file was replaced. ``block`` is the size of a block in bytes.
    """

    def __init__(self, fd: int, *, base: int = 0, path: str | None = None, block: int = BLOCK) -> None:
        self._fd, self._base, self._path = fd, base, path
        self.block_size = block
        self._kept: dict[tuple[int, int], bytes] = {}
        self._lock = threading.Lock()
        self._replaced = self.is_closed = False
        self.size = self._size_now()

    def refresh(self) -> Change:
        """Look at the file again. ``replaced`` is told once; the open file stays the one that is read."""
        now, before = self._size_now(), self.size
        self.size = now
        if now < before:
            with self._lock:
                self._kept.clear()
            return "truncated"
        if not self._replaced and self._is_replaced():
            self._replaced = True
            return "replaced"
        return "grown" if now > before else "same"

    def read(self, offset: int, size: int) -> bytes:
        """The bytes from ``offset`` on, fewer at the end; nothing if the disk fails or the file was closed."""
        try:
            return os.pread(self._fd, max(0, min(size, self.size - offset)), self._base + offset)
        except OSError:
            # There is nothing to show, and the scan tells of it.
            return b""

    def block(self, number: int) -> bytes:
        """A block; the last ones that were asked for are kept. The unfinished one is another for each size."""
        start = number * self.block_size
        key = (number, max(0, min(self.block_size, self.size - start)))
        with self._lock:
            found = self._kept.pop(key, None)
            if found is not None:
                self._kept[key] = found
                return found
        found = self.read(start, key[1])
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        return found

    def feeds(self, first: int, number: int) -> list[int]:
        """The line feeds in each of ``number`` whole blocks from ``first`` on; of fewer if they cannot be read."""
        size = self.block_size
        data = self.read(first * size, number * size)
        whole = len(data) // size
        if self.size < _LARGE:
            return [data.count(b"\n", at * size, (at + 1) * size) for at in range(whole)]
        # Late: a small file does without its 70 ms.
        import numpy as np

        blocks = np.frombuffer(data, np.uint8, whole * size).reshape(whole, size)
        return [int(np.count_nonzero(item == 10)) for item in blocks]

    def close(self) -> None:
        """Give the descriptor back; a second call does nothing."""
        if not self.is_closed:
            self.is_closed = True
            os.close(self._fd)

    def _size_now(self) -> int:
        try:
            return max(0, os.fstat(self._fd).st_size - self._base)
        except OSError:
            return 0

    def _is_replaced(self) -> bool:
        if self._path is None:
            return False
        try:
            return not os.path.samestat(os.stat(self._path), os.fstat(self._fd))  # noqa: PTH116
        except OSError:
            return False
