"""Filters and searches find what a look at every line would find."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.reading.block_file import BlockFile
from triage.reading.line_index import LineIndex
from triage.tui import line_filter
from triage.tui.line_filter import Hits, Wanted, rank_of, tone_of
from triage.tui.needles import Needles

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
LINES = [
    b"[2026-03-01 10:00:00 TP3] Decode batch", b"[rank6]:[E123] Watchdog caught", b"ValueError: no", b"WARNING: low", b"",
    b"[1,6]<stdout>: hello", b"Error ERROR", b"an exceptional line", b"\xff\xfe\0", b"x" * 90, b"hello world",
]  # fmt: skip
WANTED = [
    Wanted.parse(text)
    for text in ("hello", "Hello", "ERROR", "sev:error", "sev:warning", "rank:tp3", "rank:rank6 caught")
]


def beside(places: list[int], offset: int, step: int) -> int | None:
    """The next (1) or previous (-1) of some places in order."""
    later, earlier = [item for item in places if item > offset], [item for item in places if item < offset]
    return next(iter(later if step > 0 else earlier[::-1]), None)


@given(
    st.lists(st.sampled_from(LINES), max_size=30),
    st.sampled_from(WANTED),
    st.integers(100, 300),
    st.floats(0, 1),
    st.lists(st.sampled_from((1, -1)), max_size=40),
)
def test_hits_are_those_of_every_line(
    lines: list[bytes], wanted: Wanted, step: int, share: float, ways: list[int]
) -> None:
    """In slices of any size, from any line on, whichever way is searched first; and what is called known before the end is so."""
    starts, at = [], 0
    for line in lines:
        starts.append(at)
        at += len(line) + 1
    text = b"".join(line + b"\n" for line in lines)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryFile() as file:
        patch.setattr(line_filter, "_STEP", step)
        file.write(text)
        file.flush()
        index = LineIndex(BlockFile(os.dup(file.fileno())))
        truth = [start for start, line in zip(starts, lines, strict=True) if wanted.holds(line)]
        hits = Hits(index, wanted, starts[int(share * (len(starts) - 1))] if starts else 0)
        turns = iter(ways)
        while hits.advance():
            for start in starts:
                assert not hits.knows(start, 1) or hits.next(start) == beside(truth, start, 1)
                assert not hits.knows(start, -1) or hits.previous(start) == beside(truth, start, -1)
            hits.toward = next(turns, hits.toward)
        found, place = [], hits.next(-1)
        while place is not None:
            found.append(place)
            place = hits.next(place)
        index.close()
    assert found == truth
    assert len(hits) == len(found)


@given(st.integers(0, 500), st.booleans())
def test_a_line_longer_than_a_slice(length: int, is_last: bool) -> None:
    """It is found once, where it begins, also when it is searched from its end."""
    line = b"x" * length + b"hello"
    text = b"first\n" + line + (b"" if is_last else b"\nlast\n")
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryFile() as file:
        patch.setattr(line_filter, "_STEP", 100)
        file.write(text)
        file.flush()
        index = LineIndex(BlockFile(os.dup(file.fileno())))
        hits = Hits(index, Wanted("hello"), len(text))
        hits.toward = -1
        while hits.advance():
            pass
        assert (len(hits), hits.previous(len(text)), hits.previous(6)) == (1, 6, None)
        index.close()


def test_no_line_is_passed_over() -> None:
    """The automaton stops at every line that a filter lets pass, for all lines of the fixtures and all that they can be asked for."""
    ranks = set()
    for path in sorted(FIXTURES.glob("*/*.log")):
        data = path.read_bytes()
        lines = data.split(b"\n")
        asked = {f"rank:{rank}" for line in lines for rank in rank_of(line).split()} | {"sev:error", "sev:warning"}
        ranks |= asked
        for text in asked:
            wanted = Wanted.parse(text)
            stopped = {data[begin:end] for begin, end in Needles(wanted.needles()).lines(data)}
            assert {line for line in lines if wanted.holds(line)} <= stopped, f"{path}: {text}"
    assert len(ranks) > 10


@given(st.lists(st.sampled_from([b"\n", b"a", b"B", b"ab", b"xyz", b"\xff"]), max_size=40).map(b"".join))
def test_needles(data: bytes) -> None:
    """Each line once, in any case, in order."""
    wanted = [(hit.start(), hit.end()) for hit in re.finditer(rb"[^\n]*", data) if b"ab" in hit[0].lower()]
    assert Needles([b"Ab", b"AB"]).lines(data) == wanted


def test_a_long_text_is_found() -> None:
    """What is longer than the automaton looks for is compared in full."""
    text = "a" * 100
    wanted = Wanted(text)
    assert wanted.holds(text.encode())
    assert not wanted.holds(text[:-1].encode())
    assert Needles(wanted.needles()).lines(text.encode()) == [(0, 100)]


def test_words_of_a_filter() -> None:
    """Conditions in any order; a capital makes the text exact."""
    wanted = Wanted.parse("Scheduler rank:tp3 hit sev:e")
    assert wanted == Wanted("Scheduler hit", "TP3", "error")
    assert Wanted.parse(str(wanted)) == wanted
    assert not Wanted("Hello").holds(b"hello")
    assert Wanted("hello").holds(b"HELLO")
    assert [tone_of(line) for line in (b"E: ValueError", b"UserWarning: x", b"fine")] == ["error", "warning", ""]
