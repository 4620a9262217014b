"""One open file that grows: reads on from its offset, passes over holes, and notices when its content was replaced."""

from __future__ import annotations

import errno
import os

from triage.reading.follow_position import FINGERPRINT, Position, fingerprint

_PAGE = 4096
# At least one block of any usual file system: how far NUL padding reaches beside a hole.
_BLOCK = 64 * 1024


class WasCut(Exception):  # noqa: N818  (an answer, not a fault)
    """The file does not hold any more what was read of it: it was truncated, and may have grown again.

    ``doubtful`` was read while that happened: it may be old content, or new, or NUL bytes.
    """

    def __init__(self, doubtful: bytes = b"") -> None:
        super().__init__(doubtful)
        self.doubtful = doubtful


class OpenFile:
    """A regular file, the offset up to which it was read, and its first and last bytes before there. Owns ``fd``.

    ``start`` is where the bytes that were read last begin. ``skipped`` counts bytes of holes that were passed over, ``shortened`` is set when the file lost bytes beyond the offset:
    whoever told so puts them back. ``size`` and ``modified_ns`` are as last seen. ``generation`` is -1 until reading
    begins, and ``caught_up`` false until it is known what was written before the file.
    All methods raise OSError as the file system does (ESTALE, EIO).
    """

    def __init__(self, fd: int, status: os.stat_result, *, caught_up: bool = False) -> None:
        self.fd = fd
        self.device, self.inode, self.owner = status.st_dev, status.st_ino, status.st_uid
        self.generation = -1
        self.caught_up = caught_up
        self.offset = self.start = 0
        self.modified_ns = status.st_mtime_ns
        self.skipped = 0
        self.shortened = False
        self._head = self._tail = b""
        self.size = 0

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode."""
        return self.device, self.inode

    def is_at(self, status: os.stat_result) -> bool:
        """Whether ``status`` is that of this file."""
        return (status.st_dev, status.st_ino) == (self.device, self.inode)

    def move_to(self, offset: int) -> None:
        """Go on from ``offset``, and know from now on what stands there."""
        self.offset = offset
        self._head = os.pread(self.fd, min(FINGERPRINT, offset), 0)
        start = max(0, offset - FINGERPRINT)
        self._tail = os.pread(self.fd, offset - start, start)

    def restart(self) -> None:
        """Read the file from its beginning, as new content."""
        self.generation, self.caught_up = -1, False
        self.offset = self.skipped = self.size = 0
        self._head = self._tail = b""

    def read(self, most: int) -> bytes:
        """Up to ``most`` bytes from `offset`, which moves; empty at the end. Adds passed holes to `skipped`.

        Raises:
            WasCut: what was read before is not there any more; the offset stays.
        """
        status = os.fstat(self.fd)
        changed = (status.st_size, status.st_mtime_ns) != (self.size, self.modified_ns)
        if self.offset <= status.st_size < self.size and self._same():
            self.shortened = True
        if status.st_size <= self.offset:
            # The size alone would not tell that other content has just reached the same length.
            if changed and not self._same():
                raise WasCut
            self._saw(status)
            return b""
        hole_at: int | None = None
        # Space for less than the size: there may be a hole. Compression looks the same, and costs a seek.
        if status.st_blocks * 512 < status.st_size:
            hole_at = self._around_hole(status.st_size)
        end = min(status.st_size, self.offset + most, status.st_size if hole_at is None else hole_at)
        self.start = self.offset
        data = self._take(end) if end > self.offset else b""
        self.offset += len(data)
        self._tail = (self._tail + data)[-FINGERPRINT:]
        self._saw(status)
        if data and self.offset == hole_at and hole_at < status.st_size:
            kept = data.rstrip(b"\0")
            self.skipped += len(data) - len(kept)
            return kept or self.read(most)
        return data

    def check(self) -> None:
        """Raise WasCut if a file that is not being read yet was truncated meanwhile."""
        status = os.fstat(self.fd)
        if (status.st_size, status.st_mtime_ns) == (self.size, self.modified_ns):
            return
        if status.st_size < self.size or not self._same() or not self._learn_head():
            raise WasCut
        self._saw(status)

    def position(self, path: str, back: int = 0) -> Position:
        """The place ``back`` bytes before the offset, as far as the file still holds what was read; else the offset's."""
        head, tail, offset = self._head, self._tail, self.offset
        back = min(back, offset)
        start = max(0, offset - back - FINGERPRINT)
        held = os.pread(self.fd, offset - start, start) if back else b""
        if back and len(held) == offset - start and held.endswith(tail[-len(held) :]) and self._same():
            offset -= back
            head, tail = head[:offset], held[: len(held) - back]
        return Position(
            path, self.device, self.inode, fingerprint(head, tail), offset, self.generation, self.modified_ns
        )

    def inherit(self, other: OpenFile) -> None:
        """Go on from where ``other``, of which this is a copy, was."""
        self.offset, self.generation = other.offset, other.generation
        self._head, self._tail = other._head, other._tail

    def close(self) -> None:
        """Close the descriptor; a second call does nothing."""
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            os.close(fd)

    def _saw(self, status: os.stat_result) -> None:
        self.size, self.modified_ns = status.st_size, status.st_mtime_ns

    def _take(self, end: int) -> bytes:
        """Read up to ``end`` together with what stands before the offset: one read tells new bytes from another content."""
        known = len(self._tail)
        block = os.pread(self.fd, known + end - self.offset, self.offset - known)
        if block[:known] != self._tail:
            raise WasCut
        data = block[known:]
        if data:
            # Asked after the read: a truncation in its midst shows here.
            whole = self._same()
            if len(self._head) == self.offset:
                self._head = (self._head + data)[:FINGERPRINT]
            elif len(self._head) < FINGERPRINT:
                whole = self._learn_head() and whole
            if not whole:
                # From the very beginning it would be the new content, which is read again.
                raise WasCut(data if self.offset else b"")
        return data

    def _learn_head(self) -> bool:
        """Know up to 256 first bytes; False if those known so far are not there any more."""
        head = os.pread(self.fd, FINGERPRINT, 0)
        if not head.startswith(self._head):
            return False
        self._head = head
        return True

    def _same(self) -> bool:
        """Whether the first bytes and those before the offset are what they were."""
        if os.pread(self.fd, len(self._head), 0) != self._head:
            return False
        known = len(self._tail)
        return os.pread(self.fd, known, self.offset - known) == self._tail

    def _around_hole(self, size: int) -> int | None:
        """Pass over a hole that begins at the offset; where the data from there ends, None if the file system cannot tell."""
        hole = _seek(self.fd, self.offset, os.SEEK_HOLE)
        if hole == self.offset:
            data = _seek(self.fd, self.offset, os.SEEK_DATA)
            if not self._same():
                raise WasCut
            if not self._reads_as_zero(size if data is None else data):
                return None
            if data is None:
                # A hole up to the end: what will stand there is not written yet.
                return hole
            block = os.pread(self.fd, _BLOCK, data)
            landed = data + len(block) - len(block.lstrip(b"\0"))
            self.skipped += landed - self.offset
            self.move_to(landed)
            hole = _seek(self.fd, self.offset, os.SEEK_HOLE)
        return hole if hole is not None and hole > self.offset else None

    def _reads_as_zero(self, end: int) -> bool:
        # Some file systems have reported holes over data that was not yet on disk: believe what reads say.
        ends = (self.offset, max(self.offset, end - _PAGE))
        return not any(any(os.pread(self.fd, min(_PAGE, end - start), start)) for start in ends if start < end)


def _seek(fd: int, offset: int, whence: int) -> int | None:
    try:
        return os.lseek(fd, offset, whence)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.EINVAL, errno.EOPNOTSUPP):
            return None
        raise
