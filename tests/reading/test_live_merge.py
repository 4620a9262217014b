"""Several sources in turn: none is left out, none is lost, and waiting ends when something comes."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from pathlib import Path

from triage.reading.following import FollowedFile
from triage.reading.live import Chunk, Item, Note
from triage.reading.live_merge import Merger
from triage.reading.live_stdin import LiveStdin


class Script:
    """A source that gives what it was told, a batch a poll."""

    def __init__(self, *batches: list[Item], ends: bool = True) -> None:
        self._batches, self._ends = deque(batches), ends
        self.asked = 0

    @property
    def ended(self) -> bool:
        return self._ends and not self._batches

    def fileno(self) -> int | None:
        return None

    def poll(self, most: int = 0) -> list[Item]:
        self.asked += 1
        return self._batches.popleft() if self._batches else []

    def close(self) -> None:
        self._batches.clear()


def chunk(data: bytes) -> Chunk:
    return Chunk(data, 0, 0)


def test_items_have_labels_and_order() -> None:
    """Each source's items come in its order, with its label, until all have ended."""
    merger = Merger({"a": Script([chunk(b"1\n")], [Note("ended", "x")]), "b": Script([chunk(b"2\n")])})
    items = []
    while not merger.ended:
        items += merger.poll()
    assert [item for label, item in items if label == "a"] == [chunk(b"1\n"), Note("ended", "x")]
    assert [item for label, item in items if label == "b"] == [chunk(b"2\n")]


def test_first_place_goes_round() -> None:
    """The source that is asked first changes from poll to poll."""
    batches: list[list[Item]] = [[chunk(b"x\n")] for _ in range(4)]
    merger = Merger({name: Script(*batches) for name in "abc"})
    firsts = [merger.poll()[0][0] for _ in range(4)]
    assert firsts == ["a", "b", "c", "a"]


def test_loud_source_does_not_silence_others(tmp_path: Path) -> None:
    """A large backlog of one file leaves room for the line of another in each poll."""
    (tmp_path / "loud").write_bytes(b"x" * 1_000_000)
    (tmp_path / "still").write_bytes(b"y\n")
    merger = Merger({name: FollowedFile(str(tmp_path / name)) for name in ("loud", "still")}, most=10_000)
    items = merger.poll()
    assert sum(len(item.data) for label, item in items if isinstance(item, Chunk) and label == "loud") == 10_000
    assert ("still", chunk(b"y\n")) in items
    merger.close()


def test_unfinished_lines() -> None:
    """A source whose last byte is no line feed is named with the time of that byte, until its line is completed."""
    now = [1.0]
    merger = Merger({"a": Script([chunk(b"x\ny")], [], [chunk(b"z")], [chunk(b"\n")])}, clock=lambda: now[0])
    seen = []
    for _ in range(4):
        merger.poll()
        seen.append(merger.unfinished())
        now[0] += 1
    assert seen == [{"a": 1.0}, {"a": 1.0}, {"a": 3.0}, {}]


def test_wait_ends_when_something_comes(tmp_path: Path) -> None:
    """A line in a pipe or a file ends the wait at once; without one it ends in time."""
    path = tmp_path / "a.log"
    path.touch()
    ours, theirs = os.pipe()
    merger = Merger({"pipe": LiveStdin(ours), "file": FollowedFile(str(path))})
    merger.poll()
    started = time.monotonic()
    assert not merger.wait(0.1)
    assert 0.09 < time.monotonic() - started < 2
    for label, write in (("pipe", lambda: os.write(theirs, b"x\n")), ("file", lambda: path.write_bytes(b"x\n"))):
        timer = threading.Timer(0.05, write)
        started = time.monotonic()
        timer.start()
        assert merger.wait(10)
        assert time.monotonic() - started < 2
        assert merger.poll() == [(label, chunk(b"x\n"))]
        timer.join()
    merger.close()
    os.close(ours)
    os.close(theirs)


def test_wait_on_descriptors_alone_does_not_ask(tmp_path: Path) -> None:
    """Where all sources have descriptors nothing is polled while nothing comes; what was found while waiting is kept."""
    ours, theirs = os.pipe()
    merger = Merger({"pipe": LiveStdin(ours)})
    cpu = time.process_time()
    assert not merger.wait(0.5)
    assert time.process_time() - cpu < 0.1
    os.write(theirs, b"x")
    assert merger.wait(5)
    assert merger.wait(5)
    assert merger.poll() == [("pipe", chunk(b"x"))]
    os.close(theirs)
    assert merger.wait(5)
    assert merger.poll() == [("pipe", Note("ended", "end of input"))]
    assert merger.ended
    assert not merger.wait(5)
    os.close(ours)
