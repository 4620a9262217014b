"""A signature's score: prior, weights by family, releases, doubt, and several sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from triage.model import Context, Prevalence, Strength
from triage.reasoning.weights import OUTSIDE_VERSIONS, PRIOR, SAME_FAMILY_CAP, STRENGTH

if TYPE_CHECKING:
    from tests.reasoning.conftest import Bench

DECISIVE, STRONG, SUPPORTS = STRENGTH[Strength.DECISIVE], STRENGTH[Strength.STRONG], STRENGTH[Strength.SUPPORTS]
COMMON = PRIOR[Prevalence.COMMON]
THREE_ITEMS = """
- {id: a, log: 'pattern a', strength: strong}
- {id: b, log: 'pattern b', strength: supports}
- {id: c, log: 'pattern c', strength: supports}
"""


def decibans(bench: Bench, identifier: str = "x") -> float:
    """The score of the candidate, which must exist."""
    found = bench.candidate(identifier)
    assert found is not None
    return found.decibans


@pytest.mark.parametrize("prevalence", Prevalence)
def test_prior_and_one_line(bench: Bench, prevalence: Prevalence) -> None:
    """The score of one line is its weight on top of the prior."""
    bench.simple("x", prevalence=prevalence.value).sees("x/line", 3)
    assert decibans(bench) == pytest.approx(PRIOR[prevalence] + DECISIVE)


def test_nothing_seen_is_no_candidate(bench: Bench) -> None:
    """Facts alone, or only evidence against it, bring no cause up."""
    bench.cause(
        "x", "- {id: line, log: 'the line', strength: strong}\n- {id: tp, fact: {server.tp_size: 8}, strength: strong}"
    )
    bench.cause(
        "y", "- {id: line, log: 'the line', strength: strong}\n- {id: no, log: 'not this', strength: contradicts}"
    )
    bench.knows("server.tp_size", 8).sees("y/no", 3)
    assert bench.candidate("x") is None
    assert bench.candidate("y") is None


def test_separate_records_add_up(bench: Bench) -> None:
    """Lines of different tracebacks are independent."""
    bench.cause("x", THREE_ITEMS).sees("x/a", 3).sees("x/b", 50).sees("x/c", 90)
    assert decibans(bench) == pytest.approx(COMMON + STRONG + 2 * SUPPORTS)


def test_one_record_is_capped(bench: Bench) -> None:
    """In one traceback the strongest counts in full and all others together at most the cap."""
    bench.cause("x", THREE_ITEMS).sees("x/a", 3, block=1).sees("x/b", 4, block=1).sees("x/c", 5, block=1)
    assert decibans(bench) == pytest.approx(COMMON + STRONG + SAME_FAMILY_CAP)


def test_named_family_is_capped(bench: Bench) -> None:
    """The author says that two items are one observation, wherever they stand."""
    bench.cause(
        "x",
        "- {id: a, log: 'pattern a', strength: strong, family: f}\n- {id: b, log: 'pattern b', strength: strong, family: f}",
    )
    bench.sees("x/a", 3).sees("x/b", 900)
    assert decibans(bench) == pytest.approx(COMMON + STRONG + SAME_FAMILY_CAP)


def test_for_and_against_have_their_own_caps(bench: Bench) -> None:
    """A line that speaks for the cause does not shield it from what the same traceback says against it."""
    bench.cause(
        "x", "- {id: a, log: 'pattern a', strength: decisive}\n- {id: b, log: 'pattern b', strength: contradicts}"
    )
    bench.sees("x/a", 3, block=1).sees("x/b", 4, block=1)
    assert decibans(bench) == pytest.approx(COMMON + DECISIVE + STRENGTH[Strength.CONTRADICTS])


def test_ruled_out_by_a_fact(bench: Bench) -> None:
    """A fact that rules the cause out leaves nothing of a decisive line."""
    bench.cause(
        "x",
        "- {id: a, log: 'pattern a', strength: decisive}\n- {id: no, fact: {server.tp_size: 1}, strength: rules-out}",
    )
    bench.sees("x/a", 3).knows("server.tp_size", 1)
    found = bench.candidate("x")
    assert found is not None
    assert found.confidence < 0.01
    assert [(entry.evidence, entry.origin) for entry in found.ledger] == [("no", "server.tp_size"), ("a", "")]


def test_ledger_adds_up_to_the_score(bench: Bench) -> None:
    """The account shows what each entry counted after the caps, and where it stands."""
    bench.cause("x", THREE_ITEMS).sees("x/a", 3, block=1).sees("x/b", 4, block=1).sees("x/c", 90)
    found = bench.candidate("x")
    assert found is not None
    assert COMMON + sum(entry.decibans for entry in found.ledger) == pytest.approx(found.decibans)
    assert {entry.evidence: entry.place.line for entry in found.ledger if entry.place} == {"a": 3, "b": 4, "c": 90}


@pytest.mark.parametrize(
    ("version", "penalty"), [("0.5.10", OUTSIDE_VERSIONS), ("0.5.3", 0.0), ("0.0.0.dev1", 0.0), (None, 0.0)]
)
def test_release_outside_the_range(bench: Bench, version: str | None, penalty: float) -> None:
    """Only a release that is known to lie outside speaks against the cause."""
    bench.simple("x", versions="{sglang: '>=0.4,<0.5.9'}").sees("x/line", 3)
    if version:
        bench.knows("sglang.version", version)
    assert decibans(bench) == pytest.approx(COMMON + DECISIVE + penalty)
    found = bench.candidate("x")
    assert found is not None
    entries = [entry.label for entry in found.ledger if entry.evidence == "versions"]
    assert entries == (["sglang 0.5.10 is not >=0.4,<0.5.9"] if penalty else [])


def test_suspect_lines_are_worth_no_more_than_support(bench: Bench) -> None:
    """A line that a client may have written cannot decide."""
    bench.simple("x").sees("x/line", 3, context=Context.SUSPECT)
    found = bench.candidate("x")
    assert found is not None
    assert found.suspect
    assert found.decibans == pytest.approx(COMMON + SUPPORTS)


def test_suspect_lines_cannot_rule_out(bench: Bench) -> None:
    """Nor can a client talk a cause away."""
    bench.cause(
        "x", "- {id: a, log: 'pattern a', strength: decisive}\n- {id: no, log: 'pattern b', strength: rules-out}"
    )
    bench.sees("x/a", 3).sees("x/no", 9, context=Context.SUSPECT)
    assert decibans(bench) == pytest.approx(COMMON + DECISIVE + STRENGTH[Strength.CONTRADICTS])


def test_doubtful_line_does_not_push_a_sure_one_aside(bench: Bench) -> None:
    """Within a family the one that is worth most counts in full, not the one whose word promises most."""
    bench.cause(
        "x",
        "- {id: a, log: 'pattern a', strength: strong, family: f}\n"
        "- {id: b, log: 'pattern b', strength: decisive, family: f}",
    )
    bench.sees("x/a", 3).sees("x/b", 90, context=Context.SUSPECT)
    assert decibans(bench) == pytest.approx(COMMON + STRONG + SAME_FAMILY_CAP)


def test_same_line_in_a_second_record_keeps_its_weight(bench: Bench) -> None:
    """Evidence seen apart from a traceback does not lose that because the traceback repeats it."""
    bench.cause("x", THREE_ITEMS).sees("x/a", 3, block=1).sees("x/b", 50)
    apart = decibans(bench)
    bench.sees("x/b", 4, block=1)
    assert decibans(bench) >= apart


def test_eight_rank_files_are_one_failure(bench: Bench) -> None:
    """The same failure in eight files scores like that in one; its lines are counted together."""
    bench.cause("x", THREE_ITEMS)
    for rank in range(8):
        source = f"rank{rank}.log"
        bench.sees("x/a", 3, source=source, rank=f"TP{rank}", count=5).sees("x/b", 50, source=source)
    found = bench.candidate("x")
    assert found is not None
    assert found.decibans == pytest.approx(COMMON + STRONG + SUPPORTS)
    assert {entry.evidence: entry.count for entry in found.ledger} == {"a": 40, "b": 8}
    assert len(found.lines()) == 16


def test_the_source_that_says_most_decides(bench: Bench) -> None:
    """Evidence is not stitched together from different machines' logs."""
    bench.cause("x", THREE_ITEMS).sees("x/a", 3, source="one.log").sees("x/b", 3, source="two.log")
    found = bench.candidate("x")
    assert found is not None
    assert found.decibans == pytest.approx(COMMON + STRONG)
    assert {place[0] for place in found.lines()} == {"one.log"}


