"""A wide cause and narrower ones on the same line: not sure before the probe that tells them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from triage.model import ProbeResult, Verdict
from triage.reasoning.diagnose import diagnose
from triage.reasoning.weights import PRIOR

if TYPE_CHECKING:
    from tests.reasoning.conftest import Bench

LINE = "- {{id: line, log: 'the shared line', strength: {}}}\n"
PROBE = "- {{id: look, strength: {}, probe: {}, fact: {{a.copies: {{gt: 1}}}}}}\n"


def pair(bench: Bench, probe: str = "decisive", line: str = "supports", prevalence: str = "common") -> Bench:
    """A wide cause that a line decides for, and a narrower one that the same line fits and a probe decides."""
    bench.simple("wide", "decisive", prevalence="common")
    bench.cause("narrow", LINE.format(line) + PROBE.format(probe, "looking"), refines="wide", prevalence=prevalence)
    return bench.sees("wide/line", 9).sees("narrow/line", 9)


@pytest.mark.parametrize("probe", ["decisive", "strong", "rules-out"])
def test_the_wide_one_is_not_sure(bench: Bench, probe: str) -> None:
    """It leads, both are shown, and the probe is the first thing to do."""
    report = pair(bench, probe).report()
    assert [item.id for item in report.diagnoses] == ["wide", "narrow"]
    assert report.verdict is Verdict.POSSIBLE
    wide, narrow = report.diagnoses
    assert wide.confidence == pytest.approx(narrow.confidence, abs=0.01)
    assert 0.9 < wide.confidence + narrow.confidence < 1
    assert (wide.rivals, narrow.rivals) == (("narrow",), ("wide",))
    assert [step.name for step in wide.next] == ["looking"]


@pytest.mark.parametrize("prevalence", ["common", "occasional", "rare"])
def test_shares_are_those_of_the_priors(bench: Bench, prevalence: str) -> None:
    """The line says nothing for one against the other, however its authors weigh it for each alone."""
    narrow_prior = next(value for word, value in PRIOR.items() if word.value == prevalence)
    wide_prior = next(value for word, value in PRIOR.items() if word.value == "common")
    wide, narrow = pair(bench, prevalence=prevalence).report().diagnoses
    assert narrow.confidence / wide.confidence == pytest.approx(10 ** ((narrow_prior - wide_prior) / 10), rel=0.01)


def test_what_else_is_known_counts(bench: Bench, new_bench: type[Bench]) -> None:
    """A further line of the narrower one raises its share, one against it lowers it."""
    shares = []
    for strength in ("hints", "contradicts"):
        one = new_bench().simple("wide", "decisive", prevalence="common")
        more = f"- {{id: more, log: 'another', strength: {strength}}}\n"
        evidence = LINE.format("supports") + more + PROBE.format("decisive", "looking")
        one.cause("narrow", evidence, refines="wide", prevalence="rare")
        one.sees("wide/line", 9).sees("narrow/line", 9)
        plain = one.report().diagnoses[0].confidence
        shares.append(one.sees("narrow/more", 80).report().diagnoses[0].confidence - plain)
    assert shares[0] < 0 < shares[1]


@pytest.mark.parametrize(("probe", "line"), [("hints", "supports"), ("supports", "supports"), ("decisive", "hints")])
def test_nothing_to_wait_for(bench: Bench, probe: str, line: str) -> None:
    """Where no probe would decide, or the line hardly fits the narrower one, the wide one is as sure as it was."""
    report = pair(bench, probe, line).report()
    assert (report.diagnoses[0].id, report.verdict) == ("wide", Verdict.CONFIRMED)


@pytest.mark.parametrize(("copies", "first"), [(1, "wide"), (2, "narrow")])
def test_the_probe_has_run(bench: Bench, copies: int, first: str) -> None:
    """With its answer the case is clear, either way."""
    pair(bench).knows("a.copies", copies)
    report = diagnose(bench.observation(), bench.base(), [ProbeResult("looking", "ok")])
    assert (report.diagnoses[0].id, report.verdict) == (first, Verdict.CONFIRMED)


def test_other_lines_are_another_matter(bench: Bench) -> None:
    """A narrower cause that is seen elsewhere is a failure of its own."""
    bench.simple("wide", "decisive")
    bench.cause("narrow", LINE.format("supports") + PROBE.format("decisive", "looking"), refines="wide")
    report = bench.sees("wide/line", 9).sees("narrow/line", 90).report()
    assert report.diagnoses[0].confidence > 0.9


def test_order_is_that_of_the_whole(bench: Bench) -> None:
    """What the wide one shares stays with its account: a less likely failure elsewhere does not pass it."""
    pair(bench).simple("other", "strong", prevalence="common").sees("other/line", 2)
    assert [item.id for item in bench.report().diagnoses][:2] == ["wide", "other"]


def test_a_family_of_three(bench: Bench) -> None:
    """One refines the other, which refines the widest: each has one share, and together they are not more than all."""
    pair(bench)
    bench.cause(
        "narrowest", LINE.format("supports") + PROBE.format("decisive", "looking"), refines="[narrow, wide]",
        prevalence="rare",
    )  # fmt: skip
    report = bench.sees("narrowest/line", 9).report()
    assert {item.id for item in report.diagnoses} == {"wide", "narrow", "narrowest"}
    assert sum(item.confidence for item in report.diagnoses) < 1
