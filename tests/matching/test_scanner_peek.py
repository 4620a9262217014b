"""An unfinished last line is looked at without being consumed: a peek is what the end would be, and leaves nothing behind."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.knowledge.database import Expression, PatternDatabase
from triage.matching import blocks
from triage.matching.confirm import CompiledPatterns, Confirmer
from triage.matching.markers import all_markers, marker_pattern
from triage.matching.observe import observe
from triage.matching.record import SourceScan
from triage.matching.scanner import Scanner
from triage.model import Observation, Pattern

OOM = b"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
_OOM_PATTERN = Pattern("oom/line/0", r"OutOfMemoryError: CUDA out of memory", "OutOfMemoryError: CUDA out of memory")
_PIECES = st.sampled_from(
    [b"[2026-03-01 10:00:00 TP3] ", OOM, OOM + b"\n", b"\n", b"\r", b"x" * 1700, b"y" * 6000, b"\xff", "日".encode(), b"\x1b[31m",
     b"Traceback (most recent call last):\n", b"ValueError: bad value", b"t stdout P ", b"\nt stdout F ", b'\n{"log":"', b'\\n","time":"t"}\n',
     b"[2026-03-01 10:00:00] server_args=ServerArgs(tp_size=2)", b"The server is fired up and ready to roll!", b"Decode batch. #running-req: 1"]
)  # fmt: skip


def _pattern(key: str) -> Pattern:
    return marker_pattern(key) if key.startswith("@") else _OOM_PATTERN


@pytest.fixture(name="database", scope="module")
def database_fixture() -> PatternDatabase:
    """One pattern and the engine's markers, compiled once."""
    expression = Expression(_OOM_PATTERN.key, _OOM_PATTERN.regex, _OOM_PATTERN.literal)
    return PatternDatabase.compile([expression, *all_markers()])


def scanner(database: PatternDatabase, *pieces: bytes) -> Scanner:
    """A scanner that was fed those."""
    made = Scanner("log", database, Confirmer(CompiledPatterns(_pattern)))
    for piece in pieces:
        made.feed(piece)
    return made


def seen(scan: SourceScan) -> Observation:
    """What a scan amounts to."""
    return observe([scan], [((), False)])


def test_an_unfinished_line_is_looked_at(database: PatternDatabase) -> None:
    """A last line without its line feed counts in a peek, and in nothing else."""
    source = scanner(database, b"one\n", OOM)
    assert source.result.series == {}
    peeked = source.peek()
    assert peeked.series["oom/line/0"].count == 1
    assert peeked.lines == 2
    assert source.result.series == {}


def test_a_line_that_goes_on_is_looked_at_anew(database: PatternDatabase) -> None:
    """What half a line seemed to say is gone once the whole line says something else."""
    source = scanner(database, b"[2026-03-01 10:00:00] ", OOM)
    assert source.peek().series["oom/line/0"].count == 1
    source.feed(b"\r[2026-03-01 10:00:00] Receive: obj=GenerateReqInput(text='x')\n")
    whole = b"[2026-03-01 10:00:00] " + OOM + b"\r[2026-03-01 10:00:00] Receive: obj=GenerateReqInput(text='x')\n"
    assert seen(source.finish()) == seen(scanner(database, whole).finish())


def test_a_storm_is_not_learnt_twice(database: PatternDatabase) -> None:
    """However often the same unfinished line is looked at, it is one line, and teaches nothing about its shape."""
    source = scanner(database, OOM)
    for _ in range(50):
        assert source.peek().series["oom/line/0"].count == 1
    source.feed(b"\n")
    finished = source.finish()
    assert (finished.series["oom/line/0"].count, finished.series["oom/line/0"].exact) == (1, True)


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(_PIECES, max_size=12), narrow=st.booleans())
def test_a_peek_is_the_end_and_changes_nothing(database: PatternDatabase, pieces: list[bytes], narrow: bool) -> None:
    """After each piece a peek tells what a scan of the bytes so far tells, and the result in the end is the same as without."""
    with pytest.MonkeyPatch.context() as patch:
        if narrow:
            patch.setattr(blocks, "BLOCK", 16384)
            patch.setattr(blocks, "MAX_LINE", 5000)
            patch.setattr(blocks, "OVERLAP", 256)
        source = scanner(database)
        for count, piece in enumerate(pieces, start=1):
            source.feed(piece)
            assert source.feeds == b"".join(pieces[:count]).count(b"\n")
            assert seen(source.peek()) == seen(scanner(database, *pieces[:count]).finish())
        assert seen(source.finish()) == seen(scanner(database, *pieces).finish())
