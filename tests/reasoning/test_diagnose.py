"""The whole of the reasoning: ranking, verdicts, what is shown and what is dismissed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from triage.model import Input, Observation, ProbeResult, Verdict
from triage.reasoning.diagnose import diagnose

if TYPE_CHECKING:
    from tests.reasoning.conftest import Bench
    from triage.model import Report


def ids(report: Report) -> list[str]:
    """The diagnoses in rank order."""
    return [item.id for item in report.diagnoses]


@pytest.mark.parametrize(
    ("strength", "prevalence", "role", "severity", "error", "verdict"),
    [
        ("decisive", "common", "root", "fatal", True, Verdict.CONFIRMED),
        ("decisive", "rare", "root", "error", True, Verdict.CONFIRMED),
        ("decisive", "common", "root", "warning", False, Verdict.CONFIRMED),
        ("strong", "common", "root", "fatal", True, Verdict.LIKELY),
        ("strong", "occasional", "root", "fatal", True, Verdict.LIKELY),
        ("strong", "rare", "root", "fatal", True, Verdict.POSSIBLE),
        ("supports", "common", "root", "fatal", True, Verdict.POSSIBLE),
        ("hints", "rare", "root", "fatal", True, Verdict.UNKNOWN),
        ("hints", "rare", "root", "fatal", False, Verdict.HEALTHY),
        ("decisive", "common", "cascade", "fatal", True, Verdict.POSSIBLE),
        ("supports", "common", "cascade", "fatal", True, Verdict.UNKNOWN),
        ("decisive", "common", "advice", "warning", False, Verdict.HEALTHY),
        ("decisive", "common", "root", "info", False, Verdict.HEALTHY),
    ],
)
def test_verdict_of_one_cause(
    bench: Bench, strength: str, prevalence: str, role: str, severity: str, error: bool, verdict: Verdict
) -> None:
    """What a report with one cause ends in, with its own line as the only error, or no error."""
    bench.simple("x", strength, prevalence=prevalence, role=role, severity=severity).sees("x/line", 9)
    if error:
        bench.fails("OddError: it", 9)
    assert bench.report().verdict is verdict


def test_verdict_of_nothing(bench: Bench) -> None:
    """Without errors a log is healthy; with one that nothing explains it is unknown."""
    assert bench.report().verdict is Verdict.HEALTHY
    bench.fails("OddError: it", 9)
    assert bench.report().verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("inputs", [(), (Input("a.log"), Input("b.log"))])
def test_verdict_of_no_line(bench: Bench, inputs: tuple[Input, ...]) -> None:
    """Where nothing was read it is not known whether all is well."""
    assert diagnose(Observation(inputs), bench.base()).verdict is Verdict.UNKNOWN
    assert diagnose(Observation((*inputs, Input("c.log", 1, 1))), bench.base()).verdict is Verdict.HEALTHY


def test_advice_does_not_hide_an_error(bench: Bench) -> None:
    """An advisory beside an unexplained error leaves the verdict unknown."""
    bench.simple("x", role="advice", severity="info").sees("x/line", 9).fails("OddError: it", 50)
    report = bench.report()
    assert (ids(report), report.verdict) == (["x"], Verdict.UNKNOWN)


def test_differential_is_possible(bench: Bench) -> None:
    """Two causes that cannot be told apart are no confirmed answer."""
    bench.simple("a").simple("b").sees("a/line", 9).sees("b/line", 9)
    assert bench.report().verdict is Verdict.POSSIBLE


def test_earliest_of_the_sure_comes_first(bench: Bench) -> None:
    """Among causes of the same class of confidence the one that broke first leads."""
    bench.simple("late", prevalence="common").simple("early", prevalence="rare")
    bench.sees("late/line", 300).sees("early/line", 20)
    assert ids(bench.report()) == ["early", "late"]


def test_earliest_of_two_sources_goes_by_time(bench: Bench) -> None:
    """Names of files and line numbers of different files say nothing about what broke first; times do."""
    bench.simple("late").simple("early")
    bench.sees("late/line", 5, source="a.log", seconds=900.0).sees("early/line", 700, source="b.log", seconds=100.0)
    assert ids(bench.report()) == ["early", "late"]


def test_surer_class_comes_before_earlier(bench: Bench) -> None:
    """A confirmed cause stands before an earlier one that is only possible."""
    bench.simple("maybe", "supports").simple("surely").sees("maybe/line", 5).sees("surely/line", 300)
    assert ids(bench.report()) == ["surely", "maybe"]


def test_hint_alone_is_no_diagnosis(bench: Bench) -> None:
    """It is dismissed with its reason, unless an error would otherwise stay in the dark."""
    bench.simple("x", "hints").sees("x/line", 9)
    report = bench.report()
    assert ids(report) == []
    assert [(item.id, item.reason) for item in report.rejected] == [("x", "only hints speak for it")]
    bench.fails("OddError: it", 9)
    assert ids(bench.report()) == ["x"]


def test_hint_beside_a_rival_is_shown(bench: Bench) -> None:
    """On a line that two causes share, the weaker one shows what else it could be."""
    bench.simple("a", "hints").simple("b", "hints").sees("a/line", 9).sees("b/line", 9)
    assert set(ids(bench.report())) == {"a", "b"}


def test_incredible_cause_is_dismissed_with_its_ledger(bench: Bench) -> None:
    """`why-not` answers from it."""
    bench.cause("x", "- {id: line, log: 'the line', strength: strong}\n- {id: no, log: 'not it', strength: rules-out}")
    bench.sees("x/line", 9).sees("x/no", 40)
    report = bench.report()
    assert ids(report) == []
    (rejected,) = report.rejected
    assert rejected.reason == "confidence 0% is below 10%"
    assert {entry.evidence for entry in rejected.ledger} == {"line", "no"}


def test_unknown_signature_of_a_finding_is_left_out(bench: Bench) -> None:
    """With --without, findings of a signature may remain that the base no longer has."""
    bench.simple("x").simple("y").sees("x/line", 9).sees("y/line", 40)
    report = diagnose(bench.observation(), bench.base().without(frozenset({"x"})))
    assert ids(report) == ["y"]


def test_probes_that_ran_are_reported(bench: Bench) -> None:
    """Each with its outcome; those that were wanted and not run as not run."""
    bench.cause(
        "x",
        """
