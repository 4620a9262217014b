"""Lines counted without a look: how many, and where the last one stands."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from triage.matching.confirm import CompiledPatterns, Confirmer
from triage.matching.counted_lines import CountedLines
from triage.matching.counting import LineCounter
from triage.matching.inspect_line import CandidateLine, LineInspector
from triage.matching.record import SourceScan
from triage.model import Context, Hit, Pattern, Place

_LINE = b"[2026-03-01 10:00:00 TP1] text"
_KEYS = ("a/b/0", "a/c/0", "@error:exception")


def _confirmer() -> Confirmer:
    return Confirmer(CompiledPatterns(lambda key: Pattern(key, "text", "text")))


def _line(number: int) -> CandidateLine:
    return CandidateLine(_LINE, 0, len(_LINE), number, number * 100, 0)


def _counted() -> tuple[SourceScan, CountedLines]:
    scan = SourceScan("log")
    for key in _KEYS[:2]:
        scan.add_hit(Hit(key, Place("log", 1, 0), "text", (), Context.NORMAL, 1), 0)
    return scan, CountedLines(scan, LineInspector("log", _confirmer(), bytearray()), LineCounter(), lambda _: b"text")


@given(st.lists(st.tuples(st.sampled_from(_KEYS), st.booleans()), max_size=20))
def test_the_place_is_that_of_the_last_line(steps: list[tuple[str, bool]]) -> None:
    """Settled at the end, or every time, or told of in any order: the same counts, and the same last place."""
    (late, passing), (early, settling), (turned, backwards) = _counted(), _counted(), _counted()
    numbered = list(enumerate(steps, 2))
    for number, (key, settles) in numbered:
        passing.add([key], _line(number))
        if settles:
            passing.settle()
        settling.add([key], _line(number))
        settling.settle()
    for number, (key, settles) in reversed(numbered):
        backwards.add([key], _line(number))
        if settles:
            backwards.settle()
    passing.settle()
    backwards.settle()
    assert late == early == turned
    for key in _KEYS[:2]:
        last = late.series[key].last
        assert last is not None
        assert last.line == max([1, *(number for number, (name, _) in enumerate(steps, 2) if name == key)])
        assert last.rank == ("TP1" if last.line > 1 else None)


def test_what_is_muted_is_not_counted() -> None:
    """A muted key is counted by its literal elsewhere, so not here."""
    scan, counted = _counted()
    scan.muted.add(_KEYS[0])
    counted.add(_KEYS, _line(2))
    counted.add(_KEYS, _line(7), lines=5)
    counted.settle()
    assert (scan.series[_KEYS[0]].count, scan.series[_KEYS[1]].count, scan.error_lines) == (1, 7, 6)
