"""The case of a diagnosis: from a report of now, and from a report that was written down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.engine import scan_text
from triage.fixing.case import PHASE, CaseError, case_from_record, case_of
from triage.knowledge.compiled import Knowledge
from triage.model import Report
from triage.playbook import Case
from triage.reporting.outlet import Outlet
from triage.reporting.render import render
from triage.safety.redact import Redactor

LOG = Path(__file__).parents[2] / "fixtures" / "logs" / "libcudnn-import" / "server.log"


def evidence(number: int, source: str = "a.log", **captures: object) -> dict[str, object]:
    """A line of evidence."""
    return {"source": source, "line": number, "decibans": number, "captures": captures}


def record(*diagnoses: object, **more: object) -> dict[str, object]:
    """A report as JSON."""
    return {"schema_version": 1, "diagnoses": list(diagnoses), **more}


def test_the_strongest_evidence_wins() -> None:
    """Of two captures of one name the one of the stronger line counts, with its place."""
    found = {"id": "x", "phase": "launch", "evidence": [evidence(9, port="2"), evidence(3, port="1", host="h")]}
    case = case_from_record(record(found), None)
    assert case.captures == {"port": "2", "host": "h"}
    assert case.origins == {"capture port": "a.log:9", "capture host": "a.log:3"}
    assert (case.diagnosis, case.facts) == ("x", {PHASE: "launch"})


def test_the_launch_of_the_same_source() -> None:
    """A report of several servers: the command of the one that failed."""
    found = {"id": "x", "evidence": [evidence(1, "b.log")]}
    launches = [{"source": "a.log", "command": ["a"]}, {"source": "b.log", "command": ["b", "--port", "1"]}]
    assert case_from_record(record(found, launches=launches), "x").facts["launch.command"] == ("b", "--port", "1")
    assert case_from_record(record({"id": "x"}, launches=launches), "x").facts["launch.command"] == ("a",)


def test_what_is_not_known_is_no_fact() -> None:
    """A report without a phase has none: no text "None" by which steps would be chosen."""
    assert PHASE not in case_from_record(record({"id": "x"}), "x").facts


@pytest.mark.parametrize(("data", "wanted", "said"), [
    ([], None, "this is not a report"), ({"schema_version": 2}, None, "this is not a report"),
    (record(), None, "the report has no diagnosis to fix"), (record(), "x", "it has none"),
    (record({"id": "port-in-use"}), "port-in-us", "it has port-in-use; did you mean 'port-in-use'?"),
    (record(diagnoses="text"), None, "no diagnosis to fix"),
])  # fmt: skip
def test_what_is_no_case(data: object, wanted: str | None, said: str) -> None:
    """It is said in one line."""
    with pytest.raises(CaseError, match=said.replace("?", r"\?")) as raised:
        case_from_record(data, wanted)
    assert "\n" not in str(raised.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries(
    {"schema_version": st.just(1), "diagnoses": st.lists(st.fixed_dictionaries({"id": st.just("x")}, optional={
        "evidence": st.lists(st.fixed_dictionaries({}, optional={
            "source": JSON, "line": JSON, "decibans": JSON, "captures": JSON}), max_size=3) | JSON, "phase": JSON}) | JSON, max_size=3)},
    optional={"facts": JSON, "launches": JSON, "inputs": JSON},
))  # fmt: skip
def test_any_report_is_a_case_or_none(data: dict[str, Any]) -> None:
    """A report is a file that anybody may have written: it never breaks us, and holds scalars and flat lists only."""
    try:
        case = case_from_record(data, None)
    except CaseError:
        return
    values = [*case.facts.values(), *case.captures.values()]
    scalars = (str, int, float, bool, type(None))
    assert all(
        isinstance(value, scalars) or (isinstance(value, tuple) and all(isinstance(item, scalars) for item in value))
        for value in values
    )
    assert all(isinstance(path, str) for path in case.inputs)


def test_a_deep_report() -> None:
    """Lists in lists, to any depth that JSON can be read with."""
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    case = case_from_record(record({"id": "x", "evidence": [evidence(1, port=deep)]}, facts={"a": deep}), "x")
    assert case.captures == {"port": ()}


@pytest.fixture(scope="module")
def report(knowledge: Knowledge) -> Report:
    """A real log, scanned."""
    return scan_text(LOG.read_bytes(), knowledge)


def test_written_down_and_read_it_is_the_same_case(report: Report) -> None:
    """What a fix takes from a report does not depend on whether it was written to a file in between."""
    first = report.diagnoses[0]
    now = case_of(report, first.id)
    read = case_from_record(json.loads("".join(render(report, "json", Outlet(Redactor())))), first.id)
    assert now.diagnosis == read.diagnosis == first.id
    assert now.captures == read.captures
    assert now.facts[PHASE] == read.facts[PHASE]
    assert {name: now.origins[name] for name in read.origins} == read.origins


def test_a_diagnosis_that_is_not_there(report: Report) -> None:
    """Those that are there are named."""
    with pytest.raises(CaseError, match=report.diagnoses[0].id):
        case_of(report, "nonsense")
    assert isinstance(case_of(report, report.diagnoses[0].id), Case)
