"""Labelled failures, scanned once: what the tools of this folder work on."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from triage.engine import observe_text
from triage.knowledge.compiled import Knowledge
from triage.model import Observation, Report, Verdict


@dataclass(frozen=True, slots=True)
class Case:
    """A log with its label. ``accepted``: the right ids and the fair first answers; empty for a healthy log."""

    name: str
    group: str
    causes: tuple[str, ...]
    accepted: frozenset[str]
    unknown_is_honest: bool
    is_healthy: bool
    observation: Observation


def corpus_root() -> Path:
    """``$SGLTRIAGE_CORPUS``, else the folder beside the checkout.

    Raises:
        SystemExit: neither holds cases.
    """
    named = os.environ.get("SGLTRIAGE_CORPUS")
    root = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "corpus"
    if not (root / "cases").is_dir():
        raise SystemExit(f"no labelled corpus at {root}; set SGLTRIAGE_CORPUS")
    return root


def read_cases(knowledge: Knowledge, root: Path) -> list[Case]:
    """Every case and every healthy log, in the order of their names."""
    found: list[Case] = []
    for kind in ("cases", "healthy"):
        for path in sorted((root / kind).glob("*/case.json")):
            label = json.loads(path.read_text(encoding="utf-8"))
            causes = tuple(label.get("causes", ()))
            found.append(
                Case(
                    name=path.parent.name,
                    # Cases of one cause are much alike: what is fitted on some must not be judged on others.
                    group=causes[0] if causes else path.parent.name,
                    causes=causes,
                    accepted=frozenset((*causes, *label.get("accept", ()))),
                    unknown_is_honest=bool(label.get("unknown_ok")),
                    is_healthy=kind == "healthy",
                    observation=observe_text((path.parent / "log.txt").read_bytes(), knowledge, "log.txt"),
                )
            )
    return found


def is_fair(case: Case, report: Report) -> bool:
    """Is the first answer the right one or a fair one, or the silence honest?"""
    first = report.diagnoses[0] if report.diagnoses else None
    if first is not None and first.id in case.accepted:
        return True
    return case.unknown_is_honest and (report.verdict is Verdict.UNKNOWN or first is None or first.confidence < 0.5)
