"""What must be true of the reasoning whatever was seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from triage.model import Context, Strength

if TYPE_CHECKING:
    from tests.reasoning.conftest import Bench

ITEMS = 4
CAUSES = ("a", "b", "c")
FOR = [strength for strength in Strength if strength.is_for]


@dataclass(frozen=True, slots=True)
class Sight:
    """A line that one item of one cause matched."""

    cause: str
    item: int
    line: int
    block: int
    source: str
    context: Context


strengths = st.lists(st.sampled_from(list(Strength)), min_size=ITEMS, max_size=ITEMS).filter(
    lambda found: any(strength.is_for for strength in found)
)
sights = st.builds(
    Sight,
    st.sampled_from(CAUSES),
    st.integers(0, ITEMS - 1),
    st.integers(1, 120),
    st.just(0),
    st.sampled_from(["one.log", "two.log"]),
    st.sampled_from([Context.NORMAL, Context.NORMAL, Context.SUSPECT]),
)
worlds = st.tuples(
    st.lists(strengths, min_size=len(CAUSES), max_size=len(CAUSES)),
    st.lists(sights, max_size=14),
    st.sampled_from(["", "[b]", "[c]", "[b, c]"]),
)
World = tuple[list[list[Strength]], list[Sight], str]


def add(bench: Bench, sight: Sight) -> None:
    """Let the bench see it; ten lines are one record."""
    block = sight.line // 10 * 10
    bench.sees(f"{sight.cause}/i{sight.item}", sight.line, source=sight.source, block=block, context=sight.context)


def build(new_bench: type[Bench], world: World) -> Bench:
    """The world as a bench."""
    bench = new_bench()
    all_strengths, seen, explained = world
    for cause, found in zip(CAUSES, all_strengths, strict=True):
        evidence = "\n".join(
            f"- {{id: i{index}, log: 'pattern {cause} {index}', strength: {strength.value}}}"
            for index, strength in enumerate(found)
        )
        bench.cause(cause, evidence, **({"explains": explained} if cause == "a" and explained else {}))
    for sight in seen:
        add(bench, sight)
    return bench


@settings(max_examples=60, deadline=None)
@given(world=worlds)
def test_confidence_is_a_probability(new_bench: type[Bench], world: World) -> None:
    """Of every diagnosis, and of all causes that claim the same record together."""
    report = build(new_bench, world).report()
    for item in (*report.diagnoses, *report.recovered):
        assert 0.0 <= item.confidence <= 1.0
        group = [other for other in report.diagnoses if other.id in (item.id, *item.rivals)]
        if all(set(other.rivals) | {other.id} == {one.id for one in group} for other in group):
            assert sum(other.confidence for other in group) <= 1.0 + 1e-9


@settings(max_examples=60, deadline=None)
@given(world=worlds)
def test_order_of_findings_changes_nothing(new_bench: type[Bench], world: World) -> None:
    """The report depends on what was seen in a source, not on the order in which it is handed over."""
    strengths_of_all, seen, explained = world
    bench = build(new_bench, (strengths_of_all, [replace(sight, source="one.log") for sight in seen], explained))
    forward, backward = bench.report(), bench.reversed_report()
    assert forward.diagnoses == backward.diagnoses
    assert forward.rejected == backward.rejected
    assert forward.unexplained == backward.unexplained


@pytest.mark.parametrize("sources", [("one.log", "two.log"), ("two.log", "one.log")])
def test_order_of_sources_changes_nothing(bench: Bench, sources: tuple[str, str]) -> None:
    """Whichever file was named first, the same place is shown for a failure that both tell."""
    bench.simple("x")
    for source in sources:
        bench.sees("x/line", 9, source=source)
    report = bench.report()
    assert [entry.place.source for entry in report.diagnoses[0].ledger if entry.place] == ["one.log"]
    assert report.diagnoses == bench.reversed_report().diagnoses


@settings(max_examples=60, deadline=None)
@given(
    found=st.lists(st.sampled_from(FOR), min_size=ITEMS, max_size=ITEMS),
    seen=st.lists(st.integers(1, 60), min_size=1, max_size=ITEMS),
)
def test_further_evidence_never_lowers_the_score(
    new_bench: type[Bench], found: list[Strength], seen: list[int]
) -> None:
    """Each further item that speaks for a cause leaves its score or raises it, wherever its line stands."""
    bench = build(new_bench, ([found] * len(CAUSES), [], ""))
    score = float("-inf")
    for index, line in enumerate(seen):
        add(bench, Sight("a", index, line, 0, "one.log", Context.NORMAL))
        candidate = bench.candidate("a")
        assert candidate is not None
        assert candidate.decibans >= score - 1e-9
        score = candidate.decibans


@settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    found=st.lists(st.sampled_from(FOR), min_size=ITEMS, max_size=ITEMS),
    seen=st.lists(
        st.tuples(st.integers(0, ITEMS - 1), st.integers(1, 60), st.sampled_from([Context.NORMAL, Context.SUSPECT])),
        min_size=1,
        max_size=8,
    ),
)
def test_further_lines_never_lower_the_score(
    new_bench: type[Bench], found: list[Strength], seen: list[tuple[int, int, Context]]
) -> None:
    """Nor does a further line of evidence that was seen before, or one that a client may have written."""
    bench = build(new_bench, ([found] * len(CAUSES), [], ""))
    score = float("-inf")
    for index, line, context in seen:
        add(bench, Sight("a", index, line, 0, "one.log", context))
        candidate = bench.candidate("a")
        assert candidate is not None
        assert candidate.decibans >= score - 1e-9
        score = candidate.decibans


@settings(max_examples=40, deadline=None)
@given(world=worlds)
def test_everything_seen_is_answered_for(new_bench: type[Bench], world: World) -> None:
    """A cause that some line speaks for is shown, explained by another, or dismissed with a reason: never lost."""
    bench = build(new_bench, world)
    report = bench.report()
    told = {name for item in report.diagnoses for name in (item.id, *item.explains)}
    told |= {item.id for item in report.rejected} | {item.id for item in report.recovered}
    # What a dismissed cause accounts for is told by `why` of that cause.
    folded = {name for item in report.rejected for name in bench.signature(item.id).explains}
    assert {item for item in bench.candidates() if item not in told | folded} == set()
