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
    """Passed by and settled at the end, or counted with their places at once: the same counts, and the same last place."""
    (late, passing), (early, adding) = _counted(), _counted()
    for number, (key, settles) in enumerate(steps, 2):
        passing.pass_by([key], _line(number))
        adding.add([key], 1, _line(number))
        if settles:
            passing.settle(key)
    passing.settle_all()
    assert late == early
    for key in _KEYS[:2]:
        last = late.series[key].last
        assert last is not None
        assert last.line == max([1, *(number for number, (name, _) in enumerate(steps, 2) if name == key)])
        assert last.rank == ("TP1" if last.line > 1 else None)


def test_what_is_muted_is_not_counted() -> None:
    """A muted key is counted by its literal elsewhere, so not here."""
    scan, counted = _counted()
    scan.muted.add(_KEYS[0])
    counted.pass_by(_KEYS, _line(2))
    counted.add(_KEYS, 5, _line(7))
    counted.settle_all()
    assert (scan.series[_KEYS[0]].count, scan.series[_KEYS[1]].count, scan.error_lines) == (1, 7, 6)
