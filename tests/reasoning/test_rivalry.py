"""Candidates against each other: competition, chains, the special over the wide, roots over their consequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from triage.model import Context
from triage.reasoning.weights import SUSPECT_CAP

if TYPE_CHECKING:
    from tests.reasoning.conftest import Bench


def ids(bench: Bench) -> list[str]:
    """The diagnoses in rank order."""
    return [item.id for item in bench.report().diagnoses]


def explains(bench: Bench) -> dict[str, tuple[str, ...]]:
    """What each diagnosis accounts for."""
    return {item.id: item.explains for item in bench.report().diagnoses}


def test_two_equal_causes_of_one_line(bench: Bench) -> None:
    """What speaks equally for both leaves each about half, and both are shown."""
    bench.simple("a").simple("b").sees("a/line", 9).sees("b/line", 9)
    report = bench.report()
    assert [item.id for item in report.diagnoses] == ["a", "b"]
    assert all(0.45 < item.confidence < 0.5 for item in report.diagnoses)
    assert [item.rivals for item in report.diagnoses] == [("b",), ("a",)]


def test_one_traceback_is_one_failure(bench: Bench) -> None:
    """Different lines of the same record compete as well."""
    bench.simple("a").simple("b").sees("a/line", 9, block=5).sees("b/line", 12, block=5)
    found = bench.candidates()
    assert found["a"].rivals == ["b"]
    assert found["a"].confidence + found["b"].confidence < 1


def test_separate_records_do_not_compete(bench: Bench) -> None:
    """Two failures in one log can both be sure."""
    bench.simple("a").simple("b").sees("a/line", 9).sees("b/line", 100)
    assert all(item.confidence > 0.95 and item.rivals == [] for item in bench.candidates().values())


def test_three_causes_share(bench: Bench) -> None:
    """The shares of causes that exclude each other never add up to more than all."""
    for name in "abc":
        bench.simple(name).sees(f"{name}/line", 9)
    assert sum(item.confidence for item in bench.candidates().values()) < 1


def test_a_second_line_decides(bench: Bench) -> None:
    """Of two causes of one line the one with support from elsewhere leads."""
    bench.simple("a")
    bench.cause(
        "b", "- {id: line, log: 'shared line', strength: decisive}\n- {id: more, log: 'another', strength: supports}"
    )
    bench.sees("a/line", 9).sees("b/line", 9)
    assert bench.candidates()["a"].confidence == pytest.approx(bench.candidates()["b"].confidence)
    bench.sees("b/more", 80)
    found = bench.candidates()
    assert found["b"].confidence > 0.8 > 0.2 > found["a"].confidence
    assert ids(bench)[0] == "b"


def test_innermost_of_a_chain_wins(bench: Bench) -> None:
    """Python prints the first exception of a chain first: the later one is what became of it."""
    bench.simple("z-inner").simple("a-outer").sees("z-inner/line", 9, block=5).sees("a-outer/line", 30, block=5)
    found = bench.candidates()
    assert found["z-inner"].confidence > found["a-outer"].confidence + 0.3
    assert ids(bench)[0] == "z-inner"


def test_chain_does_not_shield_weaker_evidence(bench: Bench) -> None:
    """A vague line higher up in the traceback does not take the lead from a decisive one."""
    bench.simple("vague", "supports").simple("clear").sees("vague/line", 9, block=5).sees("clear/line", 30, block=5)
    assert ids(bench)[0] == "clear"
    assert bench.candidates()["clear"].confidence > 0.9


def test_advice_competes_with_nothing(bench: Bench) -> None:
    """An advisory on the same line takes nothing from the cause."""
    bench.simple("a").simple("b", role="advice", severity="warning").sees("a/line", 9).sees("b/line", 9)
    found = bench.candidates()
    assert found["a"].confidence > 0.95
    assert found["a"].rivals == found["b"].rivals == []


@pytest.mark.parametrize("relation", ["refines", "explains"])
def test_related_causes_do_not_compete(bench: Bench, relation: str) -> None:
    """One account of the failure is not split between its wide and its narrow name."""
    bench.simple("wide").simple("narrow", **{relation: "[wide]"}).sees("wide/line", 9).sees("narrow/line", 9)
    found = bench.candidates()
    assert found["narrow"].confidence > 0.95
    assert found["narrow"].rivals == []
    assert ids(bench) == ["narrow"]


def test_suspect_confidence_is_capped(bench: Bench) -> None:
    """However much of it there is, what a client may have written stays doubtful, and the report says so."""
    evidence = "\n".join(f"- {{id: i{number}, log: 'pattern {number}', strength: decisive}}" for number in range(4))
    bench.cause("x", evidence)
    for number in range(4):
        bench.sees(f"x/i{number}", 10 * number + 1, context=Context.SUSPECT)
    (found,) = bench.report().diagnoses
    assert found.confidence == SUSPECT_CAP
    assert found.notes == ("rests on lines that a client may have written",)


def test_refining_cause_wins_with_evidence_of_its_own(bench: Bench) -> None:
    """The wider cause is named in what the narrower one accounts for."""
    bench.simple("wide").simple("narrow", "strong", refines="wide").sees("wide/line", 9).sees("narrow/line", 30)
    assert explains(bench) == {"narrow": ("wide",)}


def test_refining_cause_with_a_hint_only_does_not_win(bench: Bench) -> None:
    """A hint is no evidence of its own."""
    bench.simple("wide").simple("narrow", "supports", refines="wide").sees("wide/line", 9).sees("narrow/line", 30)
    assert ids(bench)[0] == "wide"
    assert "wide" not in explains(bench).get("narrow", ())


def test_narrowest_of_three_takes_all(bench: Bench) -> None:
    """A chain of refinements ends in the narrowest that has evidence."""
    bench.simple("wide").simple("middle", refines="wide").simple("narrow", refines="[middle]")
    bench.sees("wide/line", 9).sees("middle/line", 9).sees("narrow/line", 9)
    assert {name: set(found) for name, found in explains(bench).items()} == {"narrow": {"middle", "wide"}}


def test_explained_consequence_is_folded(bench: Bench) -> None:
    """What the cause accounts for is not an answer beside it."""
    bench.simple("cause", explains="[effect]").simple("effect").sees("cause/line", 9).sees("effect/line", 30)
    assert explains(bench) == {"cause": ("effect",)}


def test_consequence_that_came_first_is_not_explained(bench: Bench) -> None:
    """What broke long before cannot follow from it."""
    bench.simple("cause", explains="[effect]").simple("effect").sees("effect/line", 9).sees("cause/line", 300)
    assert ids(bench) == ["effect", "cause"]


def test_circle_of_explanations_hides_nothing(bench: Bench) -> None:
    """Two causes that explain each other are both shown."""
    bench.simple("a", explains="[b]").simple("b", explains="[a]").sees("a/line", 9).sees("b/line", 9)
    assert set(ids(bench)) == {"a", "b"}


def cascade(bench: Bench, **root: str) -> Bench:
    """A root and a cascade that no file connects."""
    return bench.simple("root-cause", **root).simple("crash", role="cascade")


def test_cascade_is_folded_under_an_earlier_root(bench: Bench) -> None:
    """A cascade needs no word in a file to be accounted for by what broke before it."""
    cascade(bench).sees("root-cause/line", 9).sees("crash/line", 500)
    assert explains(bench) == {"root-cause": ("crash",)}


def test_cascade_is_not_folded_under_a_later_root(bench: Bench) -> None:
    """What crashed long before has another cause, and both are told."""
    cascade(bench).sees("crash/line", 9).sees("root-cause/line", 500)
    assert explains(bench) == {"root-cause": (), "crash": ()}


@pytest.mark.parametrize(("gap", "folded"), [(5.0, True), (6.0, False)])
def test_a_dying_moment_has_no_order(bench: Bench, gap: float, folded: bool) -> None:
    """Ranks print their last lines in any order: a few seconds decide nothing, more do."""
    cascade(bench).sees("crash/line", 9, seconds=100.0).sees("root-cause/line", 12, seconds=100.0 + gap)
    assert (ids(bench) == ["root-cause"]) is folded


def test_cascade_in_another_source_goes_by_time(bench: Bench) -> None:
    """Eight rank files: the rank that failed first accounts for the waiters, whatever the line numbers are."""
    cascade(bench).sees("root-cause/line", 900, source="rank3.log", seconds=100.0)
    bench.sees("crash/line", 5, source="rank0.log", seconds=700.0)
    assert explains(bench) == {"root-cause": ("crash",)}
    bench.hits.clear()
    bench.sees("root-cause/line", 5, source="rank3.log", seconds=700.0).sees(
        "crash/line", 900, source="rank0.log", seconds=100.0
    )
    assert explains(bench) == {"root-cause": (), "crash": ()}


@pytest.mark.parametrize("severity", ["warning", "info"])
def test_a_mild_root_takes_no_cascade(bench: Bench, severity: str) -> None:
    """A crash does not follow from a notice."""
    cascade(bench, severity=severity).sees("root-cause/line", 9).sees("crash/line", 30)
    assert "crash" in ids(bench)


def test_surest_root_takes_the_cascade(bench: Bench) -> None:
    """Of two roots that began before, the surer one accounts for the crash."""
    bench.simple("maybe", "strong").simple("surely").simple("crash", role="cascade")
    bench.sees("maybe/line", 5).sees("surely/line", 60).sees("crash/line", 90)
    assert explains(bench)["surely"] == ("crash",)
    assert explains(bench)["maybe"] == ()


def test_cascade_never_outranks_a_root(bench: Bench) -> None:
    """However sure the cascade is, a root stands before it."""
    cascade(bench).sees("crash/line", 9).sees("root-cause/line", 500)
    assert ids(bench) == ["root-cause", "crash"]
