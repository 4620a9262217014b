"""The keeper's frames as a live source."""

from __future__ import annotations

import os
import signal

import pytest

from triage.reading.live import Chunk
from triage.running.keeper import FRAME
from triage.running.output import ServerOutput


def output_of(*frames: tuple[bytes, int, bytes]) -> tuple[ServerOutput, list[object], list[int]]:
    """A source whose keeper wrote these frames, all that it gave, and the signals that stopped the server."""
    taken, told = os.pipe()
    stops: list[int] = []
    output, items = ServerOutput(taken, on_stop=stops.append), list[object]()
    os.write(told, b"".join(FRAME.pack(letter, number) + data for letter, number, data in frames))
    items += output.poll()
    os.close(told)
    items += output.poll()
    return output, items, stops


@pytest.mark.parametrize("piece", [1, 5, 4096])
def test_bytes_and_what_is_missing_of_them(piece: int) -> None:
    """However the frames are cut; what follows a gap is counted on from what was handed out."""
    taken, told = os.pipe()
    output, chunks = ServerOutput(taken, on_stop=lambda _number: None), list[Chunk]()
    text = FRAME.pack(b"D", 3) + b"abc" + FRAME.pack(b"X", 7) + FRAME.pack(b"D", 2) + b"de" + FRAME.pack(b"Z", 0)
    for at in range(0, len(text), piece):
        os.write(told, text[at : at + piece])
        chunks += [item for item in output.poll() if isinstance(item, Chunk)]
    os.close(told)
    assert b"".join(item.data for item in chunks) == b"abcde"
    assert output.ended
    assert (output.left_out, output.stored_size) == (7, 12)


@pytest.mark.parametrize(
    ("frames", "size"),
    [
        ([(b"D", 3, b"abc"), (b"Z", 0, b"")], 3),
        ([(b"D", 3, b"abc")], 0),
        ([(b"D", 3, b"abc"), (b"L", 28, b""), (b"Z", 0, b"")], 0),
        ([(b"D", 3, b"abc"), (b"K", 2, b""), (b"Z", 0, b"")], 0),
    ],
    ids=["all", "keeper killed", "disk full", "disk slow"],
)
def test_a_log_that_lacks_something_is_not_all(frames: list[tuple[bytes, int, bytes]], size: int) -> None:
    """Nobody may take its end for all that was printed."""
    output, _, _ = output_of(*frames)
    assert output.stored_size == size


def test_who_stopped_it() -> None:
    """A key is no news, SIGSTOP is."""
    _, items, stops = output_of(
        (b"T", signal.SIGTSTP, b""), (b"C", 0, b""), (b"T", signal.SIGSTOP, b""), (b"Z", 0, b"")
    )
    assert stops == [signal.SIGTSTP, signal.SIGSTOP]
    assert sum("SIGSTOP" in getattr(item, "text", "") for item in items) == 1
