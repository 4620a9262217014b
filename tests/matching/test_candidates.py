"""The automaton's candidates are the same on one lane and on several."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.knowledge.database import Expression, PatternDatabase
from triage.matching.candidates import CandidateFinder, parts
from triage.matching.markers import all_markers


@pytest.fixture(scope="module")
def database() -> PatternDatabase:
    """Two patterns beside the markers."""
    mine = [Expression("a/a/0", r"needle \d+", "needle "), Expression("b/b/0", r"other one", "other one")]
    return PatternDatabase.compile([*mine, *all_markers()])


def _ends(finder: CandidateFinder, text: bytes, muted: tuple[str, ...] = ()) -> list[tuple[str, int]]:
    return [(item.key, item.end) for item in finder.find(text, 0, len(text), frozenset(muted)).candidates]


def _text(size: int) -> bytes:
    lines = [b"filler line without anything"] * (size // 29)
    for number in range(0, len(lines), 997):
        lines[number] = b"needle %d and other one" % number
    return b"\n".join(lines)


@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_lanes_agree(database: PatternDatabase, lanes: int) -> None:
    """Threads change the time a block takes and nothing else."""
    text = _text(3 << 20)
    alone = _ends(CandidateFinder(database), text)
    assert _ends(CandidateFinder(database, lanes), text) == alone
    assert len(alone) > 200


def test_ends_rise_and_point_into_the_line(database: PatternDatabase) -> None:
    """Candidates come in the order of the text, with offsets of the text that was given."""
    text = b"x\nneedle 12\nother one\n"
    found = CandidateFinder(database).find(text, 2, len(text), frozenset())
    assert [item.end for item in found.candidates] == sorted(item.end for item in found.candidates)
    assert {(item.key, text[: item.end].count(b"\n")) for item in found.candidates} == {("a/a/0", 1), ("b/b/0", 2)}


def test_nothing_beyond_the_part(database: PatternDatabase) -> None:
    """Only the part that was asked for is looked at."""
    text = b"other one\nplain\nother one\n"
    assert CandidateFinder(database).find(text, 10, 16, frozenset()).candidates == ()


@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_muted(database: PatternDatabase, size: int) -> None:
    """What is muted is left out, in small blocks and in large ones; the rest is all there."""
    text, finder = _text(size), CandidateFinder(database)
    assert _ends(finder, text, ("a/a/0",)) == [item for item in _ends(finder, text) if item[0] != "a/a/0"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"plain\n", False),
        (b"\x1b[31mred\n", True),
        (b"t stdout P a\n", True),
        (b'a\n{"log":"x"}\n', True),
        (b'say {"log":"x"}\n', False),
    ],
)
def test_what_needs_normalizing(database: PatternDatabase, text: bytes, expected: bool) -> None:
    """Colour codes and a runtime's records are noticed, at the beginning of a line where they belong there."""
    found = CandidateFinder(database).find(text, 0, len(text), frozenset())
    assert found.needs_normalizing is expected or (not expected and found.candidates == ())


@given(st.lists(st.sampled_from([b"", b"a", b"bcd" * 9]), max_size=30).map(b"\n".join), st.integers(1, 5))
def test_parts(text: bytes, count: int) -> None:
    """Parts follow each other without a gap, end behind line feeds, and are no more than asked for."""
    found = parts(text, 0, len(text), count)
    assert len(found) <= count
    assert b"".join(text[low:high] for low, high in found) == text
    assert all(text[high - 1 : high] == b"\n" for _, high in found[:-1])


@pytest.mark.parametrize(("narrows", "times"), [(True, 1), (False, 0)])
def test_what_is_muted_is_no_longer_looked_for(
    database: PatternDatabase, monkeypatch: pytest.MonkeyPatch, narrows: bool, times: int
) -> None:
    """Once it was told of in vain often enough; nothing else changes, and what is wanted again is found again."""
    monkeypatch.setattr("triage.matching.candidates.WORTH_NARROWING", 300)
    narrowed, made = PatternDatabase.narrowed, 0

    def counted(self: PatternDatabase, expressions: frozenset[int]) -> PatternDatabase:
        nonlocal made
        made += 1
        return narrowed(self, expressions)

    monkeypatch.setattr(PatternDatabase, "narrowed", counted)
    text, finder = _text(1 << 20) + b"\x1b[31mneedle 7", CandidateFinder(database, narrows=narrows)
    wanted = [item for item in _ends(CandidateFinder(database), text) if item[0] != "a/a/0"]
    assert wanted
    for _ in range(30):
        found = finder.find(text, 0, len(text), {"a/a/0"})
        assert [(item.key, item.end) for item in found.candidates] == wanted
        assert found.needs_normalizing
    assert made == times
    assert _ends(finder, text) == _ends(CandidateFinder(database), text)
