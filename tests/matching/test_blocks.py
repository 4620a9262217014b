"""The sliding buffer hands out every byte once, in the same lines and pieces however the bytes came."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from triage.matching import blocks, normalize
from triage.matching.blocks import SlidingBuffer

_LOOKBACK, _BLOCK, _LONG, _OVERLAP, _FIRST = 16, 96, 32, 8, 48
_STUCK = 500


@pytest.fixture(scope="module", autouse=True)
def _small_borders() -> Iterator[None]:
    """Borders so close together that short data meets all of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "LOOKBACK", _LOOKBACK)
        patch.setattr(blocks, "BLOCK", _BLOCK)
        patch.setattr(blocks, "FIRST_ROOM", _FIRST)
        patch.setattr(blocks, "MAX_LINE", _LONG)
        patch.setattr(blocks, "OVERLAP", _OVERLAP)
        patch.setattr(normalize, "MAX_JOINED", _LONG)
        yield


@dataclass(frozen=True)
class _Seen:
    """One region in absolute offsets, with its bytes and with what the buffer still holds before it."""

    start: int
    fresh: int
    end: int
    piece: bool
    ends_line: bool
    text: bytes
    before: bytes


def _seen(data: bytes, sizes: list[int]) -> list[_Seen]:
    buffer, found, at = SlidingBuffer(), [], 0
    steps = itertools.chain(sizes, itertools.repeat(len(data) or 1))
    while at < len(data):
        room = buffer.room()
        assert len(room) > 0, "no room although everything that could be scanned was"
        part = data[at : at + min(next(steps), len(room))]
        room[: len(part)] = part
        room.release()
        buffer.advance(len(part))
        at += len(part)
        found += _taken(buffer, final=False)
    return found + _taken(buffer, final=True)


def _taken(buffer: SlidingBuffer, *, final: bool) -> list[_Seen]:
    found = []
    for region in itertools.islice(buffer.regions(final=final), _STUCK):
        origin = buffer.origin
        text = bytes(buffer.bytes[region.start : region.end])
        before = bytes(buffer.bytes[max(0, region.start - _LOOKBACK) : region.start])
        found.append(
            _Seen(
                origin + region.start,
                origin + region.fresh,
                origin + region.end,
                region.piece,
                region.ends_line,
                text,
                before,
            )
        )
    assert len(found) < _STUCK, "regions without end"
    return found


def _units(found: list[_Seen]) -> list[tuple[int, int, int, bool, bool]]:
    """Lines and pieces: how many whole lines come in one region is the only thing that arrival may decide."""
    units = []
    for region in found:
        if region.piece:
            units.append((region.start, region.fresh, region.end, True, region.ends_line))
            continue
        at = region.start
        for line in _lines(region.text):
            units.append((at, at, at + len(line), False, True))
            at += len(line)
    return units


def _lines(text: bytes) -> list[bytes]:
    *ended, rest = text.split(b"\n")
    return [line + b"\n" for line in ended] + ([rest] if rest else [])


_LINE = st.one_of(
    st.binary(max_size=12),
    st.integers(0, 2 * _LONG + 12).map(lambda size: b"x" * size),
    st.sampled_from(["é" * 20, "日本語" * 9, "🚧" * 11, "ab🚧" * 9]).map(str.encode),
    st.sampled_from(
        [b"t stdout P ab", b"t stderr P ab", b"t stdout F cd", b"t stderr F cd", b"t stdout P " + b"y" * 30]
    ),
)
_DATA = st.tuples(st.lists(_LINE, max_size=14), st.booleans()).map(lambda both: b"\n".join(both[0]) + b"\n" * both[1])
_SIZES = st.lists(st.integers(1, 80), max_size=40)


@given(_DATA, _SIZES)
@example(b"a" * (_LONG + 1) + b"\n", [])
@example(b"short\n" + b"a" * (_LONG + 2) + b"\nend", [])
@settings(max_examples=150, deadline=None)
def test_same_lines_and_pieces_for_any_chunking(data: bytes, sizes: list[int]) -> None:
    """Cut anywhere, the bytes give the lines and the pieces of overlong lines that they give at once."""
    assert _units(_seen(data, sizes)) == _units(_seen(data, []))


@given(_DATA, _SIZES)
@settings(max_examples=150, deadline=None)
def test_every_byte_is_fresh_once(data: bytes, sizes: list[int]) -> None:
    """The fresh parts, put together, are the data; a region without a fresh byte is not handed out."""
    found = _seen(data, sizes)
    assert b"".join(region.text[region.fresh - region.start :] for region in found) == data
    assert all(region.fresh < region.end for region in found)
    assert [region.fresh for region in found] == [0, *[region.end for region in found]][: len(found)]


