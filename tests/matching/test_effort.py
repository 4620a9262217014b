"""The most ways that a regex can take, against counting them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.matching.effort import Effort, effort


@dataclass(frozen=True)
class Node:
    """A regex as a tree: a character, a sequence, branches, or a repeat of a character (``most`` None: without end)."""

    kind: str
    parts: tuple[Node, ...] = ()
    text: str = ""
    least: int = 0
    most: int | None = None

    def source(self) -> str:
        """As it is written."""
        inside = [part.source() for part in self.parts]
        if self.kind == "branches":
            return f"(?:{'|'.join(inside)})"
        if self.kind == "repeat":
            return self.text + ("*" if self.most is None else f"{{{self.least},{self.most}}}")
        return "".join(inside) or self.text

    def ends(self, text: str, at: int) -> Iterator[int]:
        """Where it can end when it begins at ``at``, once for each way."""
        if self.kind == "character":
            if text[at : at + 1] == self.text:
                yield at + 1
        elif self.kind == "branches":
            for part in self.parts:
                yield from part.ends(text, at)
        elif self.kind == "sequence":
            yield from self._following(text, at, self.parts)
        else:
            for count in range(self.least, (len(text) if self.most is None else self.most) + 1):
                if text[at : at + count] == self.text * count:
                    yield at + count

    def _following(self, text: str, at: int, parts: tuple[Node, ...]) -> Iterator[int]:
        if not parts:
            yield at
            return
        for middle in parts[0].ends(text, at):
            yield from self._following(text, middle, parts[1:])


_CHARACTERS = st.builds(lambda text: Node("character", text=text), st.sampled_from("ab"))
_REPEATS = st.builds(
    lambda text, least, more: Node("repeat", text=text, least=least, most=None if more is None else least + more),
    st.sampled_from("ab"),
    st.just(0),
    st.none() | st.integers(0, 3),
)
_TREES = st.recursive(
    _CHARACTERS | _REPEATS,
    lambda below: st.builds(
        Node, st.sampled_from(["sequence", "branches"]), st.lists(below, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=6,
)


@given(_TREES, st.text("ab", max_size=8))
def test_no_text_has_more_ways_than_told(tree: Node, text: str) -> None:
    """Counted from every place of the text."""
    bound = effort(tree.source())
    assert bound is not None
    assert re.compile(tree.source())
    assert sum(1 for start in range(len(text) + 1) for _ in tree.ends(text, start)) <= bound.steps(len(text) + 1)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (r"Load weight begin\.", Effort(1, 0, 21)),
        (r"a[]*+?]b", Effort(1, 0, 6)),
        (r"\(\+\*\?", Effort(1, 0, 16)),
        (r"\d{4}-\d\d", Effort(1, 0, 29)),
        (r"\w+ of \S*?x", Effort(1, 2, 13)),
        (r"[^\n]{0,160}x", Effort(161, 0, 5)),
        (r"a{3,}", Effort(1, 1, 4)),
        (r"(?:a|b|c)x", Effort(3, 0, 6)),
        (r"(?P<n>ab?)c?", Effort(4, 0, 7)),
        (r"(?:a|b){3}", Effort(8, 0, 20)),
        (r"(?:abc)*", Effort(1, 1, 7)),
        (r"(?i)a|b", Effort(2, 0, 1)),
        (r"(?i:a|b)", Effort(2, 0, 5)),
        (r"(?=x+)(?!y)(?<=z)(?<!q)a", Effort(1, 1, 21)),
    ],
)
def test_known_bounds(source: str, expected: Effort) -> None:
    """What is written in signatures."""
    assert effort(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        r"(?:a+)+",
        r"(?:a|ab)*",
        r"(?:ab?){2,9}",
        r"(?:\w+,){1,}",
        r"(?>a|b)c",
        r"a++b",
        r"a*+",
        r"(a)(?(1)b|c)",
        r"(?#x)a",
        r"(?x)(?:a|aa) *b",
        "(a",
        "a)",
    ],
)
def test_no_bound(source: str) -> None:
    """A repeat of what has ways of its own can take exponential time, and what is not understood is not trusted."""
    assert effort(source) is None
