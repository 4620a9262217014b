"""The probe that would tell the most comes first, and there is less to gain the clearer the case is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from triage.model import ProbeResult
from triage.probing.catalogue import all_probes
from triage.reasoning.diagnose import diagnose
from triage.reasoning.probe_costs import COST_S

if TYPE_CHECKING:
    from tests.reasoning.conftest import Bench
    from triage.model import NextStep

LINE = "- {{id: line, log: 'the shared line', strength: {}}}\n"
PROBE = "- {{id: {0}, strength: {1}, probe: {0}, fact: {{{0}.answer: true}}}}\n"


def steps(bench: Bench, identifier: str) -> tuple[NextStep, ...]:
    """What is proposed for one of the diagnoses."""
    return next(item.next for item in bench.report().diagnoses if item.id == identifier)


def gains(bench: Bench, identifier: str) -> dict[str, float]:
    """The gain of each proposed probe."""
    return {step.name: step.gain_bits for step in steps(bench, identifier)}


def rivals(bench: Bench) -> Bench:
    """Two causes of one line; one probe tells them apart well, another hardly."""
    bench.cause("a", LINE.format("decisive") + PROBE.format("hardly", "hints") + PROBE.format("well", "decisive"))
    bench.simple("b")
    return bench.sees("a/line", 9).sees("b/line", 9)


def test_probe_that_separates_comes_first(bench: Bench) -> None:
    """For both rivals: whichever is shown first, the same question is open."""
    rivals(bench)
    assert [step.name for step in steps(bench, "a")] == ["well", "hardly"]
    assert steps(bench, "b")[0].name == "well"
    assert all(step.kind == "probe" and step.cost_s > 0 for step in steps(bench, "a"))


def test_rivals_probes_count_too(bench: Bench) -> None:
    """What would confirm the rival is proposed for the leader as well."""
    bench.simple("a").cause("b", LINE.format("decisive") + PROBE.format("of-the-rival", "strong"))
    bench.sees("a/line", 9).sees("b/line", 9)
    assert [step.name for step in steps(bench, "a")] == ["of-the-rival"]


@pytest.mark.parametrize("strength", ["hints", "supports", "strong", "decisive"])
def test_gain_falls_as_the_case_gets_clear(bench: Bench, new_bench: type[Bench], strength: str) -> None:
    """The same probe tells less once another line has all but decided."""
    evidence = LINE.format("decisive") + PROBE.format("probe", strength)
    more = "- {id: more, log: 'another line', strength: strong}\n"
    open_case = bench.cause("a", evidence + more).simple("b").sees("a/line", 9).sees("b/line", 9)
    clear_case = new_bench().cause("a", evidence + more).simple("b").sees("a/line", 9).sees("b/line", 9)
    clear_case.sees("a/more", 80)
    assert gains(open_case, "a")["probe"] > gains(clear_case, "a").get("probe", 0.0)


def test_stronger_evidence_gains_more(bench: Bench) -> None:
    """Of two probes for the same cause the one whose answer weighs more is worth more."""
    words = ("hints", "supports", "strong", "decisive")
    bench.cause("a", LINE.format("decisive") + "".join(PROBE.format(word, word) for word in words)).simple("b")
    bench.sees("a/line", 9).sees("b/line", 9)
    assert [step.name for step in steps(bench, "a")] == ["decisive", "strong", "supports"]


def test_known_answers_are_not_asked_for(bench: Bench) -> None:
    """A fact that the log already tells needs no probe."""
    rivals(bench).knows("well.answer", False)
    assert "well" not in gains(bench, "a")


def test_sure_case_asks_nothing_more(bench: Bench) -> None:
    """When the best fix would not change, the proposals stop."""
    bench.cause(
        "a",
        LINE.format("decisive") + "- {id: more, log: 'more of it', strength: decisive}\n" + PROBE.format("p", "hints"),
    )
    bench.sees("a/line", 9).sees("a/more", 90)
    assert steps(bench, "a") == ()


def test_what_is_not_proposed_is_still_not_checked(bench: Bench) -> None:
    """The ledger lists every open probe, and the report says that none was run."""
    rivals(bench)
    report = bench.report()
    assert set(report.diagnoses[0].not_checked) == {"hardly", "well"}
    assert {(probe.name, probe.outcome) for probe in report.probes} == {("hardly", "not-run"), ("well", "not-run")}


ASKED = "- {{id: {0}, strength: {1}, question: {{ask: 'Is it so?'}}, fact: {{{0}.answer: true}}}}\n"


def test_a_question_costs_more_than_a_probe(bench: Bench) -> None:
    """Of equal gain the probe comes first; a question names the fact it asks for and says what may be answered."""
    bench.cause("a", LINE.format("decisive") + PROBE.format("looked", "decisive") + ASKED.format("asked", "decisive"))
    bench.simple("b")
    bench.sees("a/line", 9).sees("b/line", 9)
    first, second = steps(bench, "a")
    assert (first.kind, first.name) == ("probe", "looked")
    assert (second.kind, second.name, second.ask) == ("question", "asked.answer", "Is it so? (yes or no)")


def test_an_answered_question_is_not_asked_again(bench: Bench) -> None:
    """Once the fact is known, whatever it is."""
    bench.cause("a", LINE.format("decisive") + ASKED.format("asked", "decisive"))
    bench.simple("b")
    bench.sees("a/line", 9).sees("b/line", 9).knows("asked.answer", value=False)
    assert steps(bench, "a") == ()


def test_the_catalogue_says_what_a_probe_takes(bench: Bench) -> None:
    """Of two that tell the same the cheaper comes first, with its own price; one that nobody knows has the usual one."""
    names = ("gpu-health", "environment", "of-tomorrow")
    bench.cause("a", LINE.format("decisive") + "".join(PROBE.format(name, "decisive") for name in names)).simple("b")
    bench.sees("a/line", 9).sees("b/line", 9)
    found = [(step.name, step.cost_s) for step in steps(bench, "a")]
    assert found == [("environment", 0.05), ("of-tomorrow", 1.0), ("gpu-health", 2.0)]


def test_the_costs_are_those_of_the_catalogue() -> None:
    """The core keeps a copy, since it knows no host."""
    assert {probe.name: probe.cost_s for probe in all_probes()} == COST_S


def test_not_checked_begins_with_the_most_telling(bench: Bench) -> None:
    """In the diagnosis and in the report, whatever was tried: first what would help most, last what no probe was named for."""
    evidence = "".join(PROBE.format(name, word) for name, word in (("a-vague", "hints"), ("z-clear", "decisive")))
    loose = "- {id: loose, strength: supports, fact: {a.fact: true}}\n"
    bench.cause("a", LINE.format("decisive") + loose + evidence).simple("b")
    bench.sees("a/line", 9).sees("b/line", 9)
    tried = [ProbeResult("another", "ok"), ProbeResult("a-vague", "unavailable", "no such file")]
    report = diagnose(bench.observation(), bench.base(), tried)
    assert report.diagnoses[0].not_checked == ("z-clear", "a-vague", "a.fact")
    assert [(item.name, item.outcome) for item in report.probes] == [
        ("z-clear", "not-run"), ("a-vague", "unavailable"), ("a.fact", "not-run"), ("another", "ok"),
    ]  # fmt: skip
