"""The format of a signature file: every form is read as meant, every slip is told with its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from triage.knowledge.building import build_signature
from triage.knowledge.errors import KnowledgeError, Problems
from triage.knowledge.signature_schema import SIGNATURE
from triage.knowledge.yaml_nodes import compose
from triage.model import (
    Evidence,
    FactTest,
    Location,
    LogCondition,
    LogOperator,
    Pattern,
    Phase,
    Role,
    Severity,
    Signature,
    Strength,
    VersionRange,
)

Decode = Callable[[str], tuple[Any, list[str]]]
Build = Callable[[str], Signature]

LOG = "log: 'frobnicator exploded'"
KEY = "sample-cause/the-line"


@pytest.fixture
def build(decode: Decode) -> Build:
    """Text to the model's Signature; fails if there is a problem."""

    def run(text: str) -> Signature:
        record, problems = decode(text)
        assert problems == []
        return build_signature(record, "memory", Location("s.yaml"))

    return run


def test_minimal_signature(build: Build, valid_text: str) -> None:
    """What is required is enough, and everything else has its empty default."""
    found = build(valid_text)
    assert found == Signature(
        id="sample-cause",
        title="A sample",
        component="sglang",
        severity=Severity.ERROR,
        role=Role.ROOT,
        prevalence=found.prevalence,
        explanation="Because.",
        fix="Mend it.",
        evidence=(
            Evidence(
                "the-line",
                Strength.DECISIVE,
                LogCondition(LogOperator.ANY, (Pattern(f"{KEY}/0", "frobnicator exploded", "frobnicator exploded"),)),
            ),
        ),
        examples=("frobnicator exploded",),
        near_misses=("frobnicator is fine",),
        area="memory",
    )
    assert found.prevalence.value == "rare"


def test_every_optional_field(build: Build, valid_text: str) -> None:
    """Versions in both forms, references, relations, playbook and safety arrive in the model."""
    more = """\
safety: |
  Not this.
versions: {sglang: ">=0.4", torch: {range: "<2.9", fixed_in: "2.9.1"}}
explains: [other-cause, third]
refines: wider-cause
playbook: mend-sample
references: [https://example.org/a]
"""
    found = build(valid_text + more)
    assert found.safety == "Not this."
    assert found.versions == (VersionRange("sglang", ">=0.4"), VersionRange("torch", "<2.9", "2.9.1"))
    assert (found.explains, found.refines, found.playbook) == (
        ("other-cause", "third"),
        ("wider-cause",),
        "mend-sample",
    )
    assert found.references == ("https://example.org/a",)


def _pattern(index: int | str, regex: str, **options: Any) -> Pattern:
    return Pattern(f"{KEY}/{index}", regex, options.pop("literal", regex), **options)


