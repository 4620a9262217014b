"""The samples of a signature run against all signatures: what counts as failed, and the table of who speaks up."""

from __future__ import annotations

from dataclasses import replace

from triage.knowledge.base import KnowledgeBase, SignatureRecord
from triage.knowledge.self_test import matrix, self_test
from triage.model import Diagnosis, Observation, Phase, Report, Role, Severity, Verdict


def _base() -> KnowledgeBase:
    def record(identifier: str) -> SignatureRecord:
        data = {
            "id": identifier, "title": "T", "component": "c", "severity": "error", "role": "root", "prevalence": "rare", "explanation": "e",
            "fix": "f", "evidence": [], "examples": [f"{identifier} one", f"{identifier} two"], "near_misses": [f"{identifier} miss"],
        }  # fmt: skip
        return SignatureRecord(data, "area", f"{identifier}.yaml")

    return KnowledgeBase({name: record(name) for name in ("beta", "alpha")})


def _report(*found: tuple[str, float]) -> Report:
    model = Diagnosis("", "T", Severity.ERROR, Role.ROOT, 0.0, 0.0, Phase.UNKNOWN, None, ())
    return Report(
        Verdict.LIKELY,
        Observation(),
        tuple(replace(model, id=name, confidence=confidence) for name, confidence in found),
    )


ANSWERS = {
    b"alpha one": _report(("alpha", 0.97), ("beta", 0.31)),
    b"alpha two": _report(("beta", 0.6), ("alpha", 0.4)),
    b"alpha miss": _report(),
    b"beta one": _report(("beta", 1.0)),
    b"beta two": _report(),
    b"beta miss": _report(("alpha", 0.5), ("beta", 0.25)),
}


def test_failures_say_what_was_found_instead() -> None:
    """An example that another cause wins, one that finds nothing, and a near miss that is taken for the cause are failures."""
    result = self_test(_base(), lambda text: ANSWERS[text])
    assert [str(failure) for failure in result.failures] == [
        "alpha: example 2: 'beta' (60%) comes first",
        "beta: example 2: nothing is found",
        "beta: near miss 1: is taken for it (25%)",
    ]
    assert (result.examples, result.near_misses) == (4, 2)


def test_only_the_ids_asked_for() -> None:
    """With ids named, only their samples run."""
    result = self_test(_base(), lambda text: ANSWERS[text], ["beta"])
    assert {failure.id for failure in result.failures} == {"beta"}
    assert (result.examples, result.near_misses) == (2, 1)


def test_table_keeps_the_highest_confidence() -> None:
    """A row holds the highest confidence of each cause on its owner's examples; the text shows tenths, and dots for silence."""
    base = _base()
    result = self_test(base, lambda text: ANSWERS[text])
    assert result.table == {"alpha": {"alpha": 0.97, "beta": 0.6}, "beta": {"beta": 1.0}}
    assert matrix(result, base.ids()) == ["   1 alpha 96", "   2 beta  .9"]
