"""Bytes that come to a file after its successor has begun: whole lines, between whole lines, and none of them lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reading.following import Clock, Follow, append, taken
from triage.reading.following import FollowedFile
from triage.reading.live import Chunk


@pytest.fixture(name="source")
def source_fixture(log: Path, follow: Follow) -> FollowedFile:
    """A source whose file has just been renamed, and whose new one was read up to the middle of a line."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    log.rename(f"{log}.1")
    log.write_bytes(b"two\nthr")
    assert taken(source)[0] == b"two\nthr"
    return source


def chunks(source: FollowedFile) -> list[Chunk]:
    """The bytes of one poll."""
    return [item for item in source.poll() if isinstance(item, Chunk)]


def test_a_late_line_waits_for_the_end_of_the_line_before_it(log: Path, source: FollowedFile) -> None:
    """It comes between two lines of the new file, with the old file's generation and its own place."""
    append(Path(f"{log}.1"), b"late\n")
    assert chunks(source) == []
    append(log, b"ee\nfou")
    assert chunks(source) == [Chunk(b"ee\n", 7, 1), Chunk(b"late\n", 4, 0), Chunk(b"fou", 10, 1)]


def test_half_a_late_line_waits_for_its_other_half(log: Path, source: FollowedFile) -> None:
    """Lines of the new file pass it by."""
    append(log, b"ee\n")
    append(Path(f"{log}.1"), b"la")
    assert chunks(source) == [Chunk(b"ee\n", 7, 1)]
    append(log, b"four\n")
    append(Path(f"{log}.1"), b"te\nand mo")
    assert chunks(source) == [Chunk(b"four\n", 10, 1), Chunk(b"late\n", 4, 0)]


def test_no_end_of_a_line_is_waited_for_without_end(log: Path, source: FollowedFile, clock: Clock) -> None:
    """After ten seconds a late line comes though the new file stands within a line, and half a late line comes as it is."""
    append(Path(f"{log}.1"), b"late\nhalf")
    assert chunks(source) == []
    clock.now += 10.1
    assert chunks(source) == [Chunk(b"late\n", 4, 0)]
    clock.now += 10.1
    assert chunks(source) == []
    clock.now += 10.1
    assert taken(source)[0] == b"half"


def test_a_late_line_without_end_is_not_kept(log: Path, source: FollowedFile, clock: Clock) -> None:
    """Memory is bounded, whatever an old file gets; what is left comes when it was silent for long."""
    append(log, b"ee\n")
    append(Path(f"{log}.1"), b"x" * (3 << 20))
    given = len(taken(source, polls=5)[0])
    assert given >= 2 << 20
    clock.now += 10.1
    assert given + len(taken(source)[0]) == 3 + (3 << 20)


def test_too_many_old_files_lose_nothing(log: Path, source: FollowedFile) -> None:
    """An old file that is watched no longer, since there are newer ones, leaves the half line that it had."""
    append(log, b"ee\n")
    append(Path(f"{log}.1"), b"half")
    seen = taken(source)[0]
    for number in range(5):
        for old in range(number + 1, 0, -1):
            Path(f"{log}.{old}").rename(f"{log}.{old + 1}")
        log.rename(f"{log}.1")
        log.write_bytes(b"%d\n" % number)
        seen += taken(source)[0]
    assert sorted(seen.replace(b"half", b"half\n").split()) == [b"0", b"1", b"2", b"3", b"4", b"ee", b"half"]
