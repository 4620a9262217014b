"""The JSON Schema for editors: valid, true to the decoder, and written in what every editor understands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from triage.knowledge.json_schema import signature_schema
from triage.knowledge.pack import bundled_directory

PACKS = Path(__file__).resolve().parent / "packs"
BUNDLED = sorted(Path(bundled_directory("signatures")).rglob("*.yaml"))
# What no schema can know: other files, file names, the meaning of a regex, ranges of versions, roles beside severities.
BEYOND = {
    "duplicate_ids", "wrong_file_name", "no_area", "dangling_reference", "self_reference", "refines_in_a_circle", "bad_regex", "no_literal",
    "bad_versions", "bad_fixed_in", "advice_fatal", "nothing_speaks_for", "no_log", "fact_is_decisive", "probe_beside_log", "evidence_twice",
    "hyperscan_refuses", "yaml_tricks", "valid",
}  # fmt: skip


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The shipped schema, ready to use."""
    return Draft202012Validator(signature_schema())


def plain(node: yaml.Node | None) -> Any:
    """A YAML node as an editor sees it under YAML 1.2: only unquoted true/false, null and decimal numbers are not text."""
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        pairs = [(key.value, plain(value)) for key, value in node.value]
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)
    assert isinstance(node, yaml.ScalarNode)
    if node.style:
        return node.value
    if node.value in ("true", "false"):
        return node.value == "true"
    if node.value in ("null", "~", ""):
        return None
    for form, convert in ((r"[-+]?[0-9]+", int), (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float)):
        if re.fullmatch(form, node.value):
            return convert(node.value)
    return node.value


def read(path: Path) -> Any:
    """A file's plain data."""
    with path.open(encoding="utf-8") as stream:
        return plain(yaml.compose(stream, Loader=yaml.BaseLoader))


def test_schema_is_valid() -> None:
    """The schema is a JSON Schema of the draft that it names."""
    Draft202012Validator.check_schema(signature_schema())
    assert signature_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_bundled_signatures_are_accepted(validator: Draft202012Validator, path: Path) -> None:
    """An editor shows no complaint about any signature that we ship."""
    assert [error.message for error in validator.iter_errors(read(path))] == []


@pytest.mark.parametrize("path", sorted((PACKS / "valid").rglob("*.yaml")), ids=lambda path: path.stem)
def test_valid_pack_is_accepted(validator: Draft202012Validator, path: Path) -> None:
    """What lint finds clean, the schema accepts."""
    assert [error.message for error in validator.iter_errors(read(path))] == []


@pytest.mark.parametrize("kind", sorted(path.name for path in PACKS.iterdir() if path.name not in BEYOND))
def test_bad_packs_are_rejected(validator: Draft202012Validator, kind: str) -> None:
    """What is wrong in one place of one file, an editor can show: the schema rejects a file of the pack."""
    assert any(not validator.is_valid(read(path)) for path in (PACKS / kind).rglob("*.yaml"))


@pytest.mark.parametrize("kind", sorted(BEYOND - {"yaml_tricks"}))
def test_what_is_left_to_lint(validator: Draft202012Validator, kind: str) -> None:
    """The packs that the list above calls beyond a schema are indeed accepted by it, so that the list cannot hide a gap."""
    assert all(validator.is_valid(read(path)) for path in (PACKS / kind).rglob("*.yaml"))


SLIPS: list[tuple[str, Any]] = [
    ("severity", "awful"), ("role", None), ("prevalence", "often"), ("id", "Upper_Case"), ("id", 7), ("title", ""), ("evidence", []),
    ("evidence", [{"id": "a", "strength": "strong"}]),
    ("evidence", [{"id": "a", "strength": "strong", "log": "frobnicator", "fact": {"a": 1}}]),
    ("evidence", [{"id": "a", "strength": "sure", "log": "frobnicator"}]),
    ("evidence", [{"id": "a", "strength": "strong", "log": {}}]),
    ("evidence", [{"id": "a", "strength": "strong", "log": {"all": []}}]),
    ("evidence", [{"id": "a", "strength": "strong", "log": {"all": ["frobnicator"], "any": ["frobnicator"]}}]),
    ("evidence", [{"id": "a", "strength": "strong", "log": {"sequence": {"of": ["frobnicator"]}}}]),
    ("evidence", [{"id": "a", "strength": "strong", "log": {"sequence": {"of": ["frobnicator", "b"], "within": "30"}}}]),
    ("evidence", [{"id": "a", "strength": "strong", "log": {"at_least": {"count": 0, "of": ["frobnicator"]}}}]),
    ("evidence", [{"id": "a", "strength": "strong", "log": {"absent": {"pattern": "frobnicator"}}}]),
    ("evidence", [{"id": "a", "strength": "strong", "log": {"all": ["frobnicator"], "unless": "harmless"}}]),
    ("evidence", [{"id": "a", "strength": "strong", "fact": {"a": {"gt": 1, "lt": 2}}}]),
    ("evidence", [{"id": "a", "strength": "strong", "fact": {"a": {"like": 1}}}]),
    ("references", ["ftp://example.org"]), ("examples", []), ("near_misses", "text"), ("refines", {"a": "b"}), ("versions", {"sglang": 3}),
    ("surprise", 1),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), SLIPS)
def test_slips_are_rejected(validator: Draft202012Validator, key: str, value: Any) -> None:
    """A wrong value under any key is what an editor complains about."""
    good = read(PACKS / "valid" / "memory" / "frobnicator-failed.yaml")
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, key: value})


def test_every_required_key_is_required(validator: Draft202012Validator) -> None:
    """A file that lacks any key that the guide demands is rejected."""
    good = read(PACKS / "valid" / "memory" / "frobnicator-failed.yaml")
    required = {
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
    }
    for key in required:
        assert not validator.is_valid({name: value for name, value in good.items() if name != key}), key


def test_patterns_are_of_the_dialect_of_json_schema() -> None:
    """Regexes in the schema use nothing that only Python knows, since editors run them as ECMA 262."""

    def patterns(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("pattern"), str):
                yield value["pattern"]
            for inner in value.values():
                yield from patterns(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from patterns(inner)

    found = list(patterns(signature_schema()))
    assert found
    assert [text for text in found if re.search(r"\(\?P|\\[AZ]|\(\?[aiLmsux]", text)] == []