@given(_DATA, _SIZES)
@settings(max_examples=150, deadline=None)
def test_whole_lines_or_pieces_of_one(data: bytes, sizes: list[int]) -> None:
    """A region begins and ends at a line's border unless it is a piece; a piece never holds more than one line."""
    for region in _seen(data, sizes):
        if region.piece:
            assert b"\n" not in region.text[:-1]
            assert region.ends_line == (region.text.endswith(b"\n") or region.end == len(data))
            assert region.fresh - region.start <= _OVERLAP
        else:
            assert region.start == 0 or data[region.start - 1 : region.start] == b"\n"
            assert region.text.endswith(b"\n") or region.end == len(data)
            assert all(len(line) <= _LONG + 1 for line in region.text.split(b"\n"))


@given(_DATA, _SIZES)
@settings(max_examples=100, deadline=None)
def test_what_came_before_is_still_there(data: bytes, sizes: list[int]) -> None:
    """LOOKBACK bytes before every region are in the buffer, so that a line's context can be read."""
    for region in _seen(data, sizes):
        assert region.before == data[max(0, region.start - _LOOKBACK) : region.start]


@given(st.lists(st.text("aé日🚧", max_size=60), max_size=6), _SIZES)
@settings(max_examples=100, deadline=None)
def test_no_character_is_cut(lines: list[str], sizes: list[int]) -> None:
    """The fresh part of a piece of valid UTF-8 is valid UTF-8."""
    for region in _seen("\n".join(lines).encode(), sizes):
        region.text[region.fresh - region.start :].decode("utf-8")


@pytest.mark.parametrize("longer", range(-2, 8))
@pytest.mark.parametrize("after", [b"", b"\n", b"\nb", b"\nnext\n"], ids=["open", "ended", "byte", "followed"])
def test_lines_about_as_long_as_the_limit(longer: int, after: bytes) -> None:
    """A line just below, at and above the limit is handed out once, whole or in pieces, and the buffer comes to rest."""
    data = b"a" * (_LONG + longer) + after
    found = _seen(data, [])
    assert b"".join(region.text[region.fresh - region.start :] for region in found) == data
    assert not any(b"\n" in region.text[:-1] for region in found if region.piece)


def test_an_overlap_is_repeated_between_pieces() -> None:
    """A match across the border of two pieces stands whole in the second, as far as the overlap reaches."""
    data = b"a" * (_LONG - 3) + b"NEEDLE" + b"a" * 50 + b"\n"
    assert any(b"NEEDLE" in region.text for region in _seen(data, []))


def test_an_open_record_of_a_container_runtime_is_waited_for() -> None:
    """A CRI record in parts stays in one region although its parts come one by one."""
    first, second = b"t stdout P ab\n", b"t stdout F cd\n"
    assert [region.text for region in _seen(first + second, [len(first), len(second)])] == [first + second]


@pytest.mark.parametrize("padding", range(40))
def test_a_long_open_record_is_never_cut_inside_a_line(padding: int) -> None:
    """A CRI record that grows beyond what is waited for is let go between two of its lines."""
    stamp = b"2026-03-01T10:00:00Z"
    data = b"x" * 9 + b"\n" + stamp + b" stdout P a\n" + stamp[:8] + b" stdout P " + b"b" * padding + b"\n"
    for region in _seen(data + stamp + b" stdout F c\n", [len(data)]):
        assert region.piece or region.start == 0 or data[region.start - 1 : region.start] == b"\n"


def test_positions() -> None:
    """``filled`` and ``last_byte`` tell what was taken in."""
    buffer = SlidingBuffer()
    assert (buffer.filled, buffer.last_byte()) == (0, None)
    buffer.room()[:2] = b"ab"
    buffer.advance(2)
    assert (buffer.filled, buffer.last_byte()) == (2, ord("b"))


def test_it_grows_only_for_what_comes() -> None:
    """A buffer begins small, and has its full room as soon as little of the first one is left."""
    buffer = SlidingBuffer()
    assert len(buffer.room()) == _FIRST
    buffer.advance(_FIRST // 2)
    assert len(buffer.bytes) == len(buffer.room()) + _FIRST // 2 == _FIRST
    buffer.advance(_FIRST // 4 + 1)
    assert len(buffer.room()) == _LOOKBACK + _BLOCK + 2 * _LONG - _FIRST // 2 - _FIRST // 4 - 1