- {id: line, log: 'the line', strength: strong}
- {id: one, strength: supports, probe: nvidia-smi, fact: {gpu.count: 8}}
- {id: two, strength: supports, probe: dmesg, fact: {dmesg.xid: 79}}
""",
    ).sees("x/line", 9)
    ran = ProbeResult("dmesg", "unavailable", "not permitted", 0.1)
    report = diagnose(bench.observation(), bench.base(), (ran,), "1.2.3")
    assert [(probe.name, probe.outcome) for probe in report.probes] == [
        ("dmesg", "unavailable"),
        ("nvidia-smi", "not-run"),
    ]
    assert report.tool_version == "1.2.3"


def test_eight_rank_files_are_one_diagnosis(bench: Bench, new_bench: type[Bench]) -> None:
    """The same failure in eight files is as sure as in one, not surer."""
    one = new_bench().simple("x", "strong").sees("x/line", 9, source="rank0.log").report()
    bench.simple("x", "strong")
    for rank in range(8):
        bench.sees("x/line", 9, source=f"rank{rank}.log")
    many = bench.report()
    assert ids(many) == ids(one) == ["x"]
    assert many.diagnoses[0].confidence == one.diagnoses[0].confidence
    assert many.diagnoses[0].ledger[0].count == 8


def test_prefill_and_decode_scanned_together(bench: Bench) -> None:
    """The line of each server is judged by its own mode."""
    for name, other in (("prefill", "decode"), ("decode", "prefill")):
        bench.cause(
            f"direct-{name}",
            f"- {{id: line, log: 'room missing', strength: strong}}\n"
            f"- {{id: no, fact: {{server.disaggregation_mode: {other}}}, strength: rules-out}}",
        )
        bench.knows("server.disaggregation_mode", name, f"{name}.log")
    bench.sees("direct-prefill/line", 9, source="prefill.log").sees("direct-decode/line", 9, source="prefill.log")
    assert ids(bench.report()) == ["direct-prefill"]
    bench.hits.clear()
    bench.sees("direct-prefill/line", 9, source="decode.log").sees("direct-decode/line", 9, source="decode.log")
    assert ids(bench.report()) == ["direct-decode"]
