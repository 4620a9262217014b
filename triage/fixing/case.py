"""What is known of one failure, from a report: the facts and captures that a playbook may take values from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from triage.knowledge.errors import did_you_mean
from triage.model import Diagnosis, Fact, Report, Value
from triage.playbook import Case

PHASE = "diagnosis.phase"
"""A fact of our own making: in which phase of its life the server failed, by which playbooks choose steps."""


class CaseError(ValueError):
    """A report that cannot be used, in one line."""


def case_of(report: Report, identifier: str) -> Case:
    """The case of the diagnosis ``identifier`` of a report that was made just now.

    Raises:
        CaseError: the report has no such diagnosis.
    """
    found = next((item for item in report.diagnoses if item.id == identifier), None)
    if found is None:
        raise CaseError(_no_diagnosis(identifier, [item.id for item in report.diagnoses]))
    source = next((entry.place.source for entry in found.ledger if entry.place is not None), "")
    facts = list(_facts_for(source, report.observation.facts))
    captures = dict(_captures(found))
    launch = next((item for item in report.observation.launches if item.source == source and item.command), None)
    launch = launch or next((item for item in report.observation.launches if item.command), None)
    own: dict[str, Value] = {PHASE: found.phase.value} | ({"launch.command": launch.command} if launch else {})
    return Case(
        identifier,
        {fact.name: fact.value for fact in facts} | own,
        {name: value for name, (value, _) in captures.items()},
        {fact.name: fact.origin for fact in facts}
        | {f"capture {name}": place for name, (_, place) in captures.items()},
        tuple(item.path for item in report.observation.inputs),
    )


def _facts_for(source: str, facts: Sequence[Fact]) -> Iterator[Fact]:
    """Facts of other sources first, so that those of the diagnosis's own source and of the host win."""
    yield from (fact for fact in facts if fact.source not in ("", source))
    yield from (fact for fact in facts if fact.source in ("", source))


def _captures(found: Diagnosis) -> Iterator[tuple[str, tuple[Value, str]]]:
    """Captures of the strongest evidence last, so that it wins."""
    for entry in sorted(found.ledger, key=lambda item: item.decibans):
        place = entry.place
        for name, value in entry.captures:
            yield name, (value, f"{place.source}:{place.line}" if place is not None else entry.origin)


def case_from_record(record: object, identifier: str | None) -> Case:
    """The case of a diagnosis (None: the first) of a report that ``scan --format json`` wrote.

    Raises:
        CaseError: this is no such report, or it has no such diagnosis.
    """
    if not isinstance(record, dict) or record.get("schema_version") != 1:
        raise CaseError("this is not a report of 'sgltriage scan --format json'")
    diagnoses = [item for item in _list(record, "diagnoses") if isinstance(item, dict)]
    wanted = identifier if identifier is not None else next((str(item.get("id")) for item in diagnoses), None)
    if wanted is None:
        raise CaseError("the report has no diagnosis to fix")
    found = next((item for item in diagnoses if item.get("id") == wanted), None)
    if found is None:
        raise CaseError(_no_diagnosis(wanted, [str(item.get("id")) for item in diagnoses]))
    evidence = [item for item in _list(found, "evidence") if isinstance(item, dict)]
    captures: dict[str, Value] = {}
    origins: dict[str, str] = {}
    for item in sorted(evidence, key=lambda entry: _number(entry.get("decibans"))):
        for name, value in _mapping(item, "captures").items():
            captures[name] = _value(value)
            origins[f"capture {name}"] = f"{item.get('source', '')}:{item.get('line', '')}"
    source = next((str(item.get("source")) for item in evidence if item.get("source")), "")
    # What sources disagree in stands by itself, and that of the diagnosis's own source counts.
    told = {**_mapping(record, "facts"), **_mapping(_mapping(record, "facts_by_source"), source)}
    facts = {str(name): _value(value) for name, value in told.items()}
    origins |= {str(name): str(place) for name, place in _mapping(record, "fact_origins").items()}
    launches = [item for item in _list(record, "launches") if isinstance(item, dict) and item.get("command")]
    launch = next((item for item in launches if item.get("source") == source), launches[0] if launches else None)
    if isinstance(found.get("phase"), str):
        facts[PHASE] = str(found["phase"])
    if launch is not None:
        facts["launch.command"] = _value(launch["command"])
    inputs = (item.get("path") for item in _list(record, "inputs") if isinstance(item, dict))
    return Case(wanted, facts, captures, origins, tuple(path for path in inputs if isinstance(path, str)))


def _no_diagnosis(identifier: str, known: Sequence[str]) -> str:
    there = f"it has {', '.join(known)}" if known else "it has none"
    return f"the report has no diagnosis '{identifier}'; {there}{did_you_mean(identifier, list(known))}"


def _list(record: Mapping[str, Any], key: str) -> list[object]:
    found = record.get(key)
    return cast("list[object]", found) if isinstance(found, list) else []


def _mapping(record: Mapping[str, Any], key: str) -> dict[str, object]:
    found = record.get(key)
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _value(value: object) -> Value:
    """A scalar, or a list of scalars: reports hold nothing deeper."""
    if isinstance(value, list):
        return tuple(item for item in value if isinstance(item, (str, int, float, bool)))
    return value if isinstance(value, (str, int, float, bool)) else None
