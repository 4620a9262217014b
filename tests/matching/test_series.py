"""A series keeps a handful of its hits and counts them all."""

from __future__ import annotations

import pytest

from triage.matching.series import KEPT_HITS, KEPT_RANKS, STORM, Series
from triage.model import Context, Hit, Place


def _hit(line: int, rank: str | None = None, context: Context = Context.NORMAL) -> Hit:
    return Hit("a/b/0", Place("log", line, line * 10, rank=rank), "text", context=context)


def test_the_first_hits_are_kept() -> None:
    """All hits count, only the first are kept, and the last place is known."""
    series = Series()
    for line in range(1, 201):
        series.add(_hit(line))
    assert (series.count, series.exact) == (200, True)
    assert [hit.place.line for hit in series.hits] == list(range(1, KEPT_HITS + 1))
    assert series.last == Place("log", 200, 2000)


def test_the_first_of_a_late_rank_is_kept() -> None:
    """A rank that shows itself after the samples are full is still kept once."""
    series = Series()
    for line in range(1, KEPT_HITS + 50):
        series.add(_hit(line, "TP0"))
    for line in (500, 501):
        series.add(_hit(line, "TP7"))
    assert [hit.place.line for hit in series.hits[KEPT_HITS:]] == [500]


def test_ranks_are_capped() -> None:
    """A log that invents ranks does not make the series grow without end."""
    series = Series()
    for line in range(1, 2000):
        series.add(_hit(line, f"TP{line}"))
    assert len(series.hits) <= KEPT_HITS + KEPT_RANKS


@pytest.mark.parametrize("context", [Context.REQUEST_DUMP, Context.CONFIG_DUMP, Context.BENIGN])
def test_dumped_text_is_no_hit(context: Context) -> None:
    """What stands in a dump is counted apart and never kept."""
    series = Series()
    series.add(_hit(1, context=context))
    assert (series.count, series.dumped, series.hits, series.last) == (0, 1, [], None)


def test_suspect_text_is_kept() -> None:
    """A doubtful line is a hit; reasoning discounts it."""
    series = Series()
    series.add(_hit(1, context=Context.SUSPECT))
    assert (series.count, len(series.hits)) == (1, 1)


def test_storm() -> None:
    """From STORM hits on, dumped ones included, it storms; what is then only counted is no longer exact."""
    series = Series()
    for line in range(STORM - 1):
        series.add(_hit(line, context=Context.REQUEST_DUMP if line % 2 else Context.NORMAL))
    assert not series.storming
    series.add(_hit(STORM))
    assert series.storming
    before = series.count
    series.add_uncounted(1000, Place("log", 9000, 1))
    assert (series.count, series.exact, series.last) == (before + 1000, False, Place("log", 9000, 1))
