"""The format of a signature file, as kinds that decode it and describe it to editors."""

from __future__ import annotations

import re
from typing import Any

from triage.knowledge.building import Plain
from triage.knowledge.errors import Problems
from triage.knowledge.nodes import ListNode, MappingNode, Node, ScalarNode
from triage.knowledge.ordinary import is_ordinary
from triage.knowledge.regex_syntax import MIN_LITERAL, complaint, group_names, mandatory_literal
from triage.knowledge.spec import AnyScalar, ByShape, Integer, Kind, ListOf, MapOf, Record, Text
from triage.model import Location, Phase, Prevalence, Role, Severity, Strength
from triage.records import dataclass

CAPTURE_TYPES = ("text", "int", "float", "size", "port", "pid", "path", "ident", "version")
FACT_OPERATORS = ("eq", "ne", "lt", "gt", "le", "ge", "in", "matches", "version", "divides", "exists")
LEVELS = ("trace", "debug", "info", "warning", "error", "fatal")
ID_FORM = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_WITHIN = re.compile(r"([0-9]{1,9})\s*(s|lines?)")


def _choices(enum: Any) -> tuple[str, ...]:
    return tuple(member.value for member in enum)


@dataclass(frozen=True, slots=True)
class RegexText:
    """A regular expression that is safe to run and that Hyperscan can look for."""

    def decode(self, node: Node, problems: Problems) -> str | None:
        value = Text().decode(node, problems)
        wrong = complaint(value) if value else None
        if wrong:
            problems.add(node.location, wrong)
            return None
        return value

    def schema(self) -> dict[str, Any]:
        # Not "format: regex": that would be the dialect of JavaScript, which has other named groups.
        return {"type": "string", "minLength": 1, "description": "A regex of the Python 'regex' module."}


@dataclass(frozen=True, slots=True)
class PatternKind:
    """A regex alone, or a mapping with ``pattern`` and its options; decodes to the mapping with its literal found."""

    options = Record(
        {
            "pattern": RegexText(),
            "literal": Text(max_length=200),
            "unless": RegexText(),
            "captures": MapOf(Text(pattern=r"[a-z][a-z0-9_]*"), Text(choices=CAPTURE_TYPES)),
            "levels": ListOf(Text(choices=LEVELS)),
            "lines": Text(choices=("ignored-imports",), doc="Which lines, where not those that the software means."),
        },
        required=("pattern",),
        name="pattern",
    )

    def decode(self, node: Node, problems: Problems) -> dict[str, Plain] | None:
        if isinstance(node, ScalarNode):
            source = RegexText().decode(node, problems)
            found: dict[str, Plain] | None = None if source is None else {"pattern": source}
        else:
            found = self.options.decode(node, problems)
        if not found or not found.get("pattern"):
            return None
        source = found["pattern"]
        literal = found.setdefault("literal", mandatory_literal(source))
        if literal is None:  # what was declared is wrong, and was told
            return None
        if len(literal) < MIN_LITERAL:
            problems.add(
                node.location,
                f"no literal of at least {MIN_LITERAL} characters must occur; declare one with 'literal:'",
            )
        if is_ordinary(source):
            problems.add(node.location, "matches a line of which healthy servers print thousands an hour")
        groups = group_names(source)
        for name in found.get("captures") or {}:
            if name not in groups:
                problems.add(node.location, f"captures '{name}', but the pattern has no group of that name")
        found["captures"] = {name: (found.get("captures") or {}).get(name, "text") for name in groups}
        return found

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [RegexText().schema(), self.options.schema()]}


PATTERN = PatternKind()
_SEVERAL = ListOf(PATTERN, at_least=1)
_AT_LEAST = Record({"count": Integer(1), "of": _SEVERAL}, required=("count", "of"), name="at_least")
_SEQUENCE = Record(
    {
        "of": ListOf(PATTERN, at_least=2),
        "within": Text(pattern=_WITHIN.pattern),
        "by": Text(choices=("rank", "pid", "source")),
    },
    required=("of",),
    name="sequence",
)
_ABSENT = Record({"pattern": PATTERN, "observable": PATTERN}, required=("pattern", "observable"), name="absent")
_FORMS = Record(
    {"all": _SEVERAL, "any": _SEVERAL, "at_least": _AT_LEAST, "sequence": _SEQUENCE, "absent": _ABSENT},
    exactly_one=(("pattern", "all", "any", "at_least", "sequence", "absent"),),
    name="log condition",
)


@dataclass(frozen=True, slots=True)
class LogKind:
    """Any form of ``log:``, decoded to {operator, patterns, ...}."""

    def decode(self, node: Node, problems: Problems) -> dict[str, Plain] | None:
        if isinstance(node, ScalarNode) or (isinstance(node, MappingNode) and node.get("pattern") is not None):
            pattern = PATTERN.decode(node, problems)
            return None if pattern is None else {"operator": "any", "patterns": [pattern]}
        found = _FORMS.decode(_without_options(node, problems), problems)
        if not found:
            return None
        operator, body = next(iter(found.items()))
        if body is None:
            return None
        if operator in ("all", "any"):
            return {"operator": operator, "patterns": body}
        if operator == "absent":
            parts = {key: body.get(key) for key in ("pattern", "observable")}
            return {"operator": operator, "patterns": [parts["pattern"]], "observable": parts["observable"]}
        if operator == "at_least":
            place = node.get("at_least") if isinstance(node, MappingNode) else None
            return _at_least((place or node).location, body, problems)
        within = _WITHIN.fullmatch(body.get("within") or "")
        return {
            "operator": operator,
            "patterns": body.get("of") or [],
            "by": body.get("by", "source"),
            **({"within_seconds" if within[2] == "s" else "within_lines": int(within[1])} if within else {}),
        }

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [PATTERN.schema(), _FORMS.schema()]}


