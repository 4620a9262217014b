"""Two causes on one line must know of each other."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from triage.knowledge.base import KnowledgeBase
from triage.knowledge.errors import Problems
from triage.knowledge.loading import decode_files
from triage.knowledge.overlap import overlaps
from triage.knowledge.pack import PackFile

TEXT = """\
id: {id}
title: A cause
component: tests
severity: fatal
role: {role}
prevalence: rare
explanation: It happens.
fix: Mend it.
{more}
evidence:
  - {{id: line, log: 'the very line', strength: decisive}}
examples: ['the very line of {id}']
near_misses: ['another line']
"""


@dataclass(frozen=True)
class Said:
    """A claim."""

    signature: str
    line: int
    evidence: str = "line"
    text: str = "the very line"


def base_of(one: str = "", other: str = "", role: str = "root") -> KnowledgeBase:
    """Two causes, with more YAML for each."""
    files = [
        PackFile("signatures/tests/one.yaml", "tests", TEXT.format(id="one", role="root", more=one).encode()),
        PackFile("signatures/tests/two.yaml", "tests", TEXT.format(id="two", role=role, more=other).encode()),
    ]
    return decode_files(files, Problems())


def found(base: KnowledgeBase, line: int = 1) -> list[str]:
    """The pairs that overlap when both claim: the owner line 1, the other ``line``."""
    claims = [Said("one", 1), Said("two", line)]
    return [f"{item.owner}-{item.other}" for item in overlaps(base, lambda _: claims)]


def test_strangers_on_one_line_overlap() -> None:
    """The pair is told once, although each has an example."""
    assert found(base_of()) == ["one-two"]


def test_other_lines_are_no_overlap() -> None:
    """Each on a line of its own."""
    assert found(base_of(), line=2) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("refines: two", "", []),
        ("", "explains: [one]", []),
        ("confusions: [the-line]", "confusions: [the-line, more]", []),
        ("confusions: [the-line]", "", ["one-two"]),
        ("confusions: [the-line]", "confusions: [another-line]", ["one-two"]),
    ],
)
def test_those_that_know_of_each_other_do_not(one: str, other: str, expected: list[str]) -> None:
    """A relation either way, or a message that both name."""
    assert found(base_of(one, other)) == expected


def test_the_message_says_what_to_do() -> None:
    """Which example, which evidence, which remedy."""
    overlap = next(overlaps(base_of(), lambda _: [Said("one", 1), Said("two", 1)]))
    assert str(overlap).startswith("one: example 1: 'two' claims the same line (line): the very line; relate the two")
