"""The little language in which file formats are described: one description decodes nodes and yields the JSON Schema.

A *kind* turns a node into plain JSON-able data (``decode``) or reports why not, and describes itself for editors
(``schema``). Signatures and playbooks are Records of kinds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from triage.knowledge.building import Plain
from triage.knowledge.errors import Problems, did_you_mean
from triage.knowledge.nodes import ListNode, MappingNode, Node, ScalarNode
from triage.records import dataclass

_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+[eE][-+]?[0-9]+|[0-9]+\.[0-9]*[eE][-+]?[0-9]+)\Z")
MAX_DIGITS = 18
"""What fits in 64 bits; Python itself refuses to convert some thousands of digits."""


class Kind(Protocol):
    """One kind of value."""

    def decode(self, node: Node, problems: Problems) -> Plain:
        """Plain data, or None after a problem was reported."""

    def schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the value."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string. ``pattern`` is a full match; ``choices`` closes the set; ``check`` returns a complaint or None."""

    pattern: str | None = None
    choices: tuple[str, ...] = ()
    max_length: int = 8192
    check: Callable[[str], str | None] | None = None
    doc: str = ""

    def decode(self, node: Node, problems: Problems) -> str | None:
        if not isinstance(node, ScalarNode):
            problems.add(node.location, f"expected text, found {_name(node)}")
            return None
        complaint = self._complaint(node.value)
        if complaint:
            problems.add(node.location, complaint)
            return None
        return node.value

    def _complaint(self, value: str) -> str | None:
        if self.choices and value not in self.choices:
            return f"'{value}' is not one of {', '.join(self.choices)}{did_you_mean(value, list(self.choices))}"
        if not value.strip():
            return "the text is empty"
        if len(value) > self.max_length:
            return f"the text is longer than {self.max_length} characters"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"'{value}' does not have the form {self.pattern}"
        return self.check(value) if self.check else None

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "string", "minLength": 1}
        if self.choices:
            found = {"enum": list(self.choices)}
        if self.pattern:
            found["pattern"] = f"^(?:{self.pattern})$"
        if self.doc:
            found["description"] = self.doc
        return found


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number, written unquoted."""

    minimum: int = 0

    def decode(self, node: Node, problems: Problems) -> int | None:
        if isinstance(node, ScalarNode) and node.plain and _INT.match(node.value):
            if len(node.value) > MAX_DIGITS:
                problems.add(node.location, f"a number has at most {MAX_DIGITS} digits")
                return None
            if int(node.value) >= self.minimum:
                return int(node.value)
        problems.add(node.location, f"expected a whole number of at least {self.minimum}")
        return None

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.minimum}


@dataclass(frozen=True, slots=True)
class AnyScalar:
    """A number, a boolean (``true``/``false``), ``null`` or text: quoted values are always text."""

    def decode(self, node: Node, problems: Problems) -> Plain:
        if not isinstance(node, ScalarNode):
            problems.add(node.location, f"expected a single value, found {_name(node)}")
            return None
        if not node.plain:
            return node.value
        if node.value in ("true", "false"):
            return node.value == "true"
        if _INT.match(node.value) or _FLOAT.match(node.value):
            return self._number(node, problems)
        return None if node.value in ("null", "~", "") else node.value

    def _number(self, node: ScalarNode, problems: Problems) -> int | float | None:
        whole = _INT.match(node.value)
        if whole and len(node.value) > MAX_DIGITS:
            problems.add(node.location, f"a number has at most {MAX_DIGITS} digits; in quotes it is text")
            return None
        number = int(node.value) if whole else float(node.value)
        if math.isinf(number):
            problems.add(node.location, "the number is too large; in quotes it is text")
            return None
        return number

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "number", "boolean", "null"]}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one kind; ``lone`` accepts a single value in its place."""

    item: Kind
    lone: bool = False
    at_least: int = 0

    def decode(self, node: Node, problems: Problems) -> list[Plain] | None:
        if not isinstance(node, ListNode):
            if self.lone:
                value = self.item.decode(node, problems)
                return None if value is None else [value]
            problems.add(node.location, f"expected a list, found {_name(node)}")
            return None
        if len(node.items) < self.at_least:
            problems.add(node.location, f"expected at least {self.at_least} items, found {len(node.items)}")
        return [self.item.decode(item, problems) for item in node.items]

    def schema(self) -> dict[str, Any]:
        found = {"type": "array", "items": self.item.schema(), "minItems": self.at_least}
        return {"anyOf": [self.item.schema(), found]} if self.lone else found


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping with free keys of one form."""

    key: Text
    value: Kind

    def decode(self, node: Node, problems: Problems) -> dict[str, Plain] | None:
        if not isinstance(node, MappingNode):
            problems.add(node.location, f"expected a mapping, found {_name(node)}")
            return None
        found: dict[str, Plain] = {}
        for key, value in node.pairs:
            name = self.key.decode(key, problems)
            if name is not None:
                found[name] = self.value.decode(value, problems)
        return found

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "propertyNames": self.key.schema(), "additionalProperties": self.value.schema()}


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys. ``exactly_one`` names groups of keys of which just one must stand."""

    fields: Mapping[str, Kind]
    required: Sequence[str] = ()
    exactly_one: Sequence[Sequence[str]] = ()
    name: str = "mapping"

    def decode(self, node: Node, problems: Problems) -> dict[str, Plain] | None:
        if not isinstance(node, MappingNode):
            problems.add(node.location, f"expected a {self.name}, found {_name(node)}")
            return None
        found: dict[str, Plain] = {}
        for key, value in node.pairs:
            kind = self.fields.get(key.value)
            if kind is None:
                hint = did_you_mean(key.value, list(self.fields))
                problems.add(key.location, f"unknown key '{key.value}' in a {self.name}{hint}")
            else:
                found[key.value] = kind.decode(value, problems)
        present = {key.value for key, _ in node.pairs}
        for missing in (name for name in self.required if name not in present):
            problems.add(node.location, f"a {self.name} needs the key '{missing}'")
        for group in self.exactly_one:
            if len(present.intersection(group)) != 1:
                problems.add(node.location, f"a {self.name} needs exactly one of {', '.join(group)}")
        return found

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "type": "object",
            "properties": {key: kind.schema() for key, kind in self.fields.items()},
            "required": list(self.required),
            "additionalProperties": False,
        }
        if self.exactly_one:
            found["allOf"] = [{"oneOf": [{"required": [key]} for key in group]} for group in self.exactly_one]
        return found


@dataclass(frozen=True, slots=True)
class ByShape:
    """One kind for each node shape (scalar, list, mapping)."""

    scalar: Kind | None = None
    sequence: Kind | None = None
    mapping: Kind | None = None

    def decode(self, node: Node, problems: Problems) -> Plain:
        kind = {ScalarNode: self.scalar, ListNode: self.sequence, MappingNode: self.mapping}[type(node)]
        if kind is None:
            problems.add(node.location, f"{_name(node)} is not possible here")
            return None
        return kind.decode(node, problems)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [kind.schema() for kind in (self.scalar, self.sequence, self.mapping) if kind is not None]}


def _name(node: Node) -> str:
    return {ScalarNode: "a single value", ListNode: "a list", MappingNode: "a mapping"}[type(node)]
