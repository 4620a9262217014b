"""Between a server that floods and an analysis that is slow: the beginning and the last words are kept, and the gap is told."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from itertools import accumulate, groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reading.live_items import joined
from triage.reading.live import Chunk, Item, Note
from triage.reading.live_buffer import LiveBuffer, dropped

MOST = 64 << 10
PIECE = 1 << 10


@pytest.fixture(name="buffer")
def buffer_fixture() -> Iterator[LiveBuffer]:
    """One that keeps `MOST` bytes."""
    found = LiveBuffer(MOST)
    yield found
    found.close()


def numbered(count: int) -> list[bytes]:
    """Pieces that tell which they are."""
    return [b"%08d" % number * (PIECE // 8) for number in range(count)]


def everything(buffer: LiveBuffer) -> list[Item]:
    """All that there is to take."""
    items: list[Item] = []
    while not buffer.is_empty():
        items += buffer.take(4 * PIECE)
    return items


def lost(items: list[Item]) -> int:
    """How many bytes the notes say were dropped."""
    notes = [item for item in items if isinstance(item, Note) and item.kind == "dropped"]
    assert all(note.loss for note in notes)
    return sum(int(note.text.split()[0].replace(",", "")) for note in notes)


def test_a_flood_leaves_its_first_and_its_last_bytes(buffer: LiveBuffer) -> None:
    """Ten times what there is room for: about half of the room holds how it began, the other half how it ended."""
    pieces = numbered(10 * MOST // PIECE)
    for piece in pieces:
        assert buffer.offer(piece)
    sent = b"".join(pieces)
    items = everything(buffer)
    (gap,) = (at for at, item in enumerate(items) if isinstance(item, Note))
    first, last = joined(items[:gap]), joined(items[gap:])
    assert items[gap] == dropped(len(sent) - len(first) - len(last))
    assert sent.startswith(first)
    assert sent.endswith(last)
    assert all(MOST // 3 < len(part) <= MOST // 2 + PIECE for part in (first, last))
    chunks = [item for item in items if isinstance(item, Chunk)]
    assert [item.offset for item in chunks] == [0, *accumulate(len(item.data) for item in chunks)][:-1]


def test_a_second_flood_is_kept_as_well(buffer: LiveBuffer) -> None:
    """Once all was taken there is as much room as in the beginning."""
    kept = []
    for _ in range(3):
        for piece in numbered(200):
            buffer.offer(piece)
        kept.append(len(joined(everything(buffer))))
    assert kept[0] == kept[1] == kept[2] > MOST // 2


def test_a_gap_stays_where_it_is(buffer: LiveBuffer) -> None:
    """While what came before it is still being taken, what comes is behind it, although there is room before it again."""
    pieces = numbered(200)
    for piece in pieces[:199]:
        buffer.offer(piece)
    items = buffer.take(MOST // 3)
    buffer.offer(pieces[199])
    items += everything(buffer)
    assert [item.loss for item in items if isinstance(item, Note)] == [True]
    data = joined(items)
    numbers = [int(data[at : at + 8]) for at in range(0, len(data), PIECE)]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 199


@given(st.lists(st.integers(1, 6 * PIECE), min_size=1, max_size=60), st.integers(1, 40))
def test_nothing_is_lost_unsaid(sizes: list[int], every: int) -> None:
    """Whatever comes, in pieces larger than half of the room too, and however seldom it is taken: bytes come out in order, the very
    last ones too, and the notes count those that do not."""
    buffer = LiveBuffer(8 * PIECE)
    try:
        sent, items = b"", list[Item]()
        for turn, size in enumerate(sizes):
            piece = bytes([turn]) * size
            sent += piece
            buffer.offer(piece)
            if turn % every == every - 1:
                items += buffer.take(4 * PIECE)
        items += everything(buffer)
        data = joined(items)
        assert len(data) + lost(items) == len(sent)
        assert list(data) == sorted(data)
        assert data[-1:] == sent[-1:]
        assert data[0] == 0
    finally:
        buffer.close()


def test_notes_keep_their_place(buffer: LiveBuffer) -> None:
    """Between the bytes that came around them; in what was dropped they are all that is left, with the bytes on both sides
    counted."""
    pieces = numbered(400)
    for number, piece in enumerate(pieces):
        buffer.offer(piece)
        if number in (1, 200, 398):
            buffer.note(Note("hole", str(number)))
    items = everything(buffer)
    shown = ["data" if isinstance(item, Chunk) else item.kind for item in items]
    kinds = [kind for kind, _ in groupby(shown)]
    assert kinds == ["data", "hole", "data", "dropped", "hole", "dropped", "data", "hole", "data"]
    assert [item.text for item in items if isinstance(item, Note) and item.kind == "hole"] == ["1", "200", "398"]
    assert joined(items[: shown.index("hole")]) == b"".join(pieces[:2])
    assert items[-1:] == [Chunk(pieces[399], len(joined(items)) - PIECE, 0)]
    assert len(joined(items)) + lost(items) == 400 * PIECE


def test_tiny_pieces_have_a_price(buffer: LiveBuffer) -> None:
    """A flood of single bytes is bounded by what it costs to keep them, and ends with its last ones too."""
    for number in range(2000):
        buffer.offer(b"ab"[number % 2 : number % 2 + 1])
    buffer.offer(b"!")
    items = everything(buffer)
    data = joined(items)
    assert data.endswith(b"ab!")
    assert len(data) < MOST // 128
    assert len(data) + lost(items) == 2001


def test_readable_while_there_is_something(buffer: LiveBuffer) -> None:
    """The descriptor that a loop waits on, and nothing after the end."""

    def is_readable() -> bool:
        return bool(select.select([buffer.fileno()], [], [], 0)[0])

    assert not is_readable()
    buffer.offer(b"x" * PIECE)
    buffer.offer(b"y")
    assert is_readable()
    assert joined(buffer.take(1)) == b"x" * PIECE
    assert is_readable(), "one is left"
    assert joined(buffer.take(1)) == b"y"
    assert not is_readable()
    side = buffer.fileno()
    buffer.close()
    assert not buffer.offer(b"z")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(side)
