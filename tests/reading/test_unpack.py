"""Compressed inputs: told by content, streamed, capped, and honest about what is missing."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from triage.reading.inputs import open_inputs
from triage.reading.source import Limits, ReadError, Remarks, Source
from triage.reading.unpack import sniff, unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = b"".join(b"[2026-03-01 10:00:00 TP%d] Decode batch. #token: %d\n" % (n % 8, n * 7919) for n in range(20_000))


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


# The least effort: what is tested is unpacking.
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": partial(gzip.compress, compresslevel=1),
    "zstd": _zstd,
    "xz": partial(lzma.compress, preset=0),
    "bzip2": partial(bz2.compress, compresslevel=1),
}
KINDS = pytest.mark.parametrize("kind", PACKERS)


@KINDS
def test_packed_text_is_read_whatever_its_name(tmp_path: Path, kind: str, read_all: Any) -> None:
    """The first bytes decide, not the suffix; the text is complete and there is nothing to remark."""
    (tmp_path / "server.log").write_bytes(PACKERS[kind](TEXT))
    assert read_all([tmp_path / "server.log"])[0][1:] == (TEXT, [], False)


@pytest.mark.parametrize("suffix", ["gz", "zst", "xz", "bz2"])
def test_plain_text_with_a_packed_name_is_plain(tmp_path: Path, suffix: str, read_all: Any) -> None:
    """A file called .gz that holds text is text."""
    (tmp_path / f"a.{suffix}").write_bytes(b"plain\n")
    assert read_all([tmp_path / f"a.{suffix}"])[0][1:] == (b"plain\n", [], False)


@KINDS
def test_packed_text_from_a_pipe(kind: str, read_all: Any) -> None:
    """Standard input is unpacked as files are."""
    assert read_all(["-"], stdin=io.BytesIO(PACKERS[kind](TEXT)))[0][1:] == (TEXT, [], False)


@KINDS
def test_members_that_follow_each_other_are_one_text(tmp_path: Path, kind: str, read_all: Any) -> None:
    """cat a.gz b.gz is the packed form of cat a b; empty members and zero padding between them change nothing."""
    pack = PACKERS[kind]
    padding = bytes(512)
    (tmp_path / "a").write_bytes(pack(TEXT) + pack(b"") + padding + pack(b"last\n"))
    assert read_all([tmp_path / "a"])[0][1:] == (TEXT + b"last\n", [], False)


@KINDS
def test_empty_member_is_an_empty_log(tmp_path: Path, kind: str, read_all: Any) -> None:
    """Rotation packs empty logs too."""
    (tmp_path / "a").write_bytes(PACKERS[kind](b""))
    assert read_all([tmp_path / "a"])[0][1:] == (b"", [], False)


@KINDS
def test_cut_data_gives_what_is_there_and_says_so(tmp_path: Path, kind: str, read_all: Any) -> None:
    """A copy that was interrupted still holds the beginning, where the cause often stands."""
    # Random letters do not shrink much, so half of the data is surely enough for whole blocks of every format.
    import random

    text = b"".join(b"%016x\n" % number for number in random.Random(1).choices(range(1 << 60), k=60_000))
    packed = PACKERS[kind](text)
    (tmp_path / "a").write_bytes(packed[: len(packed) // 2])
    ((_, data, notes, truncated),) = read_all([tmp_path / "a"])
    assert truncated
    assert "too early" in notes[0]
    assert text.startswith(data)
    assert kind == "bzip2" or data
    (tmp_path / "b").write_bytes(packed[:-1])
    ((_, data, notes, truncated),) = read_all([tmp_path / "b"])
    assert truncated
    assert len(data) > len(text) // 2


@KINDS
def test_stump_of_one_more_member_is_a_cut(tmp_path: Path, kind: str, read_all: Any) -> None:
    """A file that ends inside the header of its second member is incomplete."""
    pack = PACKERS[kind]
    for keep in (2, 5, 9):
        (tmp_path / "a").write_bytes(pack(b"one\n") + pack(b"two\n" * 100)[:keep])
        ((_, data, _, truncated),) = read_all([tmp_path / "a"])
        assert (data, truncated) == (b"one\n", True)


@KINDS
def test_damage_keeps_what_stands_before(tmp_path: Path, kind: str, read_all: Any) -> None:
    """Flipped bits in a later member end the text there, with a note, not with an exception."""
    broken = bytearray(PACKERS[kind](TEXT))
    broken[len(broken) // 2] ^= 0xFF
    broken[-6] ^= 0xFF
    (tmp_path / "a").write_bytes(PACKERS[kind](b"first\n") + bytes(broken))
    ((_, data, notes, truncated),) = read_all([tmp_path / "a"])
    assert data.startswith(b"first\n")
    assert truncated
    assert kind in notes[0]


def test_data_of_which_nothing_can_be_read_is_an_error(tmp_path: Path) -> None:
    """A magic number with nonsense behind it is told as damage."""
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b\x08" + b"\xff" * 1000)
    (item,) = open_inputs([str(tmp_path / "a.gz")], stdin=None)
    assert isinstance(item, ReadError)
    assert item.reason.startswith("damaged gzip data")


@KINDS
def test_garbage_behind_the_data_is_ignored_with_a_note(tmp_path: Path, kind: str, read_all: Any) -> None:
    """Signatures and stray lines behind the last member do not hide the text."""
    (tmp_path / "a").write_bytes(PACKERS[kind](b"text\n") + b"something else that is long enough")
    ((_, data, notes, truncated),) = read_all([tmp_path / "a"])
    assert (data, truncated) == (b"text\n", False)
    assert "ignored" in notes[0]


def test_zstd_bomb_is_stopped_by_its_ratio(tmp_path: Path, read_all: Any, peak_of: Callable[[str], int]) -> None:
    """A few kilobytes that unpack to 200 MB without a line are stopped early, in flat memory."""
    bomb = _zstd(b"A" * 200_000_000)
    assert len(bomb) < 50_000
    (tmp_path / "bomb.zst").write_bytes(bomb)
    ((_, data, notes, truncated),) = read_all([tmp_path / "bomb.zst"], view_size=1 << 20)
    assert truncated
    assert "200 times" in notes[0]
    assert len(data) < 40_000_000
    (tmp_path / "tiny.zst").write_bytes(_zstd(b"A"))
    grown = peak_of(str(tmp_path / "bomb.zst")) - peak_of(str(tmp_path / "tiny.zst"))
    assert grown < 60_000  # KiB


def test_bomb_of_nul_is_refused_or_stopped(tmp_path: Path) -> None:
    """Zeros are the cheapest bomb: nothing of it is a log."""
    (tmp_path / "bomb.zst").write_bytes(_zstd(bytes(50_000_000)))
    (item,) = open_inputs([str(tmp_path / "bomb.zst")], stdin=None)
    assert isinstance(item, ReadError)
    assert "looks binary" in item.reason


def test_storm_of_equal_lines_is_not_taken_for_a_bomb(tmp_path: Path, read_all: Any) -> None:
    """A million equal error lines shrink ten-thousandfold and are exactly what must be read in full."""
    storm = b"[2026-03-01 10:00:00 TP0] torch.OutOfMemoryError: CUDA out of memory.\n" * 400_000
    (tmp_path / "storm.zst").write_bytes(_zstd(storm))
    ((_, data, notes, truncated),) = read_all([tmp_path / "storm.zst"], view_size=1 << 20)
    assert (data == storm, notes, truncated) == (True, [], False)


def test_output_cap_holds_for_lines_too(tmp_path: Path, read_all: Any) -> None:
    """The absolute cap stops everything, and the note says how far the report reaches."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(TEXT))
    ((_, data, notes, truncated),) = read_all([tmp_path / "a.gz"], limits=Limits(max_output=500_000))
    assert truncated
    assert "cap of 500,000 bytes" in notes[0]
    assert 500_000 < len(data) < len(TEXT)
    assert TEXT.startswith(data)


