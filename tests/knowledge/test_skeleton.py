"""Regexes as the texts that they ask for: every way through the branches, nothing that is not asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.knowledge.compiled import Knowledge
from triage.knowledge.skeleton import MAX_ALTERNATIVES, Skeleton, skeletons


@pytest.mark.parametrize(
    ("source", "runs"),
    [
        (r"Not enough memory\. Please", [("Not enough memory. Please",)]),
        (r"rank (?P<rank>\d+) of \d+ lost", [("rank ", " of ", " lost")]),
        (r"without boot?strap room", [("without boo", "strap room")]),
        (r"[Cc]annot assign", [("annot assign",)]),
        (r"^the (?:first|second) rank\b", [("the first rank",), ("the second rank",)]),
        (r"No (?:prefill |decode )?servers", [("No ", "servers")]),
        (r"lost(?= rank)(?!x) now", [("lost now",)]),
        (r"(?:ab){2}c", [("ab", "c")]),
        (r"(?:lost|gone\d|)x", [("lostx",), ("gone", "x"), ("x",)]),
        (r"über (?:é)+ alles", [("über é", " alles")]),
        (r"lost(?: in .{1,40}|)", [("lost in ",), ("lost",)]),
        (r"\d+", []),
    ],
)
def test_runs(source: str, runs: list[tuple[str, ...]]) -> None:
    """Plain characters are kept, branches are told apart, anything else parts the texts."""
    assert skeletons(source) == tuple(Skeleton(item) for item in runs)


def test_case() -> None:
    """A regex that ignores case gives texts in lower case, marked as such; one that does in a group leaves that group out."""
    assert skeletons("(?i)Rank Lost") == (Skeleton(("rank lost",), caseless=True),)
    assert skeletons("Rank (?i:Lost) now") == (Skeleton(("Rank ", " now")),)


def test_branches_are_bounded() -> None:
    """Where branches multiply beyond the limit the later ones count as any text, and what is left still must occur."""
    found = skeletons("begin " + "(?:one|two) " * 20 + "end")
    assert len(found) <= MAX_ALTERNATIVES
    assert all(item.runs[0].startswith("begin ") and item.runs[-1].endswith(" end") for item in found)


def test_not_of_the_dialect() -> None:
    """A regex that lint refuses is a ValueError."""
    with pytest.raises(ValueError, match=r"missing|unterminated|unbalanced"):
        skeletons("rank (lost")


@given(st.lists(st.sampled_from(("rank", "lost", " now", ".", "(")), min_size=1, max_size=6))
def test_a_plain_text_is_its_own_skeleton(pieces: list[str]) -> None:
    """A regex without any operator asks for just its text."""
    text = "".join(pieces)
    assert skeletons(text.replace(".", r"\.").replace("(", r"\(")) == (Skeleton((text,)),)


def test_every_bundled_pattern_can_be_looked_for(bundled: Knowledge) -> None:
    """Every pattern that is shipped asks for a text of at least 4 characters on each way through it."""
    vague = [
        pattern.key
        for signature in bundled.base
        for pattern in signature.patterns()
        if not skeletons(pattern.regex) or any(max(map(len, way.runs)) < 4 for way in skeletons(pattern.regex))
    ]
    assert vague == []


def test_every_example_line_holds_a_skeleton(bundled: Knowledge) -> None:
    """What a pattern matches holds one of its skeletons: else a living pattern could be called dead."""
    import regex

    wrong = []
    for signature in bundled.base:
        lines = [line for text in signature.examples for line in text.splitlines()]
        for pattern in signature.patterns():
            candidates = (line for line in lines if pattern.literal in line)
            matching = [found.group() for line in candidates if (found := regex.search(pattern.regex, line))]
            ways = skeletons(pattern.regex)
            wrong += [
                f"{pattern.key}: {text}"
                for text in matching
                if not any(all(run in (text.lower() if way.caseless else text) for run in way.runs) for way in ways)
            ]
    assert wrong == []
