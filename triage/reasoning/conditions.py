"""Structured tests of facts: true, false, or None while the fact is not known. Never code from a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from triage.model import FactTest, Value

_MAX_TESTED_TEXT = 4096


def holds(test: FactTest, facts: Mapping[str, Value]) -> bool | None:
    """Does ``test`` hold?"""
    if test.operator == "exists":
        return (test.name in facts) is bool(test.operand) if test.name in facts or not test.operand else None
    if test.name not in facts:
        return None
    value, operand = facts[test.name], test.operand
    if test.operator == "eq":
        return _equal(value, operand)
    if test.operator == "ne":
        return not _equal(value, operand)
    if test.operator == "in":
        return isinstance(operand, tuple) and any(_equal(value, item) for item in operand)
    if test.operator == "matches":
        return _matches(value, operand)
    if test.operator == "version":
        return _version(value, operand)
    return _numeric(test.operator, value, operand)


def all_hold(tests: Sequence[FactTest], facts: Mapping[str, Value]) -> bool | None:
    """False if one does not hold, else None if one is not known, else True."""
    answers = [holds(test, facts) for test in tests]
    if False in answers:
        return False
    return None if None in answers else True


def _equal(value: Value, operand: Value) -> bool:
    if isinstance(value, bool) or isinstance(operand, bool):
        return value is operand
    return value == operand or str(value) == str(operand)


def _numeric(operator: str, value: Value, operand: Value) -> bool | None:
    if not _is_number(value) or not _is_number(operand):
        return None
    assert isinstance(value, (int, float))
    assert isinstance(operand, (int, float))
    if operator == "divides":
        return operand != 0 and value % operand == 0
    return {"lt": value < operand, "gt": value > operand, "le": value <= operand, "ge": value >= operand}[operator]


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _matches(value: Value, operand: Value) -> bool | None:
    import regex

    try:
        return regex.search(str(operand), str(value)[:_MAX_TESTED_TEXT], timeout=0.05) is not None
    except (regex.error, TimeoutError):
        return None


def _version(value: Value, operand: Value) -> bool | None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        stated = Version(str(value))
        if not any(stated.release):
            return None  # 0.0.0.dev1: built from a checkout, which release it is near to is not told
        # Local parts (+cu128), development builds and candidates belong to their release here.
        post = "" if stated.post is None else f".post{stated.post}"
        return Version(stated.base_version + post) in SpecifierSet(str(operand))
    except (InvalidVersion, InvalidSpecifier):
        return None
