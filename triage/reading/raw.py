"""Bytes as the kernel gives them: a descriptor whose holes are skipped, and standard input."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from triage.reading.source import Remarks

_ENDLESS = 1 << 63
_PAGE = 4096
# At least one block of any usual file system: how far padding reaches beside a hole.
_BLOCK = 64 * 1024


class RawFile:
    """The bytes of an open regular file (or pipe, ``seekable=False``), without its holes.

    A hole is what copytruncate leaves when the writer does not append: gigabytes of NUL that were never written. NUL
    bytes that stand between a hole and the nearest written byte are the rest of its block and are skipped with it.
    """

    def __init__(self, fd: int, remarks: Remarks, *, seekable: bool) -> None:
        self._fd = fd
        self._remarks = remarks
        self._seekable = seekable
        self._position = 0
        self._data_end = 0 if seekable else _ENDLESS
        self._extent_end = self._data_end
        self._skipped = 0
        self._note_index: int | None = None

    def readinto(self, view: memoryview) -> int:
        """Read once into ``view``; 0 at the end or after an I/O error, which is noted."""
        try:
            return self._read_data(view) if self._seekable else os.readv(self._fd, [view])
        except OSError as error:
            self._remarks.cut(f"reading stopped after {self._position:,} bytes: {error.strerror}")
            return 0

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._fd)

    def _read_data(self, view: memoryview) -> int:
        while self._position >= self._data_end:
            self._next_extent()
        count = os.preadv(self._fd, [view[: self._data_end - self._position]], self._position)
        self._position += count
        return count

    def _next_extent(self) -> None:
        """Move past padding and hole to the next written byte, and find out where the data from there ends."""
        self._skip_to(self._extent_end)
        hole = self._seek(os.SEEK_HOLE)
        if hole == self._position:
            data = self._seek(os.SEEK_DATA)
            if data is None:
                data = os.fstat(self._fd).st_size
            if self._reads_as_zero(data):
                block = os.pread(self._fd, _BLOCK, data)
                self._skip_to(data + len(block) - len(block.lstrip(b"\0")))
                hole = self._seek(os.SEEK_HOLE)
        if hole is None or hole <= self._position:
            # The end of the file, a file system that cannot tell, or one that is wrong: read on without asking again.
            self._data_end = self._extent_end = _ENDLESS
            return
        self._data_end = self._extent_end = hole
        if hole < os.fstat(self._fd).st_size:
            start = max(self._position, hole - _BLOCK)
            self._data_end = start + len(os.pread(self._fd, hole - start, start).rstrip(b"\0"))

    def _seek(self, whence: int) -> int | None:
        try:
            return os.lseek(self._fd, self._position, whence)
        except OSError as error:
            if error.errno in (errno.ENXIO, errno.EINVAL, errno.EOPNOTSUPP):
                return None
            raise

    def _reads_as_zero(self, end: int) -> bool:
        # Some file systems have reported holes over data that was not yet on disk: believe what reads say.
        ends = (self._position, max(self._position, end - _PAGE))
        return not any(any(os.pread(self._fd, min(_PAGE, end - start), start)) for start in ends if start < end)

    def _skip_to(self, position: int) -> None:
        if position <= self._position:
            return
        self._skipped += position - self._position
        self._position = position
        note = f"skipped {self._skipped:,} NUL bytes of a hole that was never written; offsets do not count them"
        if self._note_index is None:
            self._note_index = len(self._remarks.notes)
            self._remarks.notes.append(note)
        else:
            self._remarks.notes[self._note_index] = note


class RawStream:
    """Standard input, or any binary stream. It is not ours, so closing leaves it open."""

    def __init__(self, stream: BinaryIO, remarks: Remarks) -> None:
        # readinto1 makes at most one read, so a live pipe is not held back until the view is full.
        self._read = getattr(stream, "readinto1", None) or stream.readinto  # type: ignore[attr-defined]
        self._stream = stream
        self._remarks = remarks

    def readinto(self, view: memoryview) -> int:
        """Read once into ``view``; 0 at the end or after an I/O error, which is noted."""
        while True:
            try:
                count: int | None = self._read(view)
            except BlockingIOError:
                count = None
            except (OSError, ValueError) as error:
                # ValueError: the stream was closed by its owner.
                self._remarks.cut(f"reading stopped: {getattr(error, 'strerror', None) or error}")
                return 0
            if count is not None:
                return count
            # Whoever shares the descriptor made it non-blocking: wait until there is something.
            import select

            select.select([self._stream.fileno()], [], [])

    def close(self) -> None:
        """Leave the stream to its owner."""
