"""Samples of what came since the last look, whole lines only, from bounded bytes."""

from __future__ import annotations

from tests.watching.batches import decode_line
from triage.watching.sampler import BatchSampler


def test_lines_in_pieces() -> None:
    """A line without its end waits for the next look."""
    sampler = BatchSampler()
    line = decode_line(1).encode()
    sampler.take(line + line[:50])
    assert len(sampler.drain(0).samples) == 1
    assert sampler.drain(0).samples == ()
    sampler.take(line[50:])
    (sample,) = sampler.drain(0).samples
    assert sample.running == 8


def test_a_flood_costs_its_end() -> None:
    """Of a great many lines the last few are read, and nearly nothing is kept."""
    sampler = BatchSampler()
    for second in range(50):
        sampler.take(decode_line(second).encode() * 2000)
    turn = sampler.drain(100_000)
    assert (turn.lines, sampler.drain(100_005).lines) == (100_000, 5)
    assert 0 < len(turn.samples) <= 32
    assert turn.samples[-1].seconds is not None
    assert sampler._size < 64 << 10


def test_single_bytes_are_bounded_too() -> None:
    """A source without line feeds, byte by byte."""
    sampler = BatchSampler()
    for _ in range(200_000):
        sampler.take(b"x")
    assert sampler._size <= 65 << 10
    sampler.take(b"\n" + decode_line(1).encode())
    assert len(sampler.drain(0).samples) == 1


def test_a_cut_line_is_no_line() -> None:
    """What is left of a line whose front was dropped is not read."""
    sampler = BatchSampler()
    sampler.take(b"x" * 200_000 + decode_line(1).encode())
    assert sampler.drain(0).samples == ()
    sampler.take(decode_line(2).encode())
    assert len(sampler.drain(0).samples) == 1


def test_answers_behind_the_last_batch() -> None:
    """Requests that were answered before it were no longer running in it."""
    sampler = BatchSampler()
    answer = b'INFO:     10.0.0.1:4000 - "POST /v1/chat/completions HTTP/1.1" 200 OK\n'
    sampler.take(answer * 3 + decode_line(1).encode() + answer * 2)
    assert sampler.drain(0).answers == 2
    sampler.take(answer)
    assert sampler.drain(0).answers == 1


def test_a_line_that_goes_on_no_more() -> None:
    """A rotation ends it."""
    sampler = BatchSampler()
    sampler.take(decode_line(1).encode()[:60])
    sampler.end_line()
    sampler.take(decode_line(2).encode())
    assert len(sampler.drain(0).samples) == 2
