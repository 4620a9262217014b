"""What the tests of the knowledge layer share: a small valid signature, and ways to decode and to lint."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triage.knowledge.compiled import Knowledge
from triage.knowledge.errors import Problems
from triage.knowledge.loading import lint_packs
from triage.knowledge.signature_schema import SIGNATURE
from triage.knowledge.yaml_nodes import compose
from triage.matching.markers import all_markers

VALID = """\
id: sample-cause
title: A sample
component: sglang
severity: error
role: root
prevalence: rare
explanation: Because.
fix: Mend it.
evidence:
  - id: the-line
    log: 'frobnicator exploded'
    strength: decisive
examples:
  - frobnicator exploded
near_misses:
  - frobnicator is fine
"""


@pytest.fixture
def valid_text() -> str:
    """A signature with nothing but what is required; the line numbers of its keys are used by the tests."""
    return VALID


@pytest.fixture
def decode() -> Callable[[str], tuple[Any, list[str]]]:
    """Text to (plain record, every problem as ``path:line:col: message``), collecting."""

    def run(text: str) -> tuple[Any, list[str]]:
        problems = Problems(collect=True)
        node = compose(text, "s.yaml", problems)
        record = None if node is None else SIGNATURE.decode(node, problems)
        return record, [str(problem) for problem in problems.found]

    return run


@pytest.fixture
def lint(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], list[str]]:
    """Every problem of a pack as the lint verb finds them, in the order of their places, with paths from the pack's top."""

    def run(pack: Path) -> list[str]:
        monkeypatch.chdir(pack)
        _, problems = lint_packs([Path()], all_markers())
        return [str(problem) for problem in problems]

    return run


@pytest.fixture(scope="session")
def bundled(knowledge: Knowledge) -> Knowledge:
    """The bundled knowledge, compiled once for all tests."""
    return knowledge


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The labelled corpus beside the checkout or in $SGLTRIAGE_CORPUS; skips where there is none."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "corpus"
    found = Path(os.environ.get("SGLTRIAGE_CORPUS", beside))
    if not (found / "causes.tsv").is_file():
        pytest.skip(f"no labelled corpus at {found}")
    return found
