"""Encodings and binary files: UTF-16 and UTF-32 become UTF-8, programs are refused, odd bytes pass."""

from __future__ import annotations

import codecs
import gzip
import io
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.reading.encoding import binary_reason, detect, transcode
from triage.reading.inputs import open_inputs
from triage.reading.source import ReadError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "[2026-03-01 10:00:00] Übergröße 模型 😀 failed\r\n" * 5000
MARKS = {
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("packed", [False, True])
def test_marked_text_becomes_utf8(tmp_path: Path, encoding: str, packed: bool, read_all: Any) -> None:
    """What PowerShell writes with > is read, packed or not; the mark is gone and a note names the encoding."""
    data = MARKS[encoding] + TEXT.encode(encoding)
    (tmp_path / "a.log").write_bytes(gzip.compress(data) if packed else data)
    ((_, read, notes, truncated),) = read_all([tmp_path / "a.log"])
    assert read == TEXT.encode()
    assert not truncated
    assert encoding.upper() in notes[0]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_unmarked_utf16_is_told_by_its_nul_bytes(tmp_path: Path, encoding: str, read_all: Any) -> None:
    """Text in Latin letters has NUL in every second byte, on one side."""
    text = "[2026-03-01 10:00:00] CUDA out of memory\n" * 10
    (tmp_path / "a.log").write_bytes(text.encode(encoding))
    assert read_all([tmp_path / "a.log"])[0][1] == text.encode()


def test_utf16_from_a_pipe(read_all: Any) -> None:
    """A pipe is decoded as a file is."""
    assert read_all(["-"], stdin=io.BytesIO(codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le")))[0][1] == TEXT.encode()


def test_utf8_mark_is_dropped_without_a_word(tmp_path: Path, read_all: Any) -> None:
    """The first line begins with its first letter, so that its prefix is recognised."""
    (tmp_path / "a.log").write_bytes(codecs.BOM_UTF8 + b"[2026-03-01] x\n")
    assert read_all([tmp_path / "a.log"])[0][1:] == (b"[2026-03-01] x\n", [], False)


def test_bytes_of_no_encoding_pass_unchanged(tmp_path: Path, read_all: Any) -> None:
    """Latin-1 and broken UTF-8 are for the matcher to judge: reading changes nothing."""
    data = b"caf\xe9 \xff\xfe \xc0\x80 \x9b[2J\n"
    (tmp_path / "a.log").write_bytes(data)
    assert read_all([tmp_path / "a.log"])[0][1:] == (data, [], False)


@pytest.mark.parametrize(
    "data", [b"\x7fELF\x02\x01\x01\0text\nmore\n", b"\x01\0\0" * 40_000, bytes(200_000)], ids=["elf", "nul", "zeros"]
)
def test_binary_files_are_refused_unless_asked_for(tmp_path: Path, data: bytes, read_all: Any) -> None:
    """Programs, core dumps and zeros are named as binary; with binary_as_text they are read."""
    (tmp_path / "a").write_bytes(data)
    (item,) = open_inputs([str(tmp_path / "a")], stdin=None)
    assert isinstance(item, ReadError)
    assert item.reason.startswith("looks binary")
    ((_, read, _, _),) = read_all([tmp_path / "a"], binary_as_text=True)
    assert data.endswith(read)
    assert read


def test_nul_bytes_among_lines_are_no_binary() -> None:
    """Ranks that write over each other leave NUL bytes; lines show that it is a log."""
    assert binary_reason(b"line\n" + bytes(60_000)) is None
    assert binary_reason(b"x" * 100 + bytes(20)) is None


@given(st.text(), st.sampled_from(sorted(MARKS)), st.integers(1, 9))
def test_any_chunking_gives_the_same_utf8(text: str, encoding: str, size: int) -> None:
    """Reads may end inside a character."""
    data = text.encode(encoding, "surrogatepass")
    pieces = (data[start : start + size] for start in range(0, len(data), size))
    assert b"".join(transcode(pieces, encoding)) == data.decode(encoding, "replace").encode()


def test_broken_utf16_becomes_replacement_characters() -> None:
    """A lone surrogate and half a character at the end are shown as U+FFFD, not raised."""
    assert b"".join(transcode(iter([b"a\0\x00\xd8b\0", b"c"]), "utf-16-le")).decode().count("\ufffd") >= 1


@given(st.binary(max_size=200))
def test_detection_never_raises(head: bytes) -> None:
    """Any bytes have an answer, and the mark is never longer than what is there."""
    encoding, mark = detect(head)
    assert encoding in ("", "utf-8", *MARKS)
    assert mark <= len(head)
