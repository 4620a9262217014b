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
"""How long after its last growth an old file is watched, and how long its bytes wait for a line's end."""
_MOST = 4
_LONGEST_LINE = 1 << 20


@dataclass(slots=True)
class _Late:
    """An old file, until when it is watched (seconds of the clock), whether it was said that it grew, and the line that it
    is at: its bytes so far, and where they begin."""

    file: OpenFile
    until: float
    told: bool = False
    line: bytes = b""
    line_at: int = 0

    def take(self, data: bytes) -> list[Item]:
        """The lines that ``data`` completes; a line beyond all measure is not waited for."""
        if not self.line:
            self.line_at = self.file.start
        self.line += data
        end = len(self.line) if len(self.line) > _LONGEST_LINE else self.line.rfind(b"\n") + 1
        return self.give(end)

    def give(self, end: int) -> list[Item]:
        """The first ``end`` bytes of what is held."""
        data, self.line = self.line[:end], self.line[end:]
        at, self.line_at = self.line_at, self.line_at + end
        return [Chunk(data, at, self.file.generation)] if data else []


class LateFiles:
    """The last few files, each until it was silent for ten seconds. ``clock`` gives monotonic seconds.

    What is written to them is handed out in whole lines, and between two lines of the file that is read now: a line of one
    is never parted by one of the other, unless its end does not come for ten seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._late: list[_Late] = []
        self._waiting: list[Item] = []
        self._waiting_since = 0.0
        self._within_line = False

    @property
    def files(self) -> list[OpenFile]:
        """The files, the one that was read last at the end."""
        return [late.file for late in self._late]

    def add(self, file: OpenFile) -> None:
        """Watch a file; of more than four the oldest is closed."""
        self._late.append(_Late(file, self._clock() + _WATCHED_S))
        while len(self._late) > _MOST:
            oldest = self._late.pop(0)
            self._wait(oldest.give(len(oldest.line)))
            oldest.file.close()

    def read(self, out: list[Item], most: int) -> None:
        """Put what was written to them since, up to ``most`` bytes each, into ``out``, which has what else came."""
        for item in out:
            if isinstance(item, Chunk):
                self._within_line = not item.data.endswith(b"\n")
        if not self._waiting:
            for late in list(self._late):
                self._wait(self._came(late, most))
        if self._waiting and (at := self._line_end(out)) is not None:
            out[at:at] = self._waiting
            self._waiting = []

    def close(self) -> None:
        """Close all of them."""
        while self._late:
            self._late.pop().file.close()

    def _wait(self, items: list[Item]) -> None:
        if items and not self._waiting:
            self._waiting_since = self._clock()
        self._waiting += items

    def _came(self, late: _Late, most: int) -> list[Item]:
        try:
            data = late.file.read(most)
        except (WasCut, OSError):
            # Its content was all handed out.
            data, late.until = b"", 0.0
        if data:
            late.until = self._clock() + _WATCHED_S
            out: list[Item] = []
            if not late.told:
                text = f"bytes come to the file before, after byte {late.file.start:,}: a writer still has it open"
                out.append(Note("late", text))
                late.told = True
            return out + late.take(data)
        if self._clock() < late.until:
            return []
        self._late.remove(late)
        late.file.close()
        return late.give(len(late.line))

    def _line_end(self, out: list[Item]) -> int | None:
        """Where in ``out`` the last complete line ends, parting a chunk if need be; None while that has yet to come."""
        if not self._within_line or self._clock() - self._waiting_since >= _WATCHED_S:
            return len(out)
        for index in reversed(range(len(out))):
            item = out[index]
            if isinstance(item, Chunk) and (cut := item.data.rfind(b"\n") + 1):
                rest = Chunk(item.data[cut:], item.offset + cut, item.generation)
                out[index : index + 1] = [Chunk(item.data[:cut], item.offset, item.generation)]
                if rest.data:
                    out.insert(index + 1, rest)
                return index + 1
        return None
