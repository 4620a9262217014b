"""Values to JSON and back, and what is said of JSON that does not fit."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model import Fact, Hit, LedgerEntry, Observation, Phase, Place, Strength, Value
from triage.session.codec import CodecError, from_plain, to_plain

VALUES: st.SearchStrategy[Value] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=8,
)


@given(VALUES)
def test_values_come_back(value: Value) -> None:
    """With their types, through the text of JSON; infinite ones and halves of characters too."""
    fact = Fact("a", value, "b")
    back = from_plain(Fact, json.loads(json.dumps(to_plain(fact))))
    assert back == fact
    assert repr(back) == repr(fact), "1 is not 1.0, and 0 is not False"


def test_everything_of_a_hit_comes_back() -> None:
    """Enums, nested records and pairs; what has its default is not written."""
    hit = Hit("k", Place("s", 1, 2, rank="TP0"), "text", (("a", 1), ("b", ("x",))), phase=Phase.SERVING)
    plain = to_plain(hit)
    assert plain["phase"] == "serving"
    assert "context" not in plain
    assert from_plain(Hit, plain) == hit
    entry = LedgerEntry("e", Strength.RULES_OUT, -math.inf)
    assert from_plain(LedgerEntry, json.loads(json.dumps(to_plain(entry), allow_nan=False))) == entry


def test_later_keys_are_passed_over() -> None:
    """A release that writes more is read as far as it is known."""
    assert from_plain(Fact, {"name": "a", "value": 1, "origin": "o", "later": [1]}) == Fact("a", 1, "o")


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        (Fact, [], "[] is no object"),
        (Fact, {"name": "a", "value": 1}, "'origin' is missing"),
        (Fact, {"name": 1, "value": 1, "origin": ""}, "name: 1 is not text"),
        (Fact, {"name": "a", "value": {"x": 1}, "origin": ""}, "value: {'x': 1} is not a number"),
        (Observation, {"facts": {}}, "facts: {} is no list"),
        (Observation, {"facts": [{"name": "a", "value": 1, "origin": 2}]}, "facts[0].origin: 2 is not text"),
        (Observation, {"error_count": True}, "error_count: True is not a whole number"),
        (Observation, {"error_count": 1.5}, "error_count: 1.5 is not a whole number"),
        (LedgerEntry, {"evidence": "e", "strength": "so-so", "decibans": 0}, "strength: 'so-so' is none of decisive, strong"),
        (LedgerEntry, {"evidence": "e", "strength": "hints", "decibans": 0, "captures": [["a"]]}, "captures[0]: a list of 2 is needed"),
        (LedgerEntry, {"evidence": "e", "strength": [], "decibans": 0}, "strength: [] is none of"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_located(kind: type, data: Any, said: str) -> None:
    """By the names that lead to it."""
    with pytest.raises(CodecError) as wrong:
        from_plain(kind, data)
    assert str(wrong.value).startswith(said)
