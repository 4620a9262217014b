"""Files that were read to their end and have a successor, while a writer may still have them open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.reading.follow_file import OpenFile, WasCut
from triage.reading.live import Chunk, Note
from triage.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from triage.reading.live import Item

_WATCHED_S = 10.0
"""How long after its last growth an old file is watched."""
_MOST = 4


@dataclass(slots=True)
class _Late:
    """An old file, until when it is watched (seconds of the clock), and whether it was said that it grew."""

    file: OpenFile
    until: float
    told: bool = False


class LateFiles:
    """The last few files, each until it was silent for ten seconds. ``clock`` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._late: list[_Late] = []

    @property
    def files(self) -> list[OpenFile]:
        """The files, the one that was read last at the end."""
        return [late.file for late in self._late]

    def add(self, file: OpenFile) -> None:
        """Watch a file; of more than four the oldest is closed."""
        self._late.append(_Late(file, self._clock() + _WATCHED_S))
        while len(self._late) > _MOST:
            self._late.pop(0).file.close()

    def read(self, out: list[Item], most: int) -> None:
        """What was written to them since, up to ``most`` bytes each."""
        for late in list(self._late):
            try:
                data = late.file.read(most)
            except (WasCut, OSError):
                # Its content was all handed out.
                data, late.until = b"", 0.0
            if data:
                if not late.told:
                    text = f"bytes come to the file before, after byte {late.file.start:,}: a writer still has it open"
                    out.append(Note("late", text))
                out.append(Chunk(data, late.file.start, late.file.generation))
                late.told, late.until = True, self._clock() + _WATCHED_S
            elif self._clock() >= late.until:
                self._late.remove(late)
                late.file.close()

    def close(self) -> None:
        """Close all of them."""
        while self._late:
            self._late.pop().file.close()
