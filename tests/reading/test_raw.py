"""Raw bytes: holes are skipped quickly and truly, and I/O errors end a stream with a note."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from triage.reading.raw import RawFile
from triage.reading.source import Remarks

if TYPE_CHECKING:
    from pathlib import Path

GIB = 1 << 30


def _sparse(path: Path, *parts: tuple[int, bytes], size: int | None = None) -> Path:
    with path.open("wb") as file:
        for offset, data in parts:
            file.seek(offset)
            file.write(data)
        if size is not None:
            file.truncate(size)
    return path


@pytest.mark.parametrize("offset", [4096, 5000, GIB, 8 * GIB + 4095])
def test_hole_before_the_text_is_skipped(tmp_path: Path, offset: int, read_all: Any) -> None:
    """What copytruncate leaves of a writer that does not append: the first line begins at its first byte."""
    path = _sparse(tmp_path / "a.log", (offset, b"[2026-03-01 10:00:00] one\ntwo\n"))
    started = time.monotonic()
    ((_, data, notes, truncated),) = read_all([path])
    assert time.monotonic() - started < 2
    assert data == b"[2026-03-01 10:00:00] one\ntwo\n"
    assert not truncated
    said = sum(int(word.replace(",", "")) for note in notes for word in note.split() if word.replace(",", "").isdigit())
    assert said == offset


@pytest.mark.parametrize("view_size", [100, 4096, 1 << 20])
def test_holes_between_and_behind_the_text_are_skipped(tmp_path: Path, view_size: int, read_all: Any) -> None:
    """Text on both sides of holes is complete, whatever the size of the view, and one note counts the bytes."""
    text = b"".join(b"line %06d\n" % number for number in range(3000))
    path = _sparse(tmp_path / "a.log", (0, text), (GIB, text), (2 * GIB + 77, text), size=3 * GIB)
    ((_, data, notes, _),) = read_all([path], view_size=view_size)
    assert data == text * 3
    assert len(notes) == 1
    assert f"{3 * GIB - 3 * len(text):,}" in notes[0]


def test_file_that_is_one_hole_is_empty(tmp_path: Path, read_all: Any) -> None:
    """A log that was truncated and never written again has no bytes, and says so."""
    ((_, data, notes, _),) = read_all([_sparse(tmp_path / "a.log", size=GIB)])
    assert data == b""
    assert f"{GIB:,} NUL bytes" in notes[0]


def test_written_nul_bytes_inside_lines_are_kept(tmp_path: Path, read_all: Any) -> None:
    """NUL bytes that somebody wrote are data: they are not dropped in passing."""
    text = b"one\0two\n" + b"\0" * 9000 + b"three\n\0"
    (tmp_path / "a.log").write_bytes(text)
    assert read_all([tmp_path / "a.log"], view_size=512)[0][1:] == (text, [], False)


def test_hole_that_is_not_one_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_all: Any) -> None:
    """A file system that reports a hole over data that is not on disk yet loses no line."""
    (tmp_path / "a.log").write_bytes(b"one\n" * 5000)

    def lie(fd: int, position: int, whence: int) -> int:
        return position if whence == os.SEEK_HOLE else os.fstat(fd).st_size

    monkeypatch.setattr("triage.reading.raw.os.lseek", lie)
    assert read_all([tmp_path / "a.log"])[0][1:] == (b"one\n" * 5000, [], False)


def test_growing_file_can_be_read_on(tmp_path: Path) -> None:
    """The end of a file is not for ever: what is appended later is handed out by the next call."""
    path = tmp_path / "a.log"
    path.write_bytes(b"one\n")
    raw = RawFile(os.open(path, os.O_RDONLY), Remarks(), seekable=True)
    view = memoryview(bytearray(100))
    assert raw.readinto(view) == 4
    assert raw.readinto(view) == 0
    with path.open("ab") as file:
        file.write(b"two\n")
    assert bytes(view[: raw.readinto(view)]) == b"two\n"
    raw.close()


def test_io_error_ends_the_stream_with_a_note(tmp_path: Path) -> None:
    """A disk or network file system that fails later does not lose what was read, and is told."""
    remarks = Remarks()
    directory = os.open(tmp_path, os.O_RDONLY)
    raw = RawFile(directory, remarks, seekable=False)
    assert raw.readinto(memoryview(bytearray(10))) == 0
    raw.close()
    assert remarks.truncated
    assert "Is a directory" in remarks.notes[0]


def test_nonblocking_stdin_waits_for_its_writer(read_all: Any) -> None:
    """Somebody else may have made the shared descriptor non-blocking: that is no end of file."""
    import threading

    reading, writing = os.pipe()
    os.set_blocking(reading, False)

    def write() -> None:
        for _ in range(3):
            time.sleep(0.05)
            os.write(writing, b"line\n")
        os.close(writing)

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, "rb") as stdin:
        ((_, data, notes, _),) = read_all(["-"], stdin=stdin)
    thread.join()
    assert (data, notes) == (b"line\n" * 3, [])
