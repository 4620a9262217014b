"""Snapshots: what is written can be read again, and what somebody else wrote cannot hurt."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.probing.probe import Transcript
from triage.probing.snapshot import Snapshot, from_json, to_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
TRANSCRIPTS = st.builds(
    Transcript,
    label=TEXTS,
    status=st.sampled_from(["ok", "absent", "denied", "timed-out", "failed"]),
    text=TEXTS,
    exit_code=st.none() | st.integers(-64, 255),
    reason=TEXTS,
    seconds=st.floats(0, 100).map(lambda value: round(value, 3)),
)
SNAPSHOTS = st.builds(
    Snapshot,
    transcripts=st.dictionaries(TEXTS, st.lists(TRANSCRIPTS, max_size=3).map(tuple), max_size=4),
    redacted=st.dictionaries(TEXTS, st.integers(0, 10**6), max_size=3),
    recorded=TEXTS,
    tool_version=TEXTS,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def record(**changes: Any) -> dict[str, Any]:
    """A small snapshot as JSON, with changes."""
    item = {"label": "uname", "status": "ok", "exit_code": 0, "reason": "", "seconds": 0.1, "text": ["Linux", ""]}
    whole: dict[str, Any] = {
        "schema_version": 1, "kind": "host", "tool": {"name": "sgltriage", "version": "0.1.0"}, "recorded": "then",
        "redacted": {"api_key": 2}, "probes": {"os": [item]},
    }  # fmt: skip
    return whole | changes


def read(item: dict[str, Any]) -> Transcript:
    """The only transcript of a snapshot that holds ``item``."""
    (found,) = from_json(json.dumps(record(probes={"os": [item]}))).transcripts["os"]
    return found


@given(SNAPSHOTS)
def test_what_is_written_is_read(snapshot: Snapshot) -> None:
    """Nothing is lost or changed, whatever stands in the texts."""
    text = to_json(snapshot)
    assert from_json(text) == snapshot
    assert to_json(from_json(text)) == text


def test_equal_snapshots_give_equal_text() -> None:
    """The order in which probes were ready and secrets were found does not show."""
    one, two = (Transcript("a", "ok", "1\n2"),), (Transcript("b", "denied"),)
    forwards = Snapshot({"x": one, "y": two}, {"token": 1, "key": 2})
    backwards = Snapshot({"y": two, "x": one}, {"key": 2, "token": 1})
    assert to_json(forwards) == to_json(backwards)
    assert to_json(forwards).endswith("}\n")


def test_a_text_is_stored_line_by_line() -> None:
    """So that people and diff can read the file."""
    stored = json.loads(to_json(Snapshot({"os": (Transcript("a", "ok", "one\ntwo\n"),)}, {})))
    assert stored["probes"]["os"][0]["text"] == ["one", "two", ""]


def test_what_is_not_stated_has_a_default() -> None:
    """A later release may leave out what is empty."""
    assert read({"label": "a", "status": "ok", "text": []}) == Transcript("a", "ok")
    assert from_json('{"kind": "host", "schema_version": 1, "probes": {}}') == Snapshot({}, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("[", "Expecting value"),
        ("[1]", "'kind' is not 'host'"),
        ("null", "'kind' is not 'host'"),
        ('{"kind": "report"}', "'kind' is not 'host'"),
        ("[" * 200_000, "nested too deeply"),
        (json.dumps(record(schema_version=2)), "schema_version 2 is not 1"),
        (json.dumps(record(schema_version="1")), "schema_version '1' is not 1"),
        (json.dumps(record(probes=[])), "AttributeError"),
        (json.dumps(record(probes={"os": 5})), "TypeError"),
        (json.dumps(record(probes={"os": [5]})), "AttributeError"),
        (json.dumps(record(probes={"os": [{}]})), "KeyError: 'status'"),
        (json.dumps(record(redacted={"key": "many"})), "invalid literal"),
        (json.dumps(record(redacted=[1])), "AttributeError"),
        (json.dumps(record(tool="mine")), "AttributeError"),
    ],
)
def test_what_is_no_snapshot(text: str, said: str) -> None:
    """One error with one reason, of one line."""
    with pytest.raises(ValueError) as caught:
        from_json(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "great"}, {"status": ["ok"]}, {"status": None}, {"text": 7}, {"text": None}, {"seconds": "long"}, {"seconds": float("nan")},
        {"seconds": []},
    ],
)  # fmt: skip
def test_a_transcript_of_another_form(change: dict[str, Any]) -> None:
    """It is refused as a whole: half a snapshot would be taken for all that a host says."""
    with pytest.raises(ValueError):
        read({"label": "a", "status": "ok", "text": [""]} | change)


@pytest.mark.parametrize("where", ['"redacted": {"key": 1e999}', '"probes": {"os": [{"label": "a", "status": "ok", "text": [], "seconds": 1' + "0" * 400 + "}]}"])  # fmt: skip
def test_numbers_that_are_too_large(where: str) -> None:
    """They are refused like any other text that is none of ours."""
    with pytest.raises(ValueError):
        from_json('{"kind": "host", "schema_version": 1, "probes": {}, ' + where + "}")


def test_a_file_that_is_too_long_is_not_parsed() -> None:
    """Nobody's host says that much."""
    with pytest.raises(ValueError, match="longer than 64 MiB"):
        from_json(" " * (64 * 2**20 + 1))


@given(JSON, st.sampled_from(["probes", "redacted", "tool", "recorded", "schema_version"]))
def test_any_json_is_read_or_refused(value: Any, key: str) -> None:
    """Nothing but ValueError, whatever stands where."""
    try:
        from_json(json.dumps(record(**{key: value})))
    except ValueError:
        return


@given(JSON, st.sampled_from(["label", "status", "exit_code", "reason", "text"]))
def test_any_transcript_is_read_or_refused(value: Any, key: str) -> None:
    """Nor inside a transcript; and what is read has the types that the parsers count on."""
    try:
        item = read({"label": "a", "status": "ok", "text": ["b"]} | {key: value})
    except ValueError:
        return
    assert isinstance(item.label, str)
    assert isinstance(item.text, str)
    assert isinstance(item.reason, str)
    assert item.exit_code is None or isinstance(item.exit_code, int)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but ValueError."""
    with pytest.raises(ValueError):
        from_json(text)
