"""Standard input as a live source: its writer never waits, and what is dropped is told."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from tests.reading.live_items import drained
from triage.reading.live import Chunk, Note
from triage.reading.live_stdin import LiveStdin

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    ends = os.pipe()
    yield ends
    for fd in ends:
        try:
            os.close(fd)
        except OSError:
            # The test closed the writer's end.
            continue


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def test_bytes_come_in_order_to_the_end(pipe: Pipe) -> None:
    """Everything that was written comes, with its offsets, and then the end."""
    source = LiveStdin(pipe[0])
    write_all(pipe[1], b"one\n")
    write_all(pipe[1], b"two")
    os.close(pipe[1])
    *chunks, last = drained(source)
    assert last == Note("ended", "end of input")
    assert b"".join(chunk.data for chunk in chunks if isinstance(chunk, Chunk)) == b"one\ntwo"
    assert source.fileno() is None
    assert source.poll() == []


def test_writer_does_not_wait(pipe: Pipe) -> None:
    """While nobody polls the writer goes on; what went beyond the buffer is counted where it is missing."""
    source = LiveStdin(pipe[0], buffer=1 << 20)
    total = 16 << 20
    started = time.monotonic()
    write_all(pipe[1], b"x" * total)
    assert time.monotonic() - started < 5
    os.close(pipe[1])
    items = drained(source)
    kept = sum(len(item.data) for item in items if isinstance(item, Chunk))
    notes = [item for item in items if isinstance(item, Note) and item.kind == "dropped"]
    assert notes
    assert all(note.loss for note in notes)
    assert kept + sum(int(note.text.split()[0].replace(",", "")) for note in notes) == total
    # The buffer, the pipe, and what was taken while the rest came in.
    assert 1 << 20 <= kept < 6 << 20


def test_memory_of_tiny_writes_is_bounded(pipe: Pipe) -> None:
    """Single bytes cost more than a byte each, and that is counted."""
    source = LiveStdin(pipe[0], buffer=10_000)
    for _ in range(3000):
        os.write(pipe[1], b"x")
        time.sleep(0)
    os.close(pipe[1])
    items = drained(source)
    kept = sum(len(item.data) for item in items if isinstance(item, Chunk))
    missing = sum(int(item.text.split()[0].replace(",", "")) for item in items if isinstance(item, Note) and item.loss)
    assert kept + missing == 3000


def test_lossless_lets_the_writer_wait(pipe: Pipe) -> None:
    """On wish nothing is dropped, however late it is polled."""
    source = LiveStdin(pipe[0], buffer=1 << 16, lossless=True)
    sent = os.urandom(8 << 20)

    def write() -> None:
        write_all(pipe[1], sent)
        os.close(pipe[1])

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(0.1)
    items = drained(source)
    thread.join()
    assert b"".join(item.data for item in items if isinstance(item, Chunk)) == sent


def test_close_does_not_wait_for_the_writer(pipe: Pipe) -> None:
    """Closing ends the thread although nothing comes."""
    source = LiveStdin(pipe[0])
    started = time.monotonic()
    source.close()
    source.close()
    assert time.monotonic() - started < 0.5
    assert not any(thread.name == "stdin" for thread in threading.enumerate())


def test_descriptor_tells_when_there_is_something(pipe: Pipe) -> None:
    """It is readable after a write and at the end, and not in between."""
    import select

    def readable(source: LiveStdin, wait_s: float) -> bool:
        fd = source.fileno()
        assert fd is not None
        return bool(select.select([fd], [], [], wait_s)[0])

    source = LiveStdin(pipe[0])
    assert not readable(source, 0.05)
    os.write(pipe[1], b"x")
    assert readable(source, 5)
    source.poll()
    assert not readable(source, 0.05)
    os.close(pipe[1])
    assert readable(source, 5)
    assert drained(source)[-1] == Note("ended", "end of input")


def test_regular_file(tmp_path: object) -> None:
    """Standard input may be a file: it is read to its end."""
    path = os.path.join(str(tmp_path), "a.log")  # noqa: PTH118
    with open(path, "wb") as stream:
        stream.write(b"x" * 1_000_000)
    with open(path, "rb") as stream:
        items = drained(LiveStdin(stream.fileno(), lossless=True))
    assert sum(len(item.data) for item in items if isinstance(item, Chunk)) == 1_000_000
