"""Where reading stands in a file, told so that the file is known again under another name and another content is not."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from triage.records import dataclass

FINGERPRINT = 256
"""Bytes at the beginning of a file, and before the position in it, by which its content is known again."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Digests of the first bytes of a file and of the last ones before a position, with how many those were (at most 256).

    Digests and not the bytes: positions are stored, and logs hold secrets.
    """

    head_length: int
    head: str
    tail_length: int
    tail: str

    def holds(self, fd: int, offset: int) -> bool:
        """Whether the open file has this content before ``offset``. Raises OSError."""
        if offset < self.tail_length:
            return False
        head = os.pread(fd, self.head_length, 0)
        tail = os.pread(fd, self.tail_length, offset - self.tail_length)
        return digest(head) == self.head and digest(tail) == self.tail


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a followed file: ``offset`` bytes were handed out of the file that has this device, inode and content.

    ``path`` is the path that was followed, which may lead to another file by now; ``generation`` is that of the chunks;
    ``modified_ns`` is when the file was last seen to change.
    """

    path: str
    device: int
    inode: int
    fingerprint: Fingerprint
    offset: int
    generation: int
    modified_ns: int

    def record(self) -> dict[str, object]:
        """The position for JSON; `position_of` is the way back."""
        mark = self.fingerprint
        return {
            "path": self.path,
            "device": self.device,
            "inode": self.inode,
            "head": [mark.head_length, mark.head],
            "tail": [mark.tail_length, mark.tail],
            "offset": self.offset,
            "generation": self.generation,
            "modified_ns": self.modified_ns,
        }


def fingerprint(head: bytes, tail: bytes) -> Fingerprint:
    """The fingerprint of a file that begins with ``head`` and has ``tail`` before the position."""
    return Fingerprint(len(head), digest(head), len(tail), digest(tail))


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def position_of(record: Mapping[str, object]) -> Position:
    """The position that `Position.record` made. Raises ValueError for anything else."""
    path = record.get("path")
    if not isinstance(path, str):
        raise ValueError("a position without a path")
    mark = Fingerprint(*_mark(record, "head"), *_mark(record, "tail"))
    offset = _count(record.get("offset"), "offset")
    if mark.tail_length > offset:
        raise ValueError("a position before the bytes that tell it")
    return Position(
        path,
        _count(record.get("device"), "device"),
        _count(record.get("inode"), "inode"),
        mark,
        offset,
        _count(record.get("generation"), "generation"),
        _count(record.get("modified_ns"), "modified_ns"),
    )


def _mark(record: Mapping[str, object], key: str) -> tuple[int, str]:
    value = record.get(key)
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], str):
        raise ValueError(f"a position whose {key!r} is no fingerprint")
    length = _count(value[0], key)
    if length > FINGERPRINT:
        raise ValueError(f"a position whose {key!r} is too long")
    return length, value[1]


def _count(value: object, key: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 64:
        raise ValueError(f"a position whose {key!r} is no count")
    return value
