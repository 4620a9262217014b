"""What comes by a pipe can be looked at again, up to a cap, and the scan reads the same bytes."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from triage.reading.inputs import open_inputs
from triage.reading.source import Source
from triage.reading.spool import Spool, SpooledSource


def test_lines_grow() -> None:
    """Lines are there as they come."""
    spool = Spool()
    index = spool.lines()
    spool.append(b"one\ntw")
    index.refresh()
    assert [line.raw for line in index.after(0, 9)] == [b"one", b"tw"]
    spool.append(b"o\n")
    index.refresh()
    assert [line.raw for line in index.after(0, 9)] == [b"one", b"two"]
    spool.close()
    spool.append(b"too late")
    assert index.refresh() == "same"
    index.close()


def test_cap() -> None:
    """Beyond the cap nothing is kept, and that is said."""
    spool = Spool(cap=6)
    spool.append(b"12345")
    assert not spool.note
    spool.append(b"6789")
    spool.append(b"abc")
    index = spool.lines()
    assert index.after(0, 1)[0].raw == b"123456"
    assert "first part" in spool.note
    spool.close()
    index.close()


def test_is_private() -> None:
    """Nobody else can open the file: it has no name, and no rights for others."""
    spool = Spool()
    status = os.fstat(spool._file.fileno())
    assert (status.st_nlink, status.st_mode & 0o077) == (0, 0)
    spool.close()


def test_source_is_kept_as_it_is_read(tmp_path: Path) -> None:
    """A packed input gives its reader and its spool the same bytes, and keeps its notes."""
    path = tmp_path / "a.log.gz"
    path.write_bytes(gzip.compress(b"".join(b"line %d\n" % number for number in range(1000)))[:-20])
    spool = Spool()
    (inner,) = open_inputs([str(path)], stdin=None)
    assert isinstance(inner, Source)
    read = b""
    view = memoryview(bytearray(700))
    with SpooledSource(inner, spool) as source:
        while count := source.readinto(view):
            read += view[:count]
        assert source.truncated
        assert "too early" in source.notes[0]
        assert source.label == str(path)
    index = spool.lines()
    assert index.read(0, 10_000) == read
    assert read.startswith(b"line 0\nline 1\n")
    index.close()
    spool.close()
