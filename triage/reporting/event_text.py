"""Events of a watched server: a line each for people, a JSON object each for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from triage.reporting import words

if TYPE_CHECKING:
    from triage.reporting.outlet import Outlet
    from triage.watching.events import Event

SCHEMA_VERSION = 1
_MARKS = {
    "diagnosis-appeared": "+", "diagnosis-rose": "^", "diagnosis-fell": "v", "diagnosis-explained": "<",
    "diagnosis-resolved": "-", "diagnosis-withdrawn": "-", "verdict": "=", "phase": ">", "note": "!",
}  # fmt: skip


def event_line(event: Event, outlet: Outlet, time: str) -> str:
    """``09:14:41 + fatal gpu-oom-weights 99%  server.log:12  message``."""
    parts = [time, _MARKS[event.kind.value]]
    if event.kind.value.startswith("diagnosis"):
        parts += [event.severity, outlet.show(event.id), _confidence(event)]
        parts += [f" {outlet.show(event.place.source)}:{event.place.line}"] if event.place else []
        parts += [f" {words.message(outlet.show(event.text), event.place)}"] if event.text else []
    elif event.kind.value == "phase":
        lasted = f"  after {event.seconds:.1f} s" if event.seconds is not None else ""
        parts += [outlet.show(event.id), event.state + lasted]
    elif event.kind.value == "note":
        parts += [outlet.show(event.id), outlet.show(event.text)]
    else:
        parts += [event.kind.value, event.state]
    return " ".join(filter(None, parts))


def event_json(event: Event, outlet: Outlet, time: str, sequence: int) -> str:
    """One object a line; ``sequence`` counts from 1 without gaps, so that a reader sees what it missed."""
    record: dict[str, object] = {
        "schema_version": SCHEMA_VERSION, "sequence": sequence, "time": time, "event": event.kind.value,
        "id": outlet.show(event.id),
    }  # fmt: skip
    optional = {
        "title": outlet.show(event.title), "severity": event.severity, "by": outlet.show(event.by),
        "text": outlet.show(event.text), "state": event.state,
    }  # fmt: skip
    record |= {name: text for name, text in optional.items() if text}
    numbers = {"confidence": event.confidence, "before": event.before, "seconds": event.seconds}
    record |= {name: round(value, 4) for name, value in numbers.items() if value is not None}
    if event.place is not None:
        record |= {"source": outlet.show(event.place.source), "line": event.place.line}
    return json.dumps(record, ensure_ascii=False)


def _confidence(event: Event) -> str:
    if event.confidence is None:
        return f"explained by {event.by}" if event.by else event.kind.value.removeprefix("diagnosis-")
    before = f" (was {words.percent(event.before)})" if event.before is not None else ""
    return words.percent(event.confidence) + before
