"""What the tests of followed files share: a clock of their own, and what some polls give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from triage.reading.following import FollowedFile
from triage.reading.live import Chunk, Note

Follow = Callable[..., FollowedFile]


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def taken(source: FollowedFile, polls: int = 3) -> tuple[bytes, list[Note]]:
    """What some polls give: the bytes joined, and the notes."""
    items = [item for _ in range(polls) for item in source.poll()]
    data = b"".join(item.data for item in items if isinstance(item, Chunk))
    return data, [item for item in items if isinstance(item, Note)]


def kinds(notes: list[Note]) -> list[str]:
    return [note.kind + ("!" if note.loss else "") for note in notes]


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as stream:
        stream.write(data)
