"""A rank that is far behind the others in a step of the start is told."""

from __future__ import annotations

from tests.watching.batches import change, kinds
from triage.watching.ranks import RankWatch


def begun(ended: int, *, lasted: float = 20.0) -> RankWatch:
    """Eight ranks began to load weights, and so many have ended."""
    watch = RankWatch("log")
    changes = [change("weights-begin", rank=f"TP{rank}") for rank in range(8)]
    list(watch.take(changes, 0.0))
    changes += [change("weights-end", rank=f"TP{rank}") for rank in range(ended)]
    list(watch.take(changes, lasted))
    return watch


def test_a_rank_behind_the_others() -> None:
    """Seven of eight loaded their weights a minute ago."""
    watch = begun(7)
    assert list(watch.check(80.0)) == []
    (stall,) = watch.check(80.5)
    assert (stall.state, stall.text) == ("TP7", "TP7 has not come to weights-end 60 s after 7 of 8 ranks had")
    assert list(watch.check(500.0)) == [], "once"
    changes = [change("weights-end", rank="TP0")] * 15 + [change("weights-end", rank="TP7")]
    (over,) = watch.take(changes, 100.0)
    assert (over.kind.value, over.state, over.seconds) == ("stall-over", "TP7", 80.0)
    assert not watch.is_stalled


def test_ranks_that_all_take_long() -> None:
    """Half of them are not behind, nor is one that takes twice as long as the others took."""
    assert list(begun(4).check(5000.0)) == []
    assert list(begun(7, lasted=300.0).check(590.0)) == []
    assert kinds(begun(7, lasted=300.0).check(610.0)) == ["stall"]


def test_a_second_model_is_another_step() -> None:
    """A draft model is loaded after the model itself, with the same lines."""
    watch = begun(8)
    again = [change("weights-begin", rank="TP0")] * 16 + [
        change("weights-begin", rank=f"TP{rank}") for rank in range(8)
    ]
    list(watch.take(again, 30.0))
    assert list(watch.check(5000.0)) == [], "all of them are at it"
    again += [change("weights-end", rank=f"TP{rank}") for rank in range(1, 8)]
    list(watch.take(again, 60.0))
    assert [event.state for event in watch.check(130.0)] == ["TP0"]


def test_ranks_are_bounded() -> None:
    """Names of ranks come from the log."""
    watch = RankWatch("log")
    list(watch.take([change("weights-begin", rank=f"TP{number}") for number in range(2000)], 1.0))
    assert len(watch._reached["weights-begin"]) == 512
