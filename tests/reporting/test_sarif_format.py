"""SARIF 2.1.0 as viewers need it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from triage.model import Report


def run_of(text: str) -> dict[str, Any]:
    """The only run of a log file."""
    log: dict[str, Any] = json.loads(text)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def test_required_keys(
    crash: Report, unknown: Report, healthy: Report, about: Callable[[str], Report], printed: Callable[..., str]
) -> None:
    """What the standard requires is there, in every kind of report."""
    for report in (crash, unknown, healthy, about("x")):
        run = run_of(printed(report, "sarif"))
        driver = run["tool"]["driver"]
        assert driver["name"] == "sgltriage"
        assert run["invocations"][0]["executionSuccessful"] is True
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(set(ids)) == len(ids)
        for result in run["results"]:
            assert ids[result["ruleIndex"]] == result["ruleId"]
            assert result["message"]["text"]
            assert result["level"] in ("none", "note", "warning", "error")
            for location in result["locations"]:
                assert location["physicalLocation"]["region"]["startLine"] >= 1
                assert location["physicalLocation"]["artifactLocation"]["uri"]


def test_results_are_the_diagnoses(crash: Report, printed: Callable[..., str]) -> None:
    """Each with its level, its place and its confidence."""
    run = run_of(printed(crash, "sarif"))
    first, second, unexplained = run["results"]
    assert (first["ruleId"], first["level"], first["properties"]["confidence"]) == (
        "pd-direct-request-prefill",
        "error",
        0.971,
    )
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "logs/prefill.log"
    assert first["locations"][0]["physicalLocation"]["region"]["startLine"] == 12
    assert (second["level"], second["locations"]) == ("warning", [])
    assert (unexplained["ruleId"], unexplained["level"]) == ("unexplained-error", "note")


def test_unknown_is_not_clean(unknown: Report, printed: Callable[..., str]) -> None:
    """Errors that nothing explains are results of level error when there is no answer."""
    run = run_of(printed(unknown, "sarif"))
    assert [result["level"] for result in run["results"]] == ["error", "error"]
    assert run["invocations"][0]["exitCode"] == 1


def test_what_was_not_checked_is_told(healthy: Report, printed: Callable[..., str]) -> None:
    """No result is not the same as nothing found."""
    notes = run_of(printed(healthy, "sarif"))["invocations"][0]["toolExecutionNotifications"]
    assert [note["message"]["text"] for note in notes] == [
        "probe gpu-memory not checked: not-run",
        "probe python-packages not checked: not-run",
    ]


@pytest.mark.parametrize(
    ("source", "uri"),
    [
        ("logs/a b.log", "logs/a%20b.log"),
        ("-", "stdin"),
        ("docker:web", "docker%3Aweb"),
        ("/var/log/a.log", "file:///var/log/a.log"),
        ("logs\\win.log", "logs/win.log"),
        ("caf\udce9.log", "caf%E9.log"),
    ],
)
def test_uris(source: str, uri: str, unknown: Report, printed: Callable[..., str]) -> None:
    """Any source name becomes a valid URI reference, relative if the name is."""
    line = replace(unknown.unexplained[0], place=replace(unknown.unexplained[0].place, source=source))
    run = run_of(printed(replace(unknown, unexplained=(line,)), "sarif"))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_messages_hold_no_links(about: Callable[[str], Report], printed: Callable[..., str]) -> None:
    """SARIF viewers turn brackets into links; those of a log are escaped."""
    run = run_of(printed(about("[x](http://10.0.0.1)"), "sarif"))
    assert all("[x](" not in result["message"]["text"].replace("\\[", "") for result in run["results"])
