"""What tests of listeners share: events as they are told, and clocks that are set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from prometheus_client.openmetrics import parser

from triage.model import Observation, Report, Severity, Verdict
from triage.reporting.event_text import event_json
from triage.reporting.outlet import Outlet
from triage.safety.redact import Redactor
from triage.watching.alert_gate import AlertGate
from triage.watching.events import Event, EventKind
from triage.watching.fan_out import Notes
from triage.watching.listener import Told
from triage.watching.session import Ended

ENDED = Ended("sources", Report(Verdict.HEALTHY, Observation()))


class Clock:
    """Monotonic seconds that stand still until they are moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def appeared(sequence: int, identifier: str = "gpu-oom", *, confidence: float = 0.99, text: str = "") -> Told:
    """A diagnosis of severity fatal appears."""
    kind = EventKind.APPEARED
    return Told(sequence, 1_700_000_000.25, Event(kind, identifier, "Out of memory", "fatal", confidence, text=text))


def resolved(sequence: int, identifier: str = "gpu-oom") -> Told:
    """It is over."""
    return Told(sequence, 1_700_000_001.5, Event(EventKind.RESOLVED, identifier, "Out of memory", "fatal", before=0.99))


def gate(cooldown_s: float = 0.0, clock: Clock | None = None, least: Severity = Severity.ERROR) -> AlertGate:
    """A gate on a clock that stands still."""
    return AlertGate(least, cooldown_s, clock or Clock())


def encode(told: Told) -> str:
    """The event as JSON, as the command does it."""
    return event_json(told, Outlet(Redactor(b"salt")))


def sequences(bodies: Sequence[bytes]) -> list[int]:
    """The sequence numbers of JSON events."""
    return [json.loads(body)["sequence"] for body in bodies]


def families(text: str) -> list[Any]:
    """What a parser of OpenMetrics makes of a scrape: its families, with samples."""
    parse: Any = parser.text_string_to_metric_families  # it has no types
    return list(parse(text))


def samples(text: str) -> dict[str, float]:
    """Every sample of a scrape, by its name and the values of its labels."""
    found = [sample for family in families(text) for sample in family.samples]
    return {" ".join([sample.name, *sample.labels.values()]): sample.value for sample in found}


def texts(notes: Notes) -> list[str]:
    """The notes since the last call."""
    return [event.text for event in notes.take()]
