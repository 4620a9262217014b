"""The logs in fixtures/ through the whole pipeline: what each must answer, and the bytes of every format for four of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from syrupy.extensions.single_file import SingleFileSnapshotExtension

from triage.engine import scan_inputs
from triage.reading.inputs import open_inputs
from triage.reading.source import ReadError
from triage.reporting.outlet import Outlet
from triage.reporting.render import FORMATS, render
from triage.safety.redact import Redactor

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from triage.knowledge.compiled import Knowledge
    from triage.model import Report

LOGS = Path(__file__).resolve().parent.parent / "fixtures" / "logs"
NAMES = sorted(path.parent.name for path in LOGS.glob("*/expected.yaml"))
GOLDEN = ("api-key-port-in-use", "eight-ranks-nccl-waiters", "ray-sgl-kernel-abi", "unknown-plugin-failure")
SUFFIXES = {
    "text": "txt",
    "concise": "txt",
    "json": "json",
    "jsonl": "jsonl",
    "markdown": "md",
    "sarif": "sarif",
}


def report_on(name: str, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> Report:
    """The report on all files of a fixture, named relative to its folder; no release of ours is written into it."""
    monkeypatch.chdir(LOGS / name)
    files = sorted(path.name for path in Path().iterdir() if path.name != "expected.yaml")
    inputs = list(open_inputs(files, stdin=None))
    assert not any(isinstance(item, ReadError) for item in inputs)
    result = scan_inputs(inputs, knowledge)
    assert result.unreadable == []
    return replace(result.report, tool_version="0.0.0")


def expected(name: str) -> dict[str, Any]:
    """What the fixture promises."""
    found = yaml.safe_load((LOGS / name / "expected.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_there_are_fixtures() -> None:
    """An empty folder would make all tests here pass."""
    assert len(NAMES) >= 30
    assert set(GOLDEN) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_first_answer(name: str, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cause that comes first is the one that broke the server, or there is none."""
    report = report_on(name, knowledge, monkeypatch)
    wanted = expected(name)["first"]
    roots = [item.id for item in report.diagnoses]
    assert (roots[0] if roots else None) == wanted, [(item.id, item.confidence) for item in report.diagnoses]


@pytest.mark.parametrize("name", NAMES)
def test_verdict(name: str, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report ends in one of the verdicts that the fixture allows."""
    assert report_on(name, knowledge, monkeypatch).verdict.value in expected(name)["verdict"]


@pytest.mark.parametrize("name", [name for name in NAMES if expected(name).get("explains")])
def test_consequences_are_explained(name: str, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """What followed from the cause is accounted for by it, and is no answer beside it."""
    report = report_on(name, knowledge, monkeypatch)
    wanted = set(expected(name)["explains"])
    assert wanted <= set(report.diagnoses[0].explains)
    assert not wanted & {item.id for item in report.diagnoses}


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_leaves(name: str, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a fixture marks as a sentinel is printed, in any format."""
    report = report_on(name, knowledge, monkeypatch)
    for fmt in FORMATS:
        assert "SENTINEL" not in "".join(render(report, fmt, Outlet(Redactor(b"salt"))))


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("name", GOLDEN)
def test_golden(
    name: str, fmt: str, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """The bytes of the whole way from a log to a format: whoever changes them sees it and says why."""
    report = report_on(name, knowledge, monkeypatch)
    text = "".join(render(report, fmt, Outlet(Redactor(b"golden"))))
    extension = type("Golden", (SingleFileSnapshotExtension,), {"file_extension": SUFFIXES[fmt]})
    assert text.encode() == snapshot.use_extension(extension)
