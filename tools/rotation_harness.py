"""A writer of numbered lines whose log is rotated under the reader, and what the reader made of it.

The writer is a process of its own, and rotates between two lines, as a rotating log handler does; so everything that it
wrote lies somewhere, and a reader has no excuse. ``python tools/rotation_harness.py PATH SEED ROUNDS KIND...`` is the writer.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RENAME, COPYTRUNCATE, DOUBLE, DOUBLE_COPY, LATE, LATE_REOPEN, REGROW = (
    "rename", "copytruncate", "double-rename", "double-copytruncate", "late-file", "late-reopen", "regrow",
)  # fmt: skip
LOSSLESS = (RENAME, COPYTRUNCATE, DOUBLE, DOUBLE_COPY, LATE, LATE_REOPEN)
"""What a reader has no excuse for; `REGROW` leaves nothing to be read of what was cut off."""
_PATIENCE_S = 10.0
_CALM = 40
"""Polls without anything after which a reading is over: also what is looked for once a second has come by then, if the
reader's clock runs four times as fast."""
_NUMBER = re.compile(rb"(\d{9}) [a-z]*\n")


@dataclass
class Reading:
    """The numbers of the lines in the order in which they came, what was no line, and the notes that told of a loss."""

    numbers: list[int] = field(default_factory=list)
    broken: list[bytes] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    @property
    def doubled(self) -> list[int]:
        """Numbers that came more than once."""
        return [number for number, count in Counter(self.numbers).items() if count > 1]

    def missing(self, count: int) -> list[int]:
        """Numbers below ``count`` that did not come."""
        return sorted(set(range(count)) - set(self.numbers))


class Writer:
    """Writes lines and does to its file what it is told."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path, self.count = path, 0
        self._random = random.Random(seed)  # noqa: S311
        self._fd = -1

    def lines(self) -> None:
        """Between none and some hundred lines, a few with a pause between, some in two writes."""
        for _ in range(self._random.choice((0, 1, 3, 50, 300))):
            self._line()
            if self._random.random() < 0.01:
                time.sleep(self._random.random() * 0.01)

    def _line(self) -> None:
        if self._fd < 0:
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        letters = "abcdefghijklmnopqrstuvwxyz" * 4
        line = f"{self.count:09d} {letters[: self._random.randrange(100)]}\n".encode()
        cut = self._random.randrange(len(line)) if self._random.random() < 0.1 else 0
        for part in (line[:cut], line[cut:]):
            if part:
                os.write(self._fd, part)
        self.count += 1

    def rotate(self, kind: str) -> None:
        """One of the kinds above, between two lines."""
        if kind == RENAME:
            self._rename(reopen=True)
        elif kind == LATE_REOPEN:
            self._rename(reopen=False)
            self.path.touch()
            self.lines()
            self.close()
        elif kind == COPYTRUNCATE:
            self._copytruncate()
        elif kind in (DOUBLE, DOUBLE_COPY):
            for _ in range(self._random.choice((2, 3))):
                self._rename(reopen=True) if kind == DOUBLE else self._copytruncate()
                self.lines()
        elif kind == LATE:
            self._rename(reopen=True)
            time.sleep(self._random.random() * 0.05)
        elif kind == REGROW:
            self._regrow()

    def close(self) -> None:
        """Close the file; the next line opens it by its name."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _shift(self) -> None:
        for number in range(30, 0, -1):
            old = Path(f"{self.path}.{number}")
            if old.exists():
                old.rename(f"{self.path}.{number + 1}")

    def _rename(self, *, reopen: bool) -> None:
        if not self.path.exists():
            return
        self._shift()
        self.path.rename(f"{self.path}.1")
        if reopen:
            self.close()

    def _copytruncate(self) -> None:
        if not self.path.exists():
            return
        self._shift()
        shutil.copyfile(self.path, f"{self.path}.1")
        os.truncate(self.path, 0)

    def _regrow(self) -> None:
        """Emptied with no copy, and longer than before at once. The reader has seen its beginning, but not its end."""
        if not self.path.exists():
            return
        due = time.monotonic() + _PATIENCE_S
        while int(_seen(self.path).read_text() or 0) < self.count and time.monotonic() < due:
            time.sleep(0.001)
        self._line()
        size = self.path.stat().st_size
        block = []
        length = 0
        while length <= size:
            line = b"%09d regrown\n" % self.count
            block.append(line)
            length += len(line)
            self.count += 1
        os.truncate(self.path, 0)
        with self.path.open("ab", buffering=0) as stream:
            stream.write(b"".join(block))


def write(path: Path, seed: int, rounds: int, kinds: Sequence[str]) -> int:
    """Write and rotate ``rounds`` times; returns how many lines were written."""
    writer = Writer(path, seed)
    chance = random.Random(seed + 1)  # noqa: S311
    for _ in range(rounds):
        writer.lines()
        time.sleep(chance.choice((0.0, 0.0, 0.001, 0.02)))
        writer.rotate(chance.choice(kinds))
    writer.lines()
    writer.close()
    return writer.count


def read_while_written(
    path: Path, seed: int, rounds: int, kinds: Sequence[str], poll: Callable[[], list[tuple[bytes, int, str | None]]]
) -> tuple[Reading, int]:
    """Start a writer process, poll until it has ended and nothing more comes; the reading, and how many lines there were.

    ``poll`` gives what came: (bytes, generation, None), or (b"", 0, note) for a note that tells of a loss.
    """
    _seen(path).write_text("0")
    command = [sys.executable, __file__, str(path), str(seed), str(rounds), *kinds]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603
    reading = Reading()
    parts: dict[int, bytes] = {}
    chance = random.Random(seed + 2)  # noqa: S311
    idle = 0
    while idle < _CALM:
        over = process.poll() is not None
        items = poll()
        idle = idle + 1 if over and not items else 0
        for data, generation, note in items:
            if note is not None:
                reading.losses.append(note)
            else:
                parts[generation] = _take(reading, parts.get(generation, b"") + data)
        _seen(path).write_text(str(max(reading.numbers, default=-1) + 1))
        time.sleep(chance.choice((0.0, 0.001, 0.01, 0.03)))
    reading.broken.extend(rest for rest in parts.values() if rest)
    assert process.stdout is not None
    with process.stdout as stream:
        return reading, int(stream.read())


def _seen(path: Path) -> Path:
    """Where the reader says how many lines it has."""
    return path.with_name("seen")


def _take(reading: Reading, data: bytes) -> bytes:
    *lines, rest = data.split(b"\n")
    for line in lines:
        if (found := _NUMBER.fullmatch(line + b"\n")) is not None:
            reading.numbers.append(int(found[1]))
        else:
            reading.broken.append(line)
    return rest


if __name__ == "__main__":
    target, first, times, *names = sys.argv[1:]
    print(write(Path(target), int(first), int(times), names))
