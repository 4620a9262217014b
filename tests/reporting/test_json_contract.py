"""The JSON report is a contract: it obeys its published schema and never changes by itself."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from triage.model import Fact, Report

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA: dict[str, Any] = json.loads(
    files("triage.reporting").joinpath("report.schema.json").read_text(encoding="utf-8")
)
DESIGNED = [
    "schema_version", "tool", "verdict", "inputs", "diagnoses", "unexplained", "facts", "probes", "limits_hit", "redacted",
    "facts_by_source", "rejected", "phase", "launches", "unexplained_count",
]  # fmt: skip


def document(text: str) -> dict[str, Any]:
    """The parsed report."""
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_the_schema_is_a_schema() -> None:
    """It obeys JSON Schema 2020-12 itself."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_report_obeys_the_schema(
    crash: Report, healthy: Report, unknown: Report, about: Callable[[str], Report], printed: Callable[..., str]
) -> None:
    """All kinds of reports do, hostile ones too."""
    for report in (crash, healthy, unknown, about("\x1b[2J'\"\\")):
        jsonschema.Draft202012Validator(SCHEMA).validate(document(printed(report, "json")))


@pytest.mark.parametrize("key", DESIGNED)
def test_a_missing_key_breaks_the_schema(key: str, crash: Report, printed: Callable[..., str]) -> None:
    """Every designed key is there, and the schema insists on it."""
    report = document(printed(crash, "json"))
    del report[key]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(report)


def test_the_schema_knows_every_key(crash: Report, printed: Callable[..., str]) -> None:
    """Nothing is printed that the schema does not describe."""
    report = document(printed(crash, "json"))
    assert list(report) == list(SCHEMA["properties"])
    for name, items in (
        ("diagnosis", [{**item, "severity_then": "fatal"} for item in report["diagnoses"]]),
        ("unexplained", report["unexplained"]),
        ("launch", report["launches"]),
    ):
        assert [list(item) for item in items] == [list(SCHEMA["$defs"][name]["properties"])] * len(items)


def test_deterministic(crash: Report, printed: Callable[..., str]) -> None:
    """Equal reports print equal bytes."""
    assert printed(crash, "json") == printed(crash, "json")


def test_numbers(crash: Report, printed: Callable[..., str]) -> None:
    """Confidence has three digits, decibans one, and infinity, which JSON lacks, is a large number."""
    report = document(printed(crash, "json"))
    assert report["diagnoses"][0]["confidence"] == 0.971
    assert report["diagnoses"][0]["decibans"] == 15.2
    assert report["rejected"] == [
        {"id": "gpu-oom-runtime", "reason": "ruled out: no allocation failed", "decibans": -999.9}
    ]
    odd = replace(
        crash.observation, facts=(Fact("a", math.inf, ""), Fact("b", math.nan, ""), Fact("c", (1, (2.5, None)), ""))
    )
    assert document(printed(replace(crash, observation=odd), "json"))["facts"] == {
        "a": "inf",
        "b": "nan",
        "c": [1, [2.5, None]],
    }


def test_next_steps(crash: Report, printed: Callable[..., str]) -> None:
    """A step is a probe or a question, by its key."""
    steps = document(printed(crash, "json"))["diagnoses"][0]["next"]
    assert [sorted(step) for step in steps] == [["cost_s", "gain_bits", "probe"], ["cost_s", "gain_bits", "question"]]


def test_complete_whatever_people_are_shown(unknown: Report, printed: Callable[..., str]) -> None:
    """The number of unexplained lines for people does not shorten JSON."""
    assert len(document(printed(unknown, "json", unexplained=0))["unexplained"]) == 2


def test_top(crash: Report, printed: Callable[..., str]) -> None:
    """Who asks for one diagnosis gets one."""
    assert len(document(printed(crash, "json", top=1))["diagnoses"]) == 1


def test_redacted_counts_the_whole_output(crash: Report, printed: Callable[..., str]) -> None:
    """As many tokens stand in the document as it says were put there."""
    text = printed(crash, "json")
    assert document(text)["redacted"] == {"api_key": text.count("‹api_key:")}


def test_jsonl_kinds(crash: Report, printed: Callable[..., str]) -> None:
    """One object a line: inputs, diagnoses, unexplained lines, and the summary last."""
    records = [json.loads(line) for line in printed(crash, "jsonl").splitlines()]
    assert [record["kind"] for record in records] == [
        "input",
        "diagnosis",
        "diagnosis",
        "diagnosis",
        "unexplained",
        "summary",
    ]
    assert [record["recovered"] for record in records if record["kind"] == "diagnosis"] == [False, False, True]
    assert records[-1]["verdict"] == "confirmed"
    assert records[-1]["exit"] == 1


def test_jsonl_and_json_tell_the_same(crash: Report, printed: Callable[..., str]) -> None:
    """The records of both formats are alike."""
    report = document(printed(crash, "json"))
    records = [json.loads(line) for line in printed(crash, "jsonl").splitlines()]
    assert records[1] == {"kind": "diagnosis", **report["diagnoses"][0]}
    assert records[4] == {"kind": "unexplained", **report["unexplained"][0]}
