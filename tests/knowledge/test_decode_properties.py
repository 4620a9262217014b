"""Decoding hostile or careless files: a record that builds, or located problems; nothing else, whatever stands there."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triage.knowledge.building import build_signature
from triage.knowledge.errors import KnowledgeError, Problems
from triage.knowledge.loading import decode_files
from triage.knowledge.pack import PackFile
from triage.knowledge.signature_schema import SIGNATURE
from triage.knowledge.yaml_nodes import compose
from triage.model import Location

GOOD: dict[str, Any] = {
    "id": "sample-cause",
    "title": "A sample",
    "component": "sglang",
    "severity": "error",
    "role": "root",
    "prevalence": "rare",
    "versions": {"sglang": {"range": ">=0.4", "fixed_in": "0.5"}},
    "explanation": "Because.",
    "fix": "Mend it.",
    "evidence": [
        {"id": "a", "log": {"pattern": "frobnicator (?P<n>x)", "literal": "frobnicator", "captures": {"n": "int"}}, "strength": "strong"},
        {"id": "b", "log": {"at_least": {"count": 1, "of": ["frobnicator", "exploded"]}}, "strength": "hints"},
        {"id": "c", "log": {"sequence": {"of": ["frobnicator", "exploded"], "within": "3s", "by": "pid"}}, "strength": "hints"},
        {"id": "d", "log": {"absent": {"pattern": "frobnicator", "observable": "exploded"}}, "strength": "contradicts"},
        {"id": "e", "fact": {"torch.version": {"version": ">=2"}}, "probe": "python-packages", "strength": "supports"},
        {"id": "f", "log": {"all": ["frobnicator"]}, "strength": "hints", "phases": ["weights"], "when": {"a": [1, 2]}},
    ],
    "refines": "wider",
    "examples": ["frobnicator x"],
    "near_misses": ["frobnicator"],
}  # fmt: skip

WORDS = [
    "all", "any", "at_least", "sequence", "absent", "pattern", "literal", "unless", "levels", "captures", "of", "count", "within",
    "by", "observable", "id", "strength", "fact", "when", "gt", "in", "matches", "version", "exists", "range", "probe", "frobnicator",
    "exploded", "(?P<n>frobnicator)", "(", "a{2", "[", "error", "3s", "9999999 lines", "", " ", "null", "true", "-1", "1e999", "٣", "é" * 9,
]  # fmt: skip
LEAVES = st.one_of(
    st.sampled_from(WORDS),
    st.integers(-3, 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.text(max_size=4),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """The good record with one to three places replaced, removed or added to, as YAML (of the flow style that JSON is)."""
    record = json.loads(json.dumps(GOOD))
    for _ in range(draw(st.integers(1, 3))):
        parent, key = (
            record,
            draw(st.sampled_from(sorted(record) + ["evidence"] * 20 * ("evidence" in record))) if record else "id",
        )
        while isinstance(parent.get(key) if isinstance(parent, dict) else parent[key], (dict, list)) and draw(
            st.integers(0, 9)
        ):
            below = parent[key]
            keys = sorted(below) if isinstance(below, dict) else list(range(len(below)))
            if not keys:
                break
            parent, key = below, draw(st.sampled_from(keys))
        change = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if change == "replace":
            parent[key] = draw(VALUES)
        elif change == "remove":
            del parent[key]
        elif isinstance(parent, dict):
            parent[draw(st.sampled_from(WORDS))] = draw(VALUES)
        else:
            parent.append(draw(VALUES))
        if not record:
            break
    return json.dumps(record, ensure_ascii=False)


def check(text: str) -> None:
    """Collecting never raises; raising raises the first problem only as KnowledgeError; without problems the model is built."""
    problems = Problems(collect=True)
    node = compose(text, "p.yaml", problems)
    record = None if node is None else SIGNATURE.decode(node, problems)
    caught: KnowledgeError | None = None
    try:
        again = compose(text, "p.yaml", Problems())
        assert again is not None
        SIGNATURE.decode(again, Problems())
    except KnowledgeError as error:
        caught = error
    if problems.found:
        assert caught is not None
        assert caught.problem == problems.found[0]
        assert all(problem.location.path == "p.yaml" and problem.location.line >= 1 for problem in problems.found)
    else:
        assert caught is None
        assert record is not None
        assert build_signature(record, "", Location("p.yaml")).patterns() is not None


@given(damaged())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_signatures(text: str) -> None:
    """A signature with values swapped, lost or added gives a model or located problems."""
    check(text)


FRAGMENTS = [
    "id: a\n", "evidence:\n", "  - id: x\n", "    log: ", "{pattern: ", "'frobnicator'", "}", "[", "]", "\n", "    strength: hints\n",
    "    fact: ", "{a: {gt: 1}}", "examples:\n", "  - x\n", "near_misses: ", "versions: ", "? ", "- ", "|\n", "&a ", "*a ", "!x ", "<<: ",
    "# c\n", "---\n", "...\n", "\t", "\x00", "'", '"', ",", ":", "%YAML 1.1\n",
]  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join)))
@settings(max_examples=300, deadline=None)
def test_yaml_like_text(text: str) -> None:
    """Text that is nearly YAML, or nearly a signature, gives a model or located problems."""
    check(text)


@given(st.lists(st.binary(max_size=60), max_size=3))
@settings(max_examples=100, deadline=None)
def test_any_bytes_in_a_pack(contents: list[bytes]) -> None:
    """Files of any bytes are read or reported, each under its own path."""
    problems = Problems(collect=True)
    base = decode_files(
        [PackFile(f"{number}.yaml", "area", content) for number, content in enumerate(contents)], problems
    )
    assert len(base) == 0
    assert {problem.location.path for problem in problems.found} == {
        f"{number}.yaml" for number in range(len(contents))
    }