ONE, TWO = "first line", "second line"
LOG_FORMS: dict[str, tuple[str, LogCondition]] = {
    "regex": (f"'{ONE}'", LogCondition(LogOperator.ANY, (_pattern(0, ONE),))),
    "mapping": (f"{{pattern: '{ONE}'}}", LogCondition(LogOperator.ANY, (_pattern(0, ONE),))),
    "unless": (f"{{pattern: '{ONE}', unless: 'harm(less)?'}}", LogCondition(LogOperator.ANY, (_pattern(0, ONE, unless="harm(less)?"),))),
    "levels": (f"{{pattern: '{ONE}', levels: [debug, error]}}", LogCondition(LogOperator.ANY, (_pattern(0, ONE, levels=("debug", "error")),))),
    "all": (f"{{all: ['{ONE}', '{TWO}']}}", LogCondition(LogOperator.ALL, (_pattern(0, ONE), _pattern(1, TWO)))),
    "any": (f"{{any: ['{ONE}', {{pattern: '{TWO}'}}]}}", LogCondition(LogOperator.ANY, (_pattern(0, ONE), _pattern(1, TWO)))),
    "at_least": (
        f"{{at_least: {{count: 2, of: ['{ONE}', '{TWO}']}}}}",
        LogCondition(LogOperator.AT_LEAST, (_pattern(0, ONE), _pattern(1, TWO)), count=2),
    ),
    "sequence": (f"{{sequence: {{of: ['{ONE}', '{TWO}']}}}}", LogCondition(LogOperator.SEQUENCE, (_pattern(0, ONE), _pattern(1, TWO)))),
    "sequence in seconds": (
        f"{{sequence: {{of: ['{ONE}', '{TWO}'], within: 30s, by: rank}}}}",
        LogCondition(LogOperator.SEQUENCE, (_pattern(0, ONE), _pattern(1, TWO)), within_seconds=30, by="rank"),
    ),
    "sequence in lines": (
        f"{{sequence: {{of: ['{ONE}', '{TWO}'], within: 200 lines, by: pid}}}}",
        LogCondition(LogOperator.SEQUENCE, (_pattern(0, ONE), _pattern(1, TWO)), within_lines=200, by="pid"),
    ),
    "sequence in one line": (
        f"{{sequence: {{of: ['{ONE}', '{TWO}'], within: 1 line}}}}",
        LogCondition(LogOperator.SEQUENCE, (_pattern(0, ONE), _pattern(1, TWO)), within_lines=1),
    ),
    "absent": (
        f"{{absent: {{pattern: '{ONE}', observable: '{TWO}'}}}}",
        LogCondition(LogOperator.ABSENT, (_pattern(0, ONE),), observable=_pattern("observable", TWO)),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("form", "condition"), LOG_FORMS.values(), ids=LOG_FORMS.keys())
def test_log_forms(build: Build, valid_text: str, form: str, condition: LogCondition) -> None:
    """Every form of ``log:`` that the guide lists becomes its condition, its patterns numbered in order."""
    found = build(valid_text.replace(LOG, f"log: {form}"))
    assert found.evidence[0].log == condition
    assert len({pattern.key for pattern in found.patterns()}) == len(found.patterns())


CAPTURES = {
    "untyped": (r"'failed on port (?P<port>\d+)'", (("port", "text"),)),
    "typed": (r"{pattern: 'failed on port (?P<port>\d+)', captures: {port: port}}", (("port", "port"),)),
    "several": (
        r"{pattern: 'failed (?P<a>\d+) of (?P<b>\d+)', literal: 'failed ', captures: {b: int}}",
        (("a", "text"), ("b", "int")),
    ),
    "named as elsewhere": (
        r"{pattern: 'failed on port (?<port>\d+)', literal: 'failed on port ', captures: {port: port}}",
        (("port", "port"),),
    ),
    "unnamed groups are none": (r"'failed on (port|socket) \d+'", ()),
}


@pytest.mark.parametrize(("log", "captures"), CAPTURES.values(), ids=CAPTURES.keys())
def test_captures(build: Build, valid_text: str, log: str, captures: tuple[tuple[str, str], ...]) -> None:
    """Every named group is a capture, text unless the author gives it a type."""
    (pattern,) = build(valid_text.replace(LOG, f"log: {log}")).patterns()
    assert pattern.captures == captures


def test_escaped_or_classed_group_is_no_capture(build: Build, valid_text: str) -> None:
    """A pattern that looks for the text of a named group has no capture of it."""
    (pattern,) = build(valid_text.replace(LOG, r"log: 'a literal \(?P<name> stands here'")).patterns()
    assert pattern.captures == ()


@pytest.mark.parametrize(
    ("log", "literal"),
    [
        (r"'CUDA error: \d+ out of memory'", " out of memory"),
        (r"{pattern: 'CUDA error: \d+ out of memory', literal: 'CUDA error'}", "CUDA error"),
        (r"{pattern: '(?i)cuda error', literal: 'cuda error'}", "cuda error"),
    ],
)
def test_literal_is_found_or_declared(build: Build, valid_text: str, log: str, literal: str) -> None:
    """The literal is the longest run that must occur, and what the author declares goes before it."""
    (pattern,) = build(valid_text.replace(LOG, f"log: {log}")).patterns()
    assert pattern.literal == literal


FACTS = {
    "text": ("{torch.cuda: '12.8'}", (FactTest("torch.cuda", "eq", "12.8"),)),
    "number": ("{server.tp_size: 8}", (FactTest("server.tp_size", "eq", 8),)),
    "boolean": ("{server.ready: true}", (FactTest("server.ready", "eq", True),)),
    "list is in": ("{platform: [cuda, rocm]}", (FactTest("platform", "in", ("cuda", "rocm")),)),
    "several": ("{server.tp_size: {gt: 1}, platform: cuda}", (FactTest("server.tp_size", "gt", 1), FactTest("platform", "eq", "cuda"))),
    **{
        operator: (f"{{server.tp_size: {{{operator}: {text}}}}}", (FactTest("server.tp_size", operator, value),))
        for operator, text, value in (
            ("eq", "2", 2), ("ne", "'x'", "x"), ("lt", "1.5", 1.5), ("gt", "-1", -1), ("le", "0", 0), ("ge", "3", 3),
            ("in", "[1, '2', null]", (1, "2", None)), ("matches", "'^H[12]00'", "^H[12]00"),
            ("version", "'>=2.9,<3'", ">=2.9,<3"), ("divides", "8", 8), ("exists", "false", False),
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("key", ["fact", "when"])
@pytest.mark.parametrize(("facts", "tests"), FACTS.values(), ids=FACTS.keys())
def test_fact_tests(build: Build, valid_text: str, key: str, facts: str, tests: tuple[FactTest, ...]) -> None:
    """Every operator reaches the model with its typed operand, as evidence and as a condition."""
    if key == "fact":
        (item,) = build(valid_text.replace(LOG, f"fact: {facts}")).evidence
        assert item.facts == tests
        assert item.log is None
    else:
        (item,) = build(valid_text.replace(LOG, f"{LOG}\n    when: {facts}")).evidence
        assert item.when == tests
        assert item.facts == ()
    assert [type(test.operand) for test in (*item.facts, *item.when)] == [type(test.operand) for test in tests]


def test_narrowing_keys(build: Build, valid_text: str) -> None:
    """Phases, probe, label and family of a piece of evidence arrive in the model."""
    more = "fact: {server.ready: true}\n    probe: gpu-list\n    phases: [weights, unknown]\n    label: A phrase\n    family: one-family"
    (item,) = build(valid_text.replace(LOG, more)).evidence
    assert (item.probe, item.phases, item.label, item.family) == (
        "gpu-list",
        (Phase.WEIGHTS, Phase.UNKNOWN),
        "A phrase",
        "one-family",
    )


GROUP_NEEDED = "11:10: captures 'x', but the pattern has no group of that name"
NO_LITERAL = "no literal of at least 6 characters must occur; declare one with 'literal:'"
ONE_FORM = "a log condition needs exactly one of pattern, all, any, at_least, sequence, absent"
SLIPS: dict[str, tuple[str, str, list[str]]] = {
    "id": ("id: sample-cause", "id: Sample_Cause", ["1:5: 'Sample_Cause' does not have the form [a-z0-9]+(?:-[a-z0-9]+)*"]),
    "id too long": ("id: sample-cause", "id: " + "a" * 81, ["1:5: the text is longer than 80 characters"]),
    "no id": ("id: sample-cause\n", "", ["1:1: a signature needs the key 'id'"]),
    "severity": ("severity: error", "severity: eror", ["4:11: 'eror' is not one of fatal, error, warning, info; did you mean 'error'?"]),
    "role": ("role: root", "role: boss", ["5:7: 'boss' is not one of root, cascade, advice"]),
    "prevalence": ("prevalence: rare", "prevalence: often", ["6:13: 'often' is not one of common, occasional, rare"]),
    "unknown key": ("title:", "tittle:", ["2:1: unknown key 'tittle' in a signature; did you mean 'title'?", "1:1: a signature needs the key 'title'"]),
    "unknown key of evidence": ("strength: decisive", "strenght: decisive", ["12:5: unknown key 'strenght' in a piece of evidence; did you mean 'strength'?", "10:5: a piece of evidence needs the key 'strength'"]),
    "strength": ("strength: decisive", "strength: sure", ["12:15: 'sure' is not one of decisive, strong, supports, hints, contradicts, rules-out"]),
    "strength nearly": ("strength: decisive", "strength: rules_out", ["12:15: 'rules_out' is not one of decisive, strong, supports, hints, contradicts, rules-out; did you mean 'rules-out'?"]),
    "empty title": ("title: A sample", "title:", ["2:7: the text is empty"]),
    "evidence not a list": ("evidence:\n  - id: the-line\n    log: 'frobnicator exploded'\n    strength: decisive\n", "evidence: x\n", ["9:11: expected a list, found a single value"]),
    "no evidence": ("  - id: the-line\n    log: 'frobnicator exploded'\n    strength: decisive\n", "  []\n", ["10:3: expected at least 1 items, found 0"]),
    "no example": ("  - frobnicator exploded\n", "  []\n", ["14:3: expected at least 1 items, found 0"]),
    "example not text": ("  - frobnicator exploded", "  - [a]", ["14:5: expected text, found a list"]),
    "log and fact": (LOG, f"{LOG}\n    fact: {{a: 1}}", ["10:5: a piece of evidence needs exactly one of log, fact"]),
    "neither": (LOG, "label: x", ["10:5: a piece of evidence needs exactly one of log, fact"]),
    "no literal": (LOG, r"log: 'a\d+b'", [f"11:10: {NO_LITERAL}"]),
    "short literal declared": (LOG, "log: {pattern: 'frobnicator', literal: 'frob'}", [f"11:10: {NO_LITERAL}"]),
    "no literal in a list": (LOG, r"log: {all: ['frobnicator', 'a\d+b', 'c\d+d']}", [f"11:32: {NO_LITERAL}", f"11:41: {NO_LITERAL}"]),
    "case ignored": (LOG, "log: '(?i)frobnicator'", [f"11:10: {NO_LITERAL}"]),
    "captures without group": (LOG, "log: {pattern: 'frobnicator', captures: {x: int}}", [GROUP_NEEDED]),
    "type of a capture": (LOG, "log: {pattern: 'frobnicator(?P<x>a)', captures: {x: integer}}", ["11:57: 'integer' is not one of text, int, float, size, port, pid, path, ident, version; did you mean 'int'?"]),
    "level": (LOG, "log: {pattern: 'frobnicator', levels: [warn]}", ["11:44: 'warn' is not one of trace, debug, info, warning, error, fatal; did you mean 'warning'?"]),
    "log list": (LOG, "log: ['frobnicator']", ["11:10: expected a log condition, found a list"]),
    "empty log": (LOG, "log: {}", [f"11:10: {ONE_FORM}"]),
    "two forms": (LOG, "log: {all: ['frobnicator'], any: ['frobnicator']}", [f"11:10: {ONE_FORM}"]),
    "unknown form": (LOG, "log: {none: ['frobnicator']}", ["11:11: unknown key 'none' in a log condition", f"11:10: {ONE_FORM}"]),
    "empty list of patterns": (LOG, "log: {all: []}", ["11:16: expected at least 1 items, found 0"]),
    "count nought": (LOG, "log: {at_least: {count: 0, of: ['frobnicator']}}", ["11:29: expected a whole number of at least 1"]),
    "no count": (LOG, "log: {at_least: {of: ['frobnicator']}}", ["11:21: a at_least needs the key 'count'"]),
    "nothing to count": (LOG, "log: {at_least: {count: 1}}", ["11:21: a at_least needs the key 'of'"]),
    "count beyond the patterns": (LOG, "log: {at_least: {count: 3, of: ['frobnicator', 'exploded']}}", ["11:21: at least 3 of 2 patterns can never occur"]),
    "option of one pattern": (LOG, "log: {unless: 'harmless', all: ['frobnicator']}", ["11:11: 'unless' belongs to one pattern: {pattern: ..., unless: ...}"]),
    "too many digits": (LOG, "log: {at_least: {count: " + "9" * 19 + ", of: ['frobnicator']}}", ["11:29: a number has at most 18 digits"]),
    "number without end": (LOG, "fact: {a: 1e999}", ["11:15: the number is too large; in quotes it is text"]),
    "sequence of one": (LOG, "log: {sequence: {of: ['frobnicator']}}", ["11:26: expected at least 2 items, found 1"]),
    "within": (LOG, "log: {sequence: {of: ['frobnicator', 'exploded'], within: 30}}", [r"11:63: '30' does not have the form ([0-9]{1,9})\s*(s|lines?)"]),
    "by": (LOG, "log: {sequence: {of: ['frobnicator', 'exploded'], by: node}}", ["11:59: 'node' is not one of rank, pid, source"]),
    "phase": (LOG, f"{LOG}\n    phases: [weight]", ["12:14: 'weight' is not one of unknown, install, launch, weights, memory-pool, graph-capture, warmup, serving, shutdown; did you mean 'weights'?"]),
    "no phase": (LOG, f"{LOG}\n    phases: []", ["12:13: expected at least 1 items, found 0"]),
    "fact name": (LOG, "fact: {Torch: 1}", ["11:12: 'Torch' does not have the form [a-z0-9][a-z0-9_.-]*"]),
    "two operators": (LOG, "fact: {a: {gt: 1, lt: 3}}", ["11:15: a fact is tested with exactly one operator"]),
    "no operator": (LOG, "fact: {a: {}}", ["11:15: a fact is tested with exactly one operator"]),
    "operand is a mapping": (LOG, "fact: {a: {eq: {b: c}}}", ["11:20: a mapping is not possible here"]),
    "reference": ("near_misses:", "references: [ftp://example.org]\nnear_misses:", [r"15:14: 'ftp://example.org' does not have the form https?://\S+"]),
    "version without range": ("near_misses:", "versions: {sglang: {fixed_in: '1'}}\nnear_misses:", ["15:20: a version range needs the key 'range'"]),
    "version list": ("near_misses:", "versions: {sglang: [a]}\nnear_misses:", ["15:20: a list is not possible here"]),
    "several at once": (
        "severity: error\nrole: root",
        "severity: bad\nrole: worse\nsurprise: 1",
        ["4:11: 'bad' is not one of fatal, error, warning, info", "5:7: 'worse' is not one of root, cascade, advice", "6:1: unknown key 'surprise' in a signature"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "messages"), SLIPS.values(), ids=SLIPS.keys())
def test_slips_are_located(decode: Decode, valid_text: str, old: str, new: str, messages: list[str]) -> None:
    """Every slip is told with the place of the value; collecting tells all, raising the first of them."""
    assert old in valid_text
    text = valid_text.replace(old, new)
    _, problems = decode(text)
    assert problems == [f"s.yaml:{message}" for message in messages]
    node = compose(text, "s.yaml", Problems())
    assert node is not None
    with pytest.raises(KnowledgeError) as caught:
        SIGNATURE.decode(node, Problems())
    assert str(caught.value) == f"s.yaml:{messages[0]}"


REGEXES = {
    "alone": ("log: 'frobnicator (exploded'", "11:10: not a regular expression: missing )"),
    "unless": ("log: {pattern: 'frobnicator', unless: 'a**b'}", "11:43: not a regular expression: multiple repeat"),
    "in a list": (
        "log: {any: ['frobnicator', '[z-a]frobnicator']}",
        "11:32: not a regular expression: bad character range",
    ),
    "in a mapping of a list": (
        "log: {any: [{pattern: '*frobnicator'}]}",
        "11:27: not a regular expression: nothing to repeat",
    ),
    "observable": (
        "log: {absent: {pattern: 'frobnicator', observable: 'frob)nicator'}}",
        "11:56: not a regular expression: ",
    ),
    "matches": ("fact: {a: {matches: '(x'}}", "11:15: not a regular expression: missing )"),
}


@pytest.mark.parametrize(("item", "message"), REGEXES.values(), ids=REGEXES.keys())
def test_wrong_regexes_are_located(valid_text: str, item: str, message: str) -> None:
    """A regex that does not compile is told where it stands, in the words of the regex module, before anything else."""
    node = compose(valid_text.replace(LOG, item), "s.yaml", Problems())
    assert node is not None
    with pytest.raises(KnowledgeError) as caught:
        SIGNATURE.decode(node, Problems())
    assert str(caught.value).startswith(f"s.yaml:{message}")


def test_wrong_operator_is_told_once(decode: Decode, valid_text: str) -> None:
    """A misspelt operator gives one problem with a hint, not a second one that says there is none."""
    _, problems = decode(valid_text.replace(LOG, "fact: {a: {mathces: x}}"))
    assert problems == [
        "s.yaml:11:16: 'mathces' is not one of eq, ne, lt, gt, le, ge, in, matches, version, divides, exists; did you mean 'matches'?"
    ]


UNCLEAR = {
    "literal empty": "log: {pattern: 'frobnicator', literal: ''}",
    "literal a list": "log: {pattern: 'frobnicator', literal: [frobnicator]}",
    "literal too long": "log: {pattern: 'frobnicator', literal: '" + "x" * 201 + "'}",
    "absent without observable": "log: {absent: {pattern: 'frobnicator'}}",
    "absent without pattern": "log: {absent: {observable: 'frobnicator'}}",
    "absent empty": "log: {absent: {}}",
    "absent wrong regex": "log: {absent: {pattern: '(frobnicator', observable: 'frobnicator'}}",
    "within of too many digits": "log: {sequence: {of: ['frobnicator', 'exploded'], within: " + "9" * 5000 + "s}}",
    "count of too many digits": "log: {at_least: {count: " + "9" * 5000 + ", of: ['frobnicator']}}",
    "fact of too many digits": "fact: {a: " + "9" * 5000 + "}",
    "unless beside all": "log: {unless: 'harmless', all: ['frobnicator']}",
    "unless after all": "log: {all: ['frobnicator'], unless: 'harmless'}",
    "levels beside any": "log: {levels: [error], any: ['frobnicator']}",
    "literal beside sequence": "log: {literal: 'frobnicator', sequence: {of: ['frobnicator', 'exploded']}}",
    "captures beside at_least": "log: {captures: {a: int}, at_least: {count: 1, of: ['frobnicator']}}",
    "count beyond the patterns": "log: {at_least: {count: 3, of: ['frobnicator', 'exploded']}}",
}


@pytest.mark.parametrize("log", UNCLEAR.values(), ids=UNCLEAR.keys())
def test_what_cannot_be_meant_is_told(decode: Decode, valid_text: str, log: str) -> None:
    """An option that would be overlooked, an incomplete form or an impossible number is a located problem in line 11, never another exception."""
    _, problems = decode(valid_text.replace(LOG, log))
    assert problems
    assert all(problem.startswith("s.yaml:11:") for problem in problems)
