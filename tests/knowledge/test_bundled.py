"""The knowledge that is shipped: clean, self-consistent, and every decisive pattern shown at work by an example."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from triage.engine import scan_text
from triage.knowledge.compiled import Knowledge
from triage.knowledge.pack import bundled_directory
from triage.knowledge.self_test import self_test
from triage.matching.confirm import CompiledPatterns, Confirmer
from triage.model import Strength

FOLDER = Path(bundled_directory("signatures"))
IDS = sorted(path.stem for path in FOLDER.rglob("*.yaml"))
AREAS = {
    "install",
    "driver",
    "network",
    "rdma",
    "deepep",
    "pd",
    "router",
    "memory",
    "sglang",
    "quant",
    "hub",
    "request",
    "host",
}


def test_lint_is_clean(lint: Callable[[Path], list[str]]) -> None:
    """Lint finds nothing in the bundled signatures."""
    assert lint(FOLDER) == []


def test_every_file_is_a_signature(bundled: Knowledge) -> None:
    """Each file of the folder is loaded under the id that its name says, in an area that the guide lists."""
    assert list(bundled.base.ids()) == IDS
    assert len(IDS) >= 59
    assert {signature.area for signature in bundled.base} <= AREAS


def test_every_sample_passes(bundled: Knowledge) -> None:
    """Against all signatures each example puts its owner first, and no near miss produces it."""
    result = self_test(bundled.base, lambda text: scan_text(text, bundled))
    assert [str(failure) for failure in result.failures] == []
    assert result.examples >= len(IDS)
    assert result.near_misses >= len(IDS)
    assert set(result.table) == set(IDS)


@pytest.mark.parametrize("identifier", IDS)
def test_decisive_patterns_are_shown_at_work(bundled: Knowledge, identifier: str) -> None:
    """Every pattern of a decisive item matches a line of one of its owner's examples: a pattern that none shows may be dead.

    An item that only a host's facts make decisive (``when``) is shown by the tests with host snapshots instead.
    """
    signature = bundled.base.get(identifier)
    confirmer = Confirmer(CompiledPatterns(bundled.base.pattern))
    lines = [line.encode() for text in signature.examples for line in text.splitlines()]
    decisive = [
        item
        for item in signature.evidence
        if item.strength is Strength.DECISIVE and item.log is not None and not item.when
    ]
    idle = [
        f"{pattern.key}: {pattern.regex}"
        for item in decisive
        if item.log is not None
        for pattern in item.log.patterns
        if not any(confirmer.match(pattern.key, line) for line in lines)
    ]
    assert idle == []


def test_every_cause_tells_how_to_go_on(bundled: Knowledge) -> None:
    """Every signature that can be the answer says what must not be taken for it and refers to a public page."""
    assert [signature.id for signature in bundled.base if not signature.safety] == []
    assert [signature.id for signature in bundled.base if not signature.references] == []


@pytest.mark.corpus
def test_every_cause_of_the_taxonomy_has_a_signature(corpus: Path) -> None:
    """What the labelled corpus knows, the bundled signatures know; they may know more."""
    rows = (corpus / "causes.tsv").read_text(encoding="utf-8").splitlines()[1:]
    known = {row.split("\t", 1)[0] for row in rows}
    assert sorted(known - set(IDS)) == []


def test_references_between_signatures_lead_somewhere(bundled: Knowledge) -> None:
    """What a bundled signature explains or refines is a bundled signature."""
    dangling = [
        f"{signature.id}: {target}"
        for signature in bundled.base
        for target in (*signature.explains, *signature.refines)
        if target not in bundled.base
    ]
    assert dangling == []
