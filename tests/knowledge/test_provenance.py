"""The signatures held against releases: who is said to print a line, who does, and where the two differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from triage.knowledge.building import build_signature
from triage.knowledge.provenance import (
    Claim,
    Release,
    Survey,
    claim_of,
    disagreements,
    is_declared,
    pattern_literals,
    span_text,
    survey,
)
from triage.knowledge.provenance_record import survey_record
from triage.model import Location, Provenance, Signature
from triage.sources.package_files import SourceFile

Make = Callable[..., Signature]
OLD, NEW = "0.4.3.post4", "0.5.3"
POOL = "sglang/srt/pool.py"


@pytest.fixture
def make(valid_text: str, decode: Callable[[str], tuple[Any, list[str]]]) -> Make:
    """A signature with these patterns, each in an item of its own, and this provenance: (source, releases) pairs."""

    def build(*patterns: str, provenance: Iterable[tuple[str, str]] = (), component: str = "sglang") -> Signature:
        record, problems = decode(valid_text)
        assert problems == []
        item = record["evidence"][0]
        record["evidence"] = [
            {
                **item,
                "id": f"item-{number}",
                "log": {**item["log"], "patterns": [{**item["log"]["patterns"][0], "pattern": text}]},
            }
            for number, text in enumerate(patterns)
        ]
        built = build_signature(record, "memory", Location("s.yaml"))
        return replace(built, component=component, provenance=tuple(Provenance(*pair) for pair in provenance))

    return build


def releases(**texts: dict[str, str]) -> list[Release]:
    """``old`` and ``new``: releases whose files (path to message) print just that."""
    versions = {"old": OLD, "new": NEW}
    return [
        Release(versions[name], [SourceFile(path, f"print({text!r})") for path, text in files.items()])
        for name, files in texts.items()
    ]


@pytest.mark.parametrize(
    ("provenance", "component", "claim"),
    [
        ([(POOL, "")], "torch", Claim.SOURCE),
        ([(POOL, ""), ("NCCL src/init.cc", "")], "sglang", Claim.SHARED),
        ([("sglang/srt/a.py, sglang/srt/b.py (take)", "")], "torch", Claim.SOURCE),
        ([("sglang/srt/disaggregation/", "")], "torch", Claim.SOURCE),
        ([("sglang/kernels/csrc/all_reduce.cuh", "")], "sglang", Claim.SHARED),
        ([("NCCL src/init.cc", "")], "sglang", Claim.OTHER),
        ([("not-sglang/srt/a.py", "")], "sglang", Claim.OTHER),
        ([("sglang_router/launch.py", "")], "sglang", Claim.OTHER),
        ([], "sglang.scheduler", Claim.COMPONENT),
        ([], "sglang", Claim.COMPONENT),
        ([], "sglang-router", Claim.OTHER),
        ([], "torch", Claim.OTHER),
    ],
)
def test_claims(make: Make, provenance: list[tuple[str, str]], component: str, claim: Claim) -> None:
    """Provenance decides; without any the component does; packages with a similar name are others."""
    assert claim_of(make("the pool is empty", provenance=provenance, component=component)) is claim


def test_where_a_pattern_is_found(make: Make) -> None:
    """A pattern has the releases that hold it with their files; each of its texts has the releases that hold that text."""
    signature = make("the (?:pool|cache) is empty", provenance=[(POOL, "")])
    found = survey(
        [signature], releases(old={POOL: "the pool is empty"}, new={POOL: "x", "sglang/c.py": "the cache is empty"})
    )
    (item,) = found.patterns
    assert item.key == "sample-cause/item-0/0"
    assert item.files == ((OLD, (POOL,)), (NEW, ("sglang/c.py",)))
    assert item.releases == (OLD, NEW)
    assert dict(item.literals) == {"the pool is empty": (OLD,), "the cache is empty": (NEW,)}
    assert found.of(signature) == (item,)


def test_a_dead_branch_shows(make: Make) -> None:
    """A pattern lives as long as one way through it does; the text of the other is found nowhere."""
    signature = make("the (?:pool|cache) is empty", provenance=[(POOL, "")])
    (item,) = survey([signature], releases(old={POOL: "the pool is empty"})).patterns
    assert dict(item.literals)["the cache is empty"] == ()
    assert not item.is_dead


@pytest.mark.parametrize(
    ("provenance", "dead"),
    [([(POOL, "")], True), ([(POOL, ""), ("NCCL", "")], False), ([("NCCL", "")], False), ([], False)],
)
def test_dead(make: Make, provenance: list[tuple[str, str]], dead: bool) -> None:
    """Only what SGLang alone is said to print, and does not, is dead."""
    (item,) = survey([make("the pool is empty", provenance=provenance)], releases(new={POOL: "x"})).patterns
    assert item.files == ()
    assert item.is_dead is dead


def test_agreement(make: Make) -> None:
    """Where each source prints in just the releases that are declared for it, there is nothing to tell."""
    signature = make("the pool is empty", provenance=[(POOL, "<0.5"), ("sglang/srt/cache/", ">=0.5")])
    found = survey(
        [signature], releases(old={POOL: "the pool is empty"}, new={"sglang/srt/cache/pool.py": "the pool is empty"})
    )
    assert disagreements(signature, found) == []


def test_disagreements(make: Make) -> None:
    """Declared and silent, with the file that prints it instead; and printed though nothing is declared."""
    signature = make("the pool is empty", provenance=[(POOL, ">=0.5")])
    found = survey(
        [signature], releases(old={POOL: "the pool is empty"}, new={POOL: "x", "sglang/new.py": "the pool is empty"})
    )
    assert disagreements(signature, found) == [
        f"{POOL} does not print it in {NEW}; found in sglang/new.py",
        f"{POOL} prints it in {OLD} too",
    ]


def test_several_files_in_one_source(make: Make) -> None:
    """A source that names several files, and where in them, agrees where one of them prints; other languages are not judged."""
    named = f"sglang/other.py, {POOL} (take)"
    signature = make("the pool is empty", provenance=[(named, ""), ("sglang/pool.cuh", "")])
    found = survey([signature], releases(old={POOL: "the pool is empty"}, new={"sglang/c.py": "the pool is empty"}))
    assert disagreements(signature, found) == [f"{named} does not print it in {NEW}; found in sglang/c.py"]


def test_a_similar_path_is_another_file(make: Make) -> None:
    """A source is a file or a whole folder, never the beginning of a name."""
    signature = make("the pool is empty", provenance=[("sglang/srt/po", "")])
    found = survey([signature], releases(new={POOL: "the pool is empty"}))
    assert disagreements(signature, found) == [f"sglang/srt/po does not print it in all; found in {POOL}"]


@pytest.mark.parametrize(
    ("specifier", "version", "inside"),
    [
        ("", "0.4.3.post4", True),
        (">=0.4.6", "0.4.3.post4", False),
        (">=0.4.3", "0.4.3.post4", True),
        ("<=0.4.9", "0.4.9.post2", True),
        ("<0.4.9", "0.4.9.post2", False),
        (">=0.4.9.post1", "0.4.9.post2", True),
        (">=0.5,<0.6", "0.5.3rc1", True),
    ],
)
def test_is_declared(specifier: str, version: str, inside: bool) -> None:
    """A post release is in a range that holds the release it corrects."""
    assert is_declared(specifier, version) is inside


@pytest.mark.parametrize(
    ("some", "text"),
    [
        ("abcde", "all"),
        ("", "none"),
        ("a", "a"),
        ("ab", "a - b"),
        ("abde", "a - b, d - e"),
        ("ace", "a, c, e"),
        ("e", "e"),
    ],
)
def test_span_text(some: str, text: str) -> None:
    """Releases in a row are a span of the first and the last."""
    assert span_text(some, "abcde") == text


def test_files_that_do_not_parse_are_told(make: Make) -> None:
    """The survey names them with their release."""
    found = survey([make("the pool is empty")], [Release(NEW, [SourceFile(POOL, "print 'old'")])])
    assert [(version, reason.partition(":")[0]) for version, reason in found.unparsed] == [(NEW, POOL)]


def test_literals_of_a_pattern(make: Make) -> None:
    """Every text of six characters and more on any way through the pattern, each once."""
    (pattern,) = make(r"rank \d+: the (?:pool|cache) is empty now|the pool is empty now, (?:ok|no)").patterns()
    assert set(pattern_literals(pattern)) == {
        ": the pool is empty now", ": the cache is empty now", "the pool is empty now, ok", "the pool is empty now, no",
    }  # fmt: skip


def test_record(make: Make) -> None:
    """The stored form is JSON with one line for each pattern that is said to be SGLang's, sorted by key, ending in a line feed."""
    ours = make("the pool is empty", 'the pool is "gone"', provenance=[(POOL, "")])
    other = replace(make("the pool is empty", component="torch"), id="another")
    found = survey([other, ours], releases(old={POOL: "the pool is empty"}, new={POOL: "x"}))
    text = survey_record(found)
    assert json.loads(text) == {
        "releases": [OLD, NEW],
        "patterns": {
            "sample-cause/item-0/0": {"releases": OLD, "literals": {"the pool is empty": OLD}},
            "sample-cause/item-1/0": {"releases": "none", "literals": {'the pool is "gone"': "none"}},
        },
    }
    assert [line.split('"')[1] for line in text.splitlines()[3:-2]] == [
        "sample-cause/item-0/0",
        "sample-cause/item-1/0",
    ]
    assert text.endswith("}\n")


def test_record_of_nothing() -> None:
    """Without any pattern it is still JSON."""
    assert json.loads(survey_record(Survey((), ()))) == {"releases": [], "patterns": {}}
