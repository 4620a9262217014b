"""Lines of a file by byte and by number: the same as those of the whole text, at whatever size and while it grows."""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.reading import block_file
from triage.reading.block_file import BLOCK, BlockFile
from triage.reading.line_index import SHOWN, LineIndex, open_lines

TEXTS = st.lists(st.sampled_from([b"\n", b"\r\n", b"a", b"bb bb", b"\xff", b"\0", b"x" * 100]), max_size=60).map(
    b"".join
)


def indexed(text: bytes, block: int = BLOCK) -> LineIndex:
    """An index of a file with that text, counted in blocks of that size."""
    with tempfile.TemporaryFile() as file:
        file.write(text)
        file.flush()
        return LineIndex(BlockFile(os.dup(file.fileno()), block=block))


def counted(index: LineIndex) -> LineIndex:
    """The index, counted to its end."""
    while index.advance():
        pass
    return index


def split(text: bytes) -> list[bytes]:
    """The lines of a text, as ``grep -n`` counts them."""
    parts = text.split(b"\n")
    return parts[:-1] if not parts[-1] else parts


def write(path: Path, text: bytes) -> LineIndex:
    """The index of a plain file with that text."""
    path.write_bytes(text)
    found = open_lines(str(path))
    assert found is not None
    return found


@given(text=TEXTS, block=st.integers(1, 40), data=st.data())
def test_agrees_with_the_text(text: bytes, block: int, data: st.DataObject) -> None:
    """Forwards, backwards, by number and by byte, the lines are those of the text, for blocks of any size."""
    index = counted(indexed(text, block))
    lines = split(text)
    assert index.is_complete
    assert index.lines == len(lines)
    found = index.after(0, len(lines) + 1)
    assert [line.raw for line in found] == lines
    assert index.before(len(text), len(lines) + 1) == found
    for number in data.draw(st.permutations(range(1, len(lines) + 1))):
        offset = found[number - 1].offset
        assert (index.offset_of(number), index.number_of(offset)) == (offset, number)
    assert index.offset_of(len(lines) + 1) is None
    at = data.draw(st.integers(0, len(text)))
    assert index.start_of(at) == text.rfind(b"\n", 0, at) + 1
    index.close()


@given(text=TEXTS, block=st.integers(1, 40))
def test_needs_no_count_to_read(text: bytes, block: int) -> None:
    """Before anything was counted lines are read at any place, and numbers follow from one that was told."""
    index = indexed(text, block)
    lines = index.after(0, 100)
    assert [line.raw for line in lines] == split(text)
    for number, line in enumerate(lines, 1):
        index.learn(number, line.offset)
    assert [index.number_of(line.offset) for line in lines] == [*range(1, len(lines) + 1)]
    index.close()


