"""Labelled failures of strangers: how often the first answer is right, and that nothing healthy is called broken."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from triage.engine import scan_text
from triage.knowledge.compiled import Knowledge
from triage.model import Severity, Verdict

if TYPE_CHECKING:
    from triage.model import Report

pytestmark = pytest.mark.corpus

OVER_CLAIM_CONFIDENCE = 0.8
MOST_OVER_CLAIMS = 0.05
LEAST_TOP_1 = 0.90


@dataclass(frozen=True, slots=True)
class Case:
    """A log with its label, and what was answered. ``accepted`` holds the right id and all fair first answers."""

    name: str
    causes: tuple[str, ...]
    accepted: frozenset[str]
    unknown_is_honest: bool
    report: Report

    @property
    def first(self) -> str | None:
        """The first answer."""
        return self.report.diagnoses[0].id if self.report.diagnoses else None

    @property
    def confidence(self) -> float:
        """That of the first answer."""
        return self.report.diagnoses[0].confidence if self.report.diagnoses else 0.0

    @property
    def is_hit(self) -> bool:
        """Is the first answer a fair one, or an honest silence where that is fair?"""
        honest = self.unknown_is_honest and (self.report.verdict is Verdict.UNKNOWN or self.confidence < 0.5)
        return self.first in self.accepted or honest


@dataclass(frozen=True, slots=True)
class Corpus:
    """All cases, scanned; ``bundled`` are the ids of our signatures."""

    cases: tuple[Case, ...]
    healthy: tuple[Case, ...]
    bundled: frozenset[str]


def corpus_root() -> Path:
    """``$SGLTRIAGE_CORPUS``, else the folder beside the checkout."""
    named = os.environ.get("SGLTRIAGE_CORPUS")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "corpus"


@pytest.fixture(name="corpus", scope="module")
def corpus_fixture(knowledge: Knowledge) -> Corpus:
    """Scans everything once; a crash on any log fails all tests of this file."""
    root = corpus_root()
    if not (root / "cases").is_dir():
        pytest.skip(f"no labelled corpus at {root}; set SGLTRIAGE_CORPUS")

    def read(folder: Path) -> Case:
        label = json.loads((folder / "case.json").read_text(encoding="utf-8"))
        causes = tuple(label.get("causes", ()))
        report = scan_text((folder / "log.txt").read_bytes(), knowledge, "log.txt")
        accepted = frozenset((*causes, *label.get("accept", ())))
        return Case(folder.name, causes, accepted, bool(label.get("unknown_ok")), report)

    cases, healthy = (
        tuple(read(path.parent) for path in sorted((root / kind).glob("*/case.json"))) for kind in ("cases", "healthy")
    )
    assert cases
    assert healthy
    return Corpus(cases, healthy, frozenset(knowledge.base.ids()))


def test_healthy_logs_raise_no_alarm(corpus: Corpus) -> None:
    """Words that look like trouble in a server that works are no error."""
    bad = (Severity.ERROR, Severity.FATAL)
    alarms = {
        case.name: [item.id for item in case.report.diagnoses if item.severity in bad]
        for case in corpus.healthy
        if any(item.severity in bad for item in case.report.diagnoses)
    }
    assert alarms == {}


def test_healthy_logs_are_called_healthy(corpus: Corpus) -> None:
    """Where no line speaks of an error that lasts, the verdict is healthy."""
    wrong = {
        case.name: case.report.verdict.value
        for case in corpus.healthy
        if case.report.verdict is not Verdict.HEALTHY and not case.report.unexplained and not case.report.diagnoses
    }
    assert wrong == {}


def test_over_claims_are_rare(corpus: Corpus) -> None:
    """A confident wrong answer is the worst defect there is."""
    wrong = [
        f"{case.name}: {case.first} ({case.confidence:.2f}), not {case.causes}"
        for case in corpus.cases
        if not case.is_hit and case.confidence >= OVER_CLAIM_CONFIDENCE
    ]
    assert len(wrong) <= MOST_OVER_CLAIMS * len(corpus.cases), "\n".join(wrong)


def test_first_answer_is_right(corpus: Corpus) -> None:
    """Of the failures whose cause has a signature, the first answer is nearly always a fair one."""
    known = [case for case in corpus.cases if case.causes and case.causes[0] in corpus.bundled]
    misses = [
        f"{case.name}: {case.first} ({case.confidence:.2f}), not {case.causes}" for case in known if not case.is_hit
    ]
    assert known
    assert len(known) - len(misses) >= LEAST_TOP_1 * len(known), "\n".join(misses)
