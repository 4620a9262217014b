"""Tests of facts: true, false, and None as long as a fact is not known."""

from __future__ import annotations

import pytest

from triage.model import FactTest, Value
from triage.reasoning.conditions import all_hold, holds

BELOW, FROM = "<0.5.9", ">=0.5.9"


def answer(operator: str, value: Value, operand: Value) -> bool | None:
    """`holds` for a fact that is known."""
    return holds(FactTest("the.fact", operator, operand), {"the.fact": value})


@pytest.mark.parametrize(
    ("operator", "value", "operand", "expected"),
    [
        ("eq", 8, 8, True),
        ("eq", 8, "8", True),
        ("eq", "prefill", "decode", False),
        ("eq", None, "decode", False),
        ("ne", 8, 8, False),
        ("ne", "fp8", "ue8m0", True),
        ("in", "decode", ("prefill", "decode"), True),
        ("in", 4, ("1", "4"), True),
        ("in", "null", ("prefill", "decode"), False),
        ("in", "decode", "decode", False),
        ("lt", 4, 8, True),
        ("lt", 8, 8, False),
        ("gt", 0.9, 0.85, True),
        ("gt", 0.85, 0.85, False),
        ("le", 8, 8, True),
        ("le", 9, 8, False),
        ("ge", 8, 8, True),
        ("ge", 7, 8, False),
        ("matches", "NVIDIA H100 80GB HBM3", r"H[12]00", True),
        ("matches", "NVIDIA B200", r"H[12]00", False),
        ("divides", 576, 64, True),
        ("divides", 576, 128, False),
        ("version", "0.5.3", BELOW, True),
        ("version", "0.5.9", BELOW, False),
        ("exists", 8, True, True),
        ("exists", 8, False, False),
    ],
)
def test_every_operator(operator: str, value: Value, operand: Value, expected: bool) -> None:
    """Each operator answers for a fact that is known."""
    assert answer(operator, value, operand) is expected


@pytest.mark.parametrize(
    ("operator", "operand"),
    [
        ("eq", 1),
        ("ne", 1),
        ("lt", 1),
        ("gt", 1),
        ("le", 1),
        ("ge", 1),
        ("in", (1, 2)),
        ("matches", "x"),
        ("version", BELOW),
        ("divides", 2),
        ("exists", True),
    ],
)
def test_unknown_fact_is_not_false(operator: str, operand: Value) -> None:
    """What nobody said is neither true nor false: a probe may still tell."""
    assert holds(FactTest("the.fact", operator, operand), {"another.fact": 1}) is None


@pytest.mark.parametrize(("value", "operand"), [(True, 1), (False, 0), (1, True), (0, False), (True, "True")])
def test_booleans_are_no_numbers(value: Value, operand: Value) -> None:
    """A flag that is set is not the number one."""
    assert answer("eq", value, operand) is False
    assert answer("ne", value, operand) is True
    assert answer("in", value, (operand,)) is False


def test_booleans_equal_themselves() -> None:
    """A flag is compared with a flag."""
    assert answer("eq", True, True) is True
    assert answer("eq", False, False) is True
    assert answer("eq", True, False) is False


@pytest.mark.parametrize("operator", ["lt", "gt", "le", "ge", "divides"])
@pytest.mark.parametrize("value", ["many", None, True, (1, 2)])
def test_only_numbers_are_compared(operator: str, value: Value) -> None:
    """A comparison with what is no number has no answer."""
    assert answer(operator, value, 1) is None


def test_nothing_is_divided_by_zero() -> None:
    """No number is a multiple of zero."""
    assert answer("divides", 8, 0) is False


@pytest.mark.parametrize(
    ("version", "specifier", "expected"),
    [
        ("2.9.1+cu128", "==2.9.1", True),
        ("2.9.1+cu128", "<=2.9.1", True),
        ("2.9.1+cu128", ">2.9.1", False),
        ("0.5.9.post1", ">=0.5.9", True),
        ("v0.5.9", ">=0.5.9", True),
        ("0.5.10rc1", ">=0.5.9,<0.5.11", True),
        ("12.8", ">=12.4", True),
    ],
)
def test_local_versions_and_prereleases(version: str, specifier: str, expected: bool) -> None:
    """What is built into a release's local part does not change which release it is; releases to come count."""
    assert answer("version", version, specifier) is expected


@pytest.mark.parametrize("version", ["0.0.0.dev1", "0.0.0", "0.0.0.dev1+g1a2b3c4", "main", "", "unknown", "1.2.x"])
def test_versions_that_tell_nothing(version: str) -> None:
    """A checkout without tags and text that is no version are not known to lie anywhere."""
    assert answer("version", version, FROM) is None
    assert answer("version", version, BELOW) is None


@pytest.mark.parametrize("version", ["0.5.9.dev3", "0.5.9.dev3+gabc1234", "0.5.9rc0", "0.5.9a0+git1234567"])
def test_development_builds_belong_to_their_release(version: str) -> None:
    """A build on the way to a release is never outside of both halves of the number line."""
    assert answer("version", version, FROM) is True
    assert answer("version", version, BELOW) is False


def test_wrong_rules_have_no_answer() -> None:
    """A range or a pattern that is malformed decides nothing."""
    assert answer("version", "0.5.9", "about 0.5") is None
    assert answer("matches", "text", "(") is None


def test_pattern_that_backtracks_is_given_up() -> None:
    """A fact is text that a stranger may have chosen: a search in it ends in time."""
    assert answer("matches", "a" * 4000 + "b", r"(a|a)*$") in (None, False)


def test_all_hold() -> None:
    """One false test is enough to say no; without one, an unknown fact leaves it open."""
    yes, no, unknown = FactTest("a", "eq", 1), FactTest("a", "eq", 2), FactTest("b", "eq", 1)
    facts: dict[str, Value] = {"a": 1}
    assert all_hold((yes,), facts) is True
    assert all_hold((yes, unknown), facts) is None
    assert all_hold((unknown, no, yes), facts) is False
    assert all_hold((), facts) is True