def test_huge_zstd_window_is_refused(tmp_path: Path) -> None:
    """A frame that asks for more than 128 MiB of window is damage to us, not memory."""
    parameters = zstandard.ZstdCompressionParameters(window_log=29, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = packer.compress(TEXT) + packer.flush()
    (tmp_path / "a.zst").write_bytes(packed)
    (item,) = open_inputs([str(tmp_path / "a.zst")], stdin=None)
    assert isinstance(item, ReadError)
    assert "zstd" in item.reason


def test_leading_skippable_frame_is_passed(tmp_path: Path, read_all: Any) -> None:
    """Parallel compressors begin with a frame that holds no text."""
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"abcde"
    (tmp_path / "a.zst").write_bytes(skippable + _zstd(TEXT))
    assert read_all([tmp_path / "a.zst"])[0][1:] == (TEXT, [], False)


def test_only_one_layer_is_unpacked(tmp_path: Path) -> None:
    """Packed twice is refused by name, so that no chain of bombs is followed."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(_zstd(TEXT)))
    (item,) = open_inputs([str(tmp_path / "a.gz")], stdin=None)
    assert isinstance(item, ReadError)
    assert "twice" in item.reason


@pytest.mark.parametrize("magic", [b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"\x04\x22\x4d\x18"])
def test_other_packings_are_named(tmp_path: Path, magic: bytes) -> None:
    """What is not unpacked here is refused with its name instead of being read as noise."""
    (tmp_path / "a").write_bytes(magic + b"\n" * 100)
    (item,) = open_inputs([str(tmp_path / "a")], stdin=None)
    assert isinstance(item, ReadError)
    assert "not unpacked here" in item.reason


def test_archive_of_a_file_with_a_hole_begins_with_its_first_line(tmp_path: Path, read_all: Any) -> None:
    """Rotation packs the NUL bytes of a hole: they are dropped, and counted."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(700_000) + TEXT))
    ((_, data, notes, truncated),) = read_all([tmp_path / "a.gz"])
    assert (data, truncated) == (TEXT, False)
    assert "700,000 NUL bytes" in notes[0]


@given(st.sampled_from(sorted(PACKERS)), st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 50))
def test_any_chunking_of_the_packed_bytes_gives_the_same_text(kind: str, texts: list[bytes], size: int) -> None:
    """Where the reads happen to end has no influence on the result."""
    packed = b"".join(PACKERS[kind](text) for text in texts)
    assert sniff(packed) == kind
    remarks = Remarks()
    pieces = (packed[start : start + size] for start in range(0, len(packed), size))
    assert b"".join(unpack(kind, pieces, Limits(), remarks)) == b"".join(texts)
    assert remarks == Remarks()


def test_sniffing_does_not_take_words_for_packings() -> None:
    """A log may begin with the letters of a magic number."""
    assert sniff(b"BZhello world, this is text") is None
    assert sniff(b"\x1f\x8bnot deflate") is None
    assert sniff(b"") is None


def test_stream_is_lazy(tmp_path: Path) -> None:
    """Opening a packed file, and reading its beginning, does not unpack the rest: damage at its end is not known yet."""
    packed = bytearray(gzip.compress(TEXT * 4, compresslevel=1))
    packed[-6] ^= 0xFF
    (tmp_path / "a.gz").write_bytes(packed)
    (source,) = open_inputs([str(tmp_path / "a.gz")], stdin=None)
    assert isinstance(source, Source)
    view = memoryview(bytearray(1 << 20))
    with source:
        assert source.readinto(view[:100]) == 100
        assert not source.truncated
        while source.readinto(view):
            pass
        assert source.truncated
