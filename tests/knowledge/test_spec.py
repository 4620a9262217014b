"""The kinds in which file formats are described: what each reads, what it says when it cannot, how it describes itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from triage.knowledge.errors import KnowledgeError, Problems, did_you_mean
from triage.knowledge.spec import AnyScalar, ByShape, Integer, Kind, ListOf, MapOf, Record, Text
from triage.knowledge.yaml_nodes import compose

Read = Callable[[Kind, str], tuple[Any, list[str]]]


@pytest.fixture
def read() -> Read:
    """A YAML value decoded by a kind: the plain data and the problems as ``line:col: message``."""

    def run(kind: Kind, text: str) -> tuple[Any, list[str]]:
        problems = Problems(collect=True)
        node = compose(text, "p", problems)
        assert node is not None
        value = kind.decode(node, problems)
        return value, [str(problem).removeprefix("p:") for problem in problems.found]

    return run


COLOUR = Text(choices=("red", "green"))
POINT = Record({"x": Integer(), "y": Integer(), "colour": COLOUR}, required=("x", "y"), name="point")

READ: list[tuple[Kind, str, Any]] = [
    (Text(), "hello", "hello"),
    (Text(), "'12'", "12"),
    (Text(), "12", "12"),
    (Text(max_length=3), "abc", "abc"),
    (Text(pattern="[a-z]+"), "abc", "abc"),
    (COLOUR, "green", "green"),
    (Integer(), "0", 0),
    (Integer(), "+7", 7),
    (Integer(-5), "-5", -5),
    (AnyScalar(), "12", 12),
    (AnyScalar(), "-3", -3),
    (AnyScalar(), "'12'", "12"),
    (AnyScalar(), "1.50", 1.5),
    (AnyScalar(), ".5", 0.5),
    (AnyScalar(), "2.", 2.0),
    (AnyScalar(), "1e3", 1000.0),
    (AnyScalar(), "true", True),
    (AnyScalar(), "false", False),
    (AnyScalar(), "'true'", "true"),
    (AnyScalar(), "yes", "yes"),
    (AnyScalar(), "True", "True"),
    (AnyScalar(), "null", None),
    (AnyScalar(), "~", None),
    (AnyScalar(), "''", ""),
    (AnyScalar(), "0x10", "0x10"),
    (AnyScalar(), "1.2.3", "1.2.3"),
    (AnyScalar(), "2026-01-01", "2026-01-01"),
    (ListOf(Integer()), "[1, 2]", [1, 2]),
    (ListOf(Integer()), "[]", []),
    (ListOf(Integer(), lone=True), "3", [3]),
    (ListOf(Integer(), at_least=2), "[1, 2]", [1, 2]),
    (MapOf(Text(pattern="[a-z]"), Integer()), "{a: 1, b: 2}", {"a": 1, "b": 2}),
    (POINT, "{x: 1, y: 2, colour: red}", {"x": 1, "y": 2, "colour": "red"}),
    (ByShape(scalar=Text(), sequence=ListOf(Text())), "[a]", ["a"]),
    (ByShape(scalar=Text(), sequence=ListOf(Text())), "a", "a"),
]


@pytest.mark.parametrize(("kind", "text", "value"), READ)
def test_values_are_read(read: Read, kind: Kind, text: str, value: Any) -> None:
    """A value of the right kind is read to plain data of the right type, and quoting makes it text."""
    found, problems = read(kind, text)
    assert problems == []
    assert found == value
    assert type(found) is type(value)


WRONG: list[tuple[Kind, str, list[str]]] = [
    (Text(), "[a]", ["1:1: expected text, found a list"]),
    (Text(), "{a: b}", ["1:1: expected text, found a mapping"]),
    (Text(), "'  '", ["1:1: the text is empty"]),
    (Text(max_length=3), "abcd", ["1:1: the text is longer than 3 characters"]),
    (Text(pattern="[a-z]+"), "a1", ["1:1: 'a1' does not have the form [a-z]+"]),
    (Text(pattern="[a-z]+"), '"a\\n"', ["1:1: 'a\n' does not have the form [a-z]+"]),
    (Text(check=lambda value: f"no {value}"), "x", ["1:1: no x"]),
    (COLOUR, "gren", ["1:1: 'gren' is not one of red, green; did you mean 'green'?"]),
    (COLOUR, "blue", ["1:1: 'blue' is not one of red, green"]),
    (Integer(2), "1", ["1:1: expected a whole number of at least 2"]),
    (Integer(), "'1'", ["1:1: expected a whole number of at least 0"]),
    (Integer(), "1.0", ["1:1: expected a whole number of at least 0"]),
    (Integer(), "[1]", ["1:1: expected a whole number of at least 0"]),
    (Integer(), "-1", ["1:1: expected a whole number of at least 0"]),
    (AnyScalar(), "[1]", ["1:1: expected a single value, found a list"]),
    (ListOf(Integer()), "1", ["1:1: expected a list, found a single value"]),
    (
        ListOf(Integer()),
        "[1, x, 2, y]",
        ["1:5: expected a whole number of at least 0", "1:11: expected a whole number of at least 0"],
    ),
    (ListOf(Integer(), at_least=2), "[1]", ["1:1: expected at least 2 items, found 1"]),
    (ListOf(Integer(), lone=True), "x", ["1:1: expected a whole number of at least 0"]),
    (MapOf(Text(pattern="[a-z]"), Integer()), "[]", ["1:1: expected a mapping, found a list"]),
    (
        MapOf(Text(pattern="[a-z]"), Integer()),
        "{A: 1, b: x}",
        ["1:2: 'A' does not have the form [a-z]", "1:11: expected a whole number of at least 0"],
    ),
    (POINT, "[]", ["1:1: expected a point, found a list"]),
    (POINT, "{x: 1}", ["1:1: a point needs the key 'y'"]),
    (POINT, "{x: 1, y: 2, color: red}", ["1:14: unknown key 'color' in a point; did you mean 'colour'?"]),
    (POINT, "{x: 1, y: 2, zzz: red}", ["1:14: unknown key 'zzz' in a point"]),
    (
        POINT,
        "{colour: blue, q: 1}",
        [
            "1:10: 'blue' is not one of red, green",
            "1:16: unknown key 'q' in a point",
            "1:1: a point needs the key 'x'",
            "1:1: a point needs the key 'y'",
        ],
    ),
    (
        Record({"a": Text(), "b": Text()}, exactly_one=(("a", "b"),), name="choice"),
        "{a: x, b: y}",
        ["1:1: a choice needs exactly one of a, b"],
    ),
    (
        Record({"a": Text(), "b": Text()}, exactly_one=(("a", "b"),), name="choice"),
        "{}",
        ["1:1: a choice needs exactly one of a, b"],
    ),
    (ByShape(scalar=Text()), "[a]", ["1:1: a list is not possible here"]),
    (ByShape(sequence=ListOf(Text())), "{a: b}", ["1:1: a mapping is not possible here"]),
]


@pytest.mark.parametrize(("kind", "text", "messages"), WRONG)
def test_every_problem_is_located(read: Read, kind: Kind, text: str, messages: list[str]) -> None:
    """Collecting keeps every problem with the place of the very value; raising stops at the first of them."""
    _, problems = read(kind, text)
    assert problems == messages
    node = compose(text, "p", Problems())
    assert node is not None
    with pytest.raises(KnowledgeError) as caught:
        kind.decode(node, Problems())
    assert str(caught.value) == f"p:{messages[0]}"


@pytest.mark.parametrize("kind", [Integer(), AnyScalar()], ids=["integer", "any"])
@pytest.mark.parametrize("digits", [400, 5000])
def test_a_huge_number_is_a_problem_or_a_number(read: Read, kind: Kind, digits: int) -> None:
    """A number of more digits than Python converts is the author's located problem, never a bare ValueError."""
    value, problems = read(kind, "9" * digits)
    assert problems or len(str(value)) == digits


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (Text(), {"type": "string", "minLength": 1}),
        (
            Text(pattern="a|b", doc="One."),
            {"type": "string", "minLength": 1, "pattern": "^(?:a|b)$", "description": "One."},
        ),
        (COLOUR, {"enum": ["red", "green"]}),
        (Integer(2), {"type": "integer", "minimum": 2}),
        (AnyScalar(), {"type": ["string", "number", "boolean", "null"]}),
        (ListOf(Integer(), at_least=1), {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}),
    ],
)
def test_kinds_describe_themselves(kind: Kind, schema: dict[str, Any]) -> None:
    """The JSON Schema of a kind says what its decoder demands."""
    assert kind.schema() == schema


def test_did_you_mean_keeps_quiet_when_nothing_is_near() -> None:
    """A hint names the nearest known word, and there is none for a word that resembles nothing."""
    assert did_you_mean("nccl-timeot", ["nccl-timeout", "port-in-use"]) == "; did you mean 'nccl-timeout'?"
    assert did_you_mean("zzz", ["nccl-timeout", "port-in-use"]) == ""
    assert did_you_mean("x", []) == ""