def test_facts_are_those_of_the_source(bench: Bench) -> None:
    """Prefill and decode scanned together: each line is judged by the settings of the server that printed it."""
    evidence = (
        "- {id: line, log: 'the line', strength: strong}\n"
        "- {id: mode, fact: {server.disaggregation_mode: prefill}, strength: supports}\n"
        "- {id: other, fact: {server.disaggregation_mode: decode}, strength: rules-out}"
    )
    bench.cause("x", evidence)
    bench.knows("server.disaggregation_mode", "prefill", "prefill.log")
    bench.knows("server.disaggregation_mode", "decode", "decode.log")
    bench.sees("x/line", 9, source="prefill.log")
    assert decibans(bench) == pytest.approx(COMMON + STRONG + SUPPORTS)
    bench.hits.clear()
    bench.sees("x/line", 9, source="decode.log")
    assert decibans(bench) == pytest.approx(COMMON + STRONG + STRENGTH[Strength.RULES_OUT])


def test_onset_is_the_first_line_of_the_best_evidence(bench: Bench) -> None:
    """A hint that was printed earlier is not where it broke."""
    bench.cause("x", "- {id: a, log: 'pattern a', strength: strong}\n- {id: b, log: 'pattern b', strength: hints}")
    bench.sees("x/b", 2).sees("x/a", 70).sees("x/a", 60)
    found = bench.candidate("x")
    assert found is not None
    assert found.onset.place.line == 60


def test_onset_over_sources_goes_by_time(bench: Bench) -> None:
    """Line numbers of two files cannot be compared; times can."""
    bench.simple("x").sees("x/line", 500, source="early.log", seconds=100.0).sees(
        "x/line", 2, source="late.log", seconds=200.0
    )
    found = bench.candidate("x")
    assert found is not None
    assert found.onset.place.source == "early.log"
