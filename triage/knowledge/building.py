"""A decoded record as the model's Signature: apart from the format's description, since a cached record needs only this."""

from __future__ import annotations

from triage.model import (
    Evidence,
    FactTest,
    Location,
    LogCondition,
    LogOperator,
    Pattern,
    Phase,
    Prevalence,
    Provenance,
    Question,
    Role,
    Severity,
    Signature,
    Strength,
    Value,
    VersionRange,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Plain = Any
else:
    Plain = object
"""JSON-able data: dict, list, str, int, float, bool or None."""


def build_signature(record: dict[str, Plain], area: str, location: Location) -> Signature:
    """The model's Signature from a record that SIGNATURE decoded without problems (or that a cache stored)."""
    return Signature(
        id=record["id"],
        title=record["title"].strip(),
        component=record["component"],
        severity=Severity(record["severity"]),
        role=Role(record["role"]),
        prevalence=Prevalence(record["prevalence"]),
        explanation=record["explanation"].strip(),
        fix=record["fix"].strip(),
        safety=record.get("safety", "").strip(),
        versions=tuple(_version(package, value) for package, value in record.get("versions", {}).items()),
        evidence=tuple(_evidence(record["id"], item) for item in record["evidence"]),
        explains=tuple(record.get("explains", ())),
        refines=tuple(record.get("refines", ())),
        confusions=tuple(record.get("confusions", ())),
        playbook=record.get("playbook"),
        references=tuple(record.get("references", ())),
        provenance=tuple(Provenance(item["source"], item.get("releases", "")) for item in record.get("provenance", ())),
        examples=tuple(record["examples"]),
        near_misses=tuple(record["near_misses"]),
        area=area,
        location=location,
    )


def _version(package: str, value: Plain) -> VersionRange:
    return (
        VersionRange(package, value)
        if isinstance(value, str)
        else VersionRange(package, value["range"], value.get("fixed_in"))
    )


def _evidence(owner: str, item: dict[str, Plain]) -> Evidence:
    return Evidence(
        id=item["id"],
        strength=Strength(item["strength"]),
        log=_log(f"{owner}/{item['id']}", item["log"]) if "log" in item else None,
        facts=fact_tests(item.get("fact", {})),
        probe=item.get("probe"),
        question=_question(item["question"]) if "question" in item else None,
        phases=tuple(Phase(name) for name in item.get("phases", ())),
        when=fact_tests(item.get("when", {})),
        label=item.get("label", ""),
        family=item.get("family", ""),
    )


def _question(item: dict[str, Plain]) -> Question:
    return Question(item["ask"], item.get("type", "yes-no"), tuple(item.get("choices", ())))


def _log(key: str, body: dict[str, Plain]) -> LogCondition:
    observable = body.get("observable")
    return LogCondition(
        operator=LogOperator(body["operator"]),
        patterns=tuple(_pattern(f"{key}/{index}", item) for index, item in enumerate(body["patterns"])),
        count=body.get("count", 1),
        within_seconds=body.get("within_seconds"),
        within_lines=body.get("within_lines"),
        by=body.get("by", "source"),
        observable=_pattern(f"{key}/observable", observable) if observable else None,
    )


def _pattern(key: str, item: dict[str, Plain]) -> Pattern:
    return Pattern(
        key,
        item["pattern"],
        item["literal"],
        item.get("unless"),
        tuple(item["captures"].items()),
        tuple(item.get("levels", ())),
        "lines" in item,
    )


def fact_tests(body: dict[str, Plain]) -> tuple[FactTest, ...]:
    """The tests of a decoded mapping of facts."""
    return tuple(FactTest(name, operator, _value(operand)) for name, (operator, operand) in body.items())


def _value(operand: Plain) -> Value:
    return tuple(_value(item) for item in operand) if isinstance(operand, list) else operand
