"""What a process that passes bytes on tells its watcher comes out whole and in order, wherever the frames are torn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.reading.live import Chunk, Item, Note
from triage.reading.live_frames import LiveFrames
from triage.reading.live_passthrough import FRAME

END = Note("ended", "the end")
Told = tuple[bytes, int | bytes]
"""A frame: its letter, and its number, or for ``D`` its bytes."""
TOLD = st.lists(
    st.one_of(
        st.tuples(st.just(b"D"), st.binary(max_size=40)),
        st.tuples(st.sampled_from([b"X", b"W", b"P", b"Z"]), st.integers(0, (1 << 64) - 1)),
    ),
    max_size=8,
)
FRAMES: list[Told] = [(b"D", b"one "), (b"D", b"two"), (b"X", 7), (b"D", b""), (b"D", b"D\0\0"), (b"P", 0), (b"W", 28)]


def packed(told: Iterable[Told]) -> bytes:
    """As the other side writes it."""
    frames = ((letter, what) for letter, what in told)
    return b"".join(
        FRAME.pack(letter, len(what)) + what if isinstance(what, bytes) else FRAME.pack(letter, what)
        for letter, what in frames
    )


def note(letter: bytes, number: int) -> Note:
    """What a frame without bytes is turned into here."""
    return Note("output", f"{letter.decode()} {number}")


def flat(items: Iterable[Item]) -> list[bytes | Note]:
    """Items without what depends on when they came: bytes that follow each other are one piece."""
    out: list[bytes | Note] = []
    for item in items:
        if isinstance(item, Chunk) and out and isinstance(out[-1], bytes):
            out[-1] += item.data
        else:
            out.append(item.data if isinstance(item, Chunk) else item)
    return out


def expected(told: Iterable[Told]) -> list[bytes | Note]:
    """The same, from the frames themselves."""
    items = (Chunk(what, 0, 0) if isinstance(what, bytes) else note(letter, what) for letter, what in told)
    return flat(item for item in items if not isinstance(item, Chunk) or item.data)


class Pipe:
    """A pipe whose reading end is taken apart."""

    def __init__(self, on_frame: Callable[[bytes, int], Iterable[Item]] = lambda *frame: [note(*frame)]) -> None:
        side, self._theirs = os.pipe()
        self.frames = LiveFrames(side, on_frame, lambda: [END])

    def told(self, data: bytes, pieces: Sequence[int] = ()) -> list[Item]:
        """What comes out of ``data``, written and polled in pieces that end at the given places."""
        items: list[Item] = []
        at = 0
        for end in (*pieces, len(data)):
            os.write(self._theirs, data[at:end])
            items += self.frames.poll()
            at = end
        return items

    def end(self) -> None:
        """The other side is gone."""
        if self._theirs >= 0:
            os.close(self._theirs)
            self._theirs = -1

    def close(self) -> None:
        """Give everything back."""
        self.frames.close()
        self.end()


@pytest.fixture(name="pipe")
def pipe_fixture() -> Iterator[Pipe]:
    """A pipe of the test."""
    found = Pipe()
    yield found
    found.close()


@pytest.mark.parametrize("cut", range(len(packed(FRAMES)) + 1))
def test_torn_once(pipe: Pipe, cut: int) -> None:
    """Within a letter, a number or the bytes: what comes out is the same, and offsets go on."""
    items = pipe.told(packed(FRAMES), [cut])
    assert flat(items) == expected(FRAMES)
    chunks = [item for item in items if isinstance(item, Chunk)]
    assert all(item.data for item in chunks)
    assert [item.offset for item in chunks] == [0, *accumulate(len(item.data) for item in chunks)][:-1]
    assert pipe.frames.offset == len(b"one twoD\0\0")


@given(TOLD, st.lists(st.integers(0, 400), max_size=12))
def test_torn_anywhere(told: list[Told], cuts: list[int]) -> None:
    """However often it is torn."""
    data = packed(told)
    pipe = Pipe()
    try:
        assert flat(pipe.told(data, sorted(cut for cut in cuts if cut < len(data)))) == expected(told)
    finally:
        pipe.close()


def test_data_is_joined(pipe: Pipe) -> None:
    """Frames of data that came by one poll are one chunk, up to what is told in between, which keeps its place."""
    items = pipe.told(packed(FRAMES))
    assert items == [
        Chunk(b"one two", 0, 0), note(b"X", 7), Chunk(b"D\0\0", 7, 0), note(b"P", 0), note(b"W", 28)
    ]  # fmt: skip
    assert pipe.told(packed([(b"D", b"more")])) == [Chunk(b"more", 10, 0)]


def test_a_frame_may_say_nothing_or_much() -> None:
    """What ``on_frame`` gives comes out in the place of its frame, be it nothing or several items."""
    pipe = Pipe(lambda letter, number: [note(letter, at) for at in range(number)])
    try:
        items = pipe.told(packed([(b"D", b"a"), (b"X", 0), (b"D", b"b"), (b"X", 2), (b"D", b"c")]))
        assert flat(items) == [b"ab", note(b"X", 0), note(b"X", 1), b"c"]
    finally:
        pipe.close()


def test_about_as_much_as_was_asked_for(pipe: Pipe) -> None:
    """A poll takes so many bytes of the pipe and no more; the rest is for the next one."""
    data = packed([(b"D", b"x" * 1000)])
    os.write(pipe._theirs, data)
    assert [len(item.data) for item in pipe.frames.poll(400) if isinstance(item, Chunk)] == [400 - FRAME.size]
    assert [len(item.data) for item in pipe.frames.poll() if isinstance(item, Chunk)] == [600 + FRAME.size]


def test_nothing_is_waited_for(pipe: Pipe) -> None:
    """Without news, or with a frame that is not whole, a poll gives nothing, and it is not the end."""
    assert pipe.frames.poll() == []
    assert pipe.told(packed([(b"X", 1)])[:-1]) == []
    assert not pipe.frames.is_closed


@pytest.mark.parametrize("cut", [0, 4, FRAME.size, FRAME.size + 2])
def test_the_end(pipe: Pipe, cut: int) -> None:
    """Behind the last bytes, once, also where the other side died within a frame: what came of it is given."""
    os.write(pipe._theirs, packed([(b"D", b"said")]) + packed([(b"D", b"cut off")])[:cut])
    pipe.end()
    assert pipe.frames.poll() == [Chunk(b"said" + b"cut off"[: max(0, cut - FRAME.size)], 0, 0), END]
    assert pipe.frames.is_closed
    assert pipe.frames.poll() == []


def test_closed_twice(pipe: Pipe) -> None:
    """The descriptor is closed once: a second call does not close what has its number by then; nothing comes out any more."""
    pipe.told(packed(FRAMES))
    side = pipe.frames.fileno()
    os.write(pipe._theirs, packed([(b"D", b"unread")]))
    pipe.frames.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(side)
    taken = os.open(os.devnull, os.O_RDONLY)
    try:
        assert taken == side, "the lowest free number"
        pipe.frames.close()
        os.fstat(side)
        assert pipe.frames.poll() == []
    finally:
        os.close(taken)
