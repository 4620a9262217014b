"""The stored output of a server.

Part of the keeper, a process without site-packages: the standard library is all there is.
"""

from __future__ import annotations

import contextlib
import itertools
import os


class LogFile:
    """A file that is appended to, readable by its owner alone, and renamed to ``.1``, ``.2``, ... at ``most`` bytes.

    ``most`` 0: never. ``keep``: how many of the renamed ones stay. Files change at line ends only.
    """

    def __init__(self, path: bytes, most: int, keep: int) -> None:
        self._path, self._most, self._keep = path, most, keep
        self._fd, self._size, self._ends_line = -1, 0, True

    def write(self, data: bytes) -> None:
        """Append.

        Raises:
            OSError: the disk refused; bytes may be lost, and the next call tries again.
        """
        view = memoryview(data)
        while view:
            if self._fd < 0:
                self._open()
            if self._most and self._size >= self._most and self._ends_line:
                self._rotate()
            part = view[: self._part(data, len(data) - len(view))]
            written = os.write(self._fd, part)
            self._size += written
            self._ends_line = bytes(part[written - 1 : written]) == b"\n"
            view = view[written:]

    def _part(self, data: bytes, start: int) -> int:
        """How many bytes from ``start`` on still belong to this file: up to the end of the line that fills it."""
        if not self._most:
            return len(data) - start
        end = data.find(b"\n", start + max(0, self._most - self._size - 1))
        return (end + 1 if end >= 0 else len(data)) - start

    def _open(self) -> None:
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._size, self._ends_line = os.fstat(self._fd).st_size, True

    def _rotate(self) -> None:
        os.close(self._fd)
        self._fd = -1
        names = [self._path, *(b"%s.%d" % (self._path, number) for number in range(1, self._keep + 1))]
        if self._keep == 0:
            os.unlink(self._path)  # noqa: PTH108  (bytes, and no pathlib in this process)
        for old, new in reversed(list(itertools.pairwise(names))):
            with contextlib.suppress(FileNotFoundError):
                os.replace(old, new)  # noqa: PTH105
        self._open()