def test_numpy_counts_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is large enough for numpy is counted like a small one."""
    text = b"".join(b"%d %s\n" % (number, b"y" * (number % 300)) for number in range(30_000))
    small = counted(indexed(text))
    monkeypatch.setattr(block_file, "_LARGE", BLOCK)
    large = counted(indexed(text))
    assert len(text) > 3 * BLOCK
    assert large.lines == small.lines == 30_000
    assert large.offset_of(29_999) == text.index(b"\n29998 ") + 1
    for index in (small, large):
        index.close()


def test_long_lines_are_cut(tmp_path: Path) -> None:
    """Of a line of megabytes the first bytes are handed out, and its neighbours are where they are."""
    text = b"first\n" + b"z" * (3 * BLOCK) + b"\nlast"
    index = counted(write(tmp_path / "a.log", text))
    first, long, last = index.after(0, 9)
    assert (first.is_cut, long.is_cut, last.is_cut) == (False, True, False)
    assert (len(long.raw), long.end, last.raw) == (SHOWN, len(text) - 4, b"last")
    assert index.before(len(text), 2) == [long, last]
    index.close()


def test_estimate_until_counted(tmp_path: Path) -> None:
    """The number of lines is estimated at first, and exact in the end."""
    index = write(tmp_path / "a.log", b"0123456789\n" * 400_000)
    assert not index.is_complete
    assert 390_000 < index.lines < 410_000
    assert index.offset_of(300_000) is None
    assert counted(index).lines == 400_000
    assert index.offset_of(300_000) == 299_999 * 11
    index.close()


def test_grows(tmp_path: Path) -> None:
    """What is appended is there after a refresh, also when it goes on with an unfinished line."""
    path = tmp_path / "a.log"
    index = counted(write(path, b"one\ntw"))
    assert index.lines == 2
    with path.open("ab") as file:
        file.write(b"o\n" + b"more\n" * BLOCK)
    assert index.refresh() == "grown"
    assert index.refresh() == "same"
    assert counted(index).lines == 2 + BLOCK
    assert [line.raw for line in index.after(4, 2)] == [b"two", b"more"]
    index.close()


def test_truncated(tmp_path: Path) -> None:
    """A file that became shorter is begun anew."""
    path = tmp_path / "a.log"
    index = counted(write(path, b"old\n" * BLOCK))
    path.write_bytes(b"new\nlines\n")
    assert index.refresh() == "truncated"
    assert (counted(index).lines, index.offset_of(2)) == (2, 4)
    assert [line.raw for line in index.after(0, 9)] == [b"new", b"lines"]
    index.close()


def test_replaced(tmp_path: Path) -> None:
    """A file that was rotated away is told once, and read on."""
    path = tmp_path / "a.log"
    index = write(path, b"old\n")
    path.rename(tmp_path / "a.log.1")
    path.write_bytes(b"new file\n")
    assert [index.refresh(), index.refresh()] == ["replaced", "same"]
    assert index.after(0, 1)[0].raw == b"old"
    index.close()


def test_truncation_during_the_count(tmp_path: Path) -> None:
    """A count in another thread while the file is cut again and again ends with the right table."""
    path = tmp_path / "a.log"
    index = write(path, b"line\n" * BLOCK)
    stop = threading.Event()

    def count() -> None:
        while not stop.is_set():
            index.advance()

    counter = threading.Thread(target=count)
    counter.start()
    for size in (2 * BLOCK, 100, BLOCK, 7):
        path.write_bytes(b"n\n" * size)
        index.refresh()
    stop.set()
    counter.join()
    assert counted(index).lines == 7
    index.close()


def test_readers_in_several_threads(tmp_path: Path) -> None:
    """Threads that read different places at the same time read what is there."""
    text = b"".join(b"%07d\n" % number for number in range(10_000))
    path = tmp_path / "a.log"
    path.write_bytes(text)
    index = LineIndex(BlockFile(os.open(path, os.O_RDONLY), block=64))
    wrong: list[int] = []

    def read(first: int) -> None:
        lines = ((number, index.after(index.start_of(number * 8 + 3), 1)) for number in range(first, 10_000, 17))
        wrong.extend(number for number, (line,) in lines if line.raw != b"%07d" % number)

    threads = [threading.Thread(target=read, args=(first,)) for first in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong
    index.close()


@pytest.mark.parametrize(
    "text",
    [gzip.compress(b"packed\n"), "wide\n".encode("utf-16"), b"\0" * 100 + b"late\n", b"PK\x03\x04 zip"],
    ids=["gzip", "utf-16", "leading NULs", "zip"],
)
def test_not_plain(tmp_path: Path, text: bytes) -> None:
    """What does not lie on the disk as it is read has no index of its own."""
    path = tmp_path / "a.log"
    path.write_bytes(text)
    assert open_lines(str(path)) is None


def test_not_a_file(tmp_path: Path) -> None:
    """Neither has a folder, a pipe nobody writes to, a file that is absent, or one with a hole."""
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "hole").open("wb") as file:
        file.seek(BLOCK)
        file.write(b"end\n")
    for name in (".", "pipe", "absent", "hole"):
        assert open_lines(str(tmp_path / name)) is None


def test_byte_order_mark(tmp_path: Path) -> None:
    """Offsets do not count a byte order mark, as those of a scan do not."""
    index = counted(write(tmp_path / "a.log", b"\xef\xbb\xbfone\ntwo\n"))
    assert [(line.offset, line.raw) for line in index.after(0, 9)] == [(0, b"one"), (4, b"two")]
    assert index.lines == 2
    index.close()
