"""A tiny pack of signatures and a made-up corpus, for the tests of the tools that work on labelled failures."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from triage.knowledge.compiled import Knowledge, load_knowledge
from triage.knowledge.errors import Problems
from triage.knowledge.pack import read_pack
from triage.matching.markers import all_markers

# The tools are no part of the installed package. Last on the path, so that an installed package is still the one tested.
sys.path.append(str(Path(__file__).resolve().parents[2]))

CAUSES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "all-words": (
        "common",
        {
            "decisive": "the vessel has burst",
            "strong": "the vessel leaks badly",
            "supports": "pressure fell at once",
            "hints": "a valve is warm",
            "contradicts": "pressure is steady now",
            "rules-out": "the vessel was replaced",
        },
    ),
    "inner-failure": ("occasional", {"strong": "KeyError: the inner drawer"}),
    "outer-failure": ("occasional", {"strong": "RuntimeError: the outer cupboard"}),
    "seldom-seen": ("rare", {"strong": "the moon is in the way"}),
    "cold-morning": ("common", {"strong": "frost on the pipe"}),
}
"""Prevalence, and what is printed for each word."""


def signature(identifier: str) -> str:
    """The file of one cause of CAUSES."""
    prevalence, words = CAUSES[identifier]
    items = "".join(f"  - {{id: {word}-line, log: '{text}', strength: {word}}}\n" for word, text in words.items())
    return (
        f"id: {identifier}\ntitle: The cause {identifier}\ncomponent: tests\nseverity: fatal\nrole: root\n"
        f"prevalence: {prevalence}\nversions: {{sglang: '>=0.5'}}\nexplanation: It happens.\nfix: Mend it.\n"
        f"evidence:\n{items}examples: ['{next(iter(words.values()))}']\nnear_misses: [another line]\n"
    )


@pytest.fixture(name="tiny_knowledge", scope="session")
def tiny_knowledge_fixture(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    """The causes of CAUSES, compiled."""
    top = tmp_path_factory.mktemp("pack") / "tests"
    top.mkdir()
    for identifier in CAUSES:
        (top / f"{identifier}.yaml").write_text(signature(identifier), encoding="utf-8")
    return load_knowledge([read_pack(top.parent, Problems())], all_markers(), None)


@pytest.fixture(name="write_case")
def write_case_fixture(tmp_path: Path) -> Callable[..., Path]:
    """Adds a log with its label to a corpus in ``tmp_path``, and returns the corpus. No cause: a healthy log."""

    def write_case(name: str, log: str, *causes: str, accept: tuple[str, ...] = ()) -> Path:
        folder = tmp_path / ("cases" if causes else "healthy") / name
        folder.mkdir(parents=True)
        (folder / "log.txt").write_text(log + "\n", encoding="utf-8")
        label = json.dumps({"causes": causes, "accept": accept})
        (folder / "case.json").write_text(label, encoding="utf-8")
        return tmp_path

    return write_case