def _without_options(node: Node, problems: Problems) -> Node:
    """Options narrow one pattern; beside a list of patterns they would be overlooked, so they are told."""
    if not isinstance(node, MappingNode):
        return node
    options = [key for key, _ in node.pairs if key.value in PatternKind.options.fields]
    for key in options:
        problems.add(key.location, f"'{key.value}' belongs to one pattern: {{pattern: ..., {key.value}: ...}}")
    return MappingNode(tuple(pair for pair in node.pairs if pair[0] not in options), node.location)


def _at_least(place: Location, body: dict[str, Plain], problems: Problems) -> dict[str, Plain]:
    patterns, count = body.get("of") or [], body.get("count") or 1
    if patterns and count > len(patterns):
        problems.add(place, f"at least {count} of {len(patterns)} patterns can never occur")
    return {"operator": "at_least", "patterns": patterns, "count": count}


@dataclass(frozen=True, slots=True)
class OperandKind:
    """What a fact is tested against: one value, or one operator with its operand."""

    operand = ByShape(scalar=AnyScalar(), sequence=ListOf(AnyScalar()))

    def decode(self, node: Node, problems: Problems) -> list[Plain] | None:
        if not isinstance(node, MappingNode):
            return ["in" if isinstance(node, ListNode) else "eq", self.operand.decode(node, problems)]
        if len(node.pairs) != 1:
            problems.add(node.location, "a fact is tested with exactly one operator")
            return None
        tests = MapOf(Text(choices=FACT_OPERATORS), self.operand).decode(node, problems)
        if not tests:
            return None
        operator, value = next(iter(tests.items()))
        if operator == "matches" and isinstance(value, str) and complaint(value):
            problems.add(node.location, str(complaint(value)))
        return [operator, value]

    def schema(self) -> dict[str, Any]:
        operators = {
            "type": "object",
            "propertyNames": {"enum": list(FACT_OPERATORS)},
            "minProperties": 1,
            "maxProperties": 1,
        }
        return {"anyOf": [self.operand.schema(), operators]}


FACT_TESTS = MapOf(Text(pattern=r"[a-z0-9][a-z0-9_.-]*"), OperandKind())
_EVIDENCE = Record(
    {
        "id": Text(pattern=ID_FORM),
        "log": LogKind(),
        "fact": FACT_TESTS,
        "probe": Text(pattern=ID_FORM),
        "question": Record(
            {
                "ask": Text(max_length=200, doc="What only the operator can know, as a question."),
                "type": Text(choices=("yes-no", "choice", "value")),
                "choices": ListOf(Text(max_length=60), at_least=2),
            },
            required=("ask",),
            name="question",
        ),
        "strength": Text(choices=_choices(Strength)),
        "phases": ListOf(Text(choices=_choices(Phase)), at_least=1),
        "when": FACT_TESTS,
        "label": Text(max_length=120),
        "family": Text(pattern=ID_FORM),
    },
    required=("id", "strength"),
    exactly_one=(("log", "fact"),),
    name="piece of evidence",
)
_VERSION = ByShape(
    scalar=Text(max_length=100),
    mapping=Record(
        {"range": Text(max_length=100), "fixed_in": Text(max_length=40)}, required=("range",), name="version range"
    ),
)
SIGNATURE: Kind = Record(
    {
        "id": Text(pattern=ID_FORM, max_length=80, doc="The cause; public and stable, equal to the file's name."),
        "title": Text(max_length=120, doc="The cause in one phrase."),
        "component": Text(max_length=60),
        "severity": Text(choices=_choices(Severity)),
        "role": Text(choices=_choices(Role)),
        "prevalence": Text(choices=_choices(Prevalence)),
        "versions": MapOf(Text(pattern=r"[a-z0-9][a-z0-9_.-]*"), _VERSION),
        "explanation": Text(doc="Why it happens, in plain words."),
        "fix": Text(max_length=400, doc="What mends it, in one line."),
        "safety": Text(doc="What must not be taken for it."),
        "evidence": ListOf(_EVIDENCE, at_least=1),
        "explains": ListOf(Text(pattern=ID_FORM)),
        "refines": ListOf(Text(pattern=ID_FORM), lone=True),
        "confusions": ListOf(
            Text(pattern=ID_FORM, doc="A message that several causes print; those that name it are told apart by more.")
        ),
        "playbook": Text(pattern=ID_FORM),
        "references": ListOf(Text(pattern=r"https?://\S+", max_length=300)),
        "provenance": ListOf(
            Record(
                {
                    "source": Text(max_length=200, doc="A path inside the software's distribution."),
                    "releases": Text(max_length=100, doc="The releases that print it (PEP 440)."),
                },
                required=("source",),
                name="provenance",
            ),
            at_least=1,
        ),
        "examples": ListOf(Text(max_length=65536), at_least=1),
        "near_misses": ListOf(Text(max_length=65536), at_least=1),
    },
    required=(
        "id",
        "title",
        "component",
        "severity",
        "role",
        "prevalence",
        "explanation",
        "fix",
        "evidence",
        "examples",
        "near_misses",
    ),
    name="signature",
)
