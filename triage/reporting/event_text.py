"""Events of a watched server: a line each for people, a JSON object each for programs (``event.schema.json``)."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from triage.reporting import words

if TYPE_CHECKING:
    from triage.reporting.outlet import Outlet
    from triage.watching.events import Event
    from triage.watching.listener import Told

SCHEMA_VERSION = 1
_MARKS = {
    "diagnosis-appeared": "+", "diagnosis-rose": "^", "diagnosis-fell": "v", "diagnosis-explained": "<",
    "diagnosis-resolved": "-", "diagnosis-withdrawn": "-", "verdict": "=", "phase": ">", "slow-phase": "~", "stall": "~",
    "stall-over": "-", "note": "!",
}  # fmt: skip


def event_line(told: Told, outlet: Outlet) -> str:
    """``09:14:41 + fatal gpu-oom-weights 99%  server.log:12  message``, in local time."""
    event = told.event
    kind = event.kind.value
    parts = [time.strftime("%H:%M:%S", time.localtime(told.at)), _MARKS[kind]]
    if kind.startswith("diagnosis"):
        parts += [event.severity, outlet.show(event.id), _confidence(event, outlet), "again" * event.again]
        parts += [f" {outlet.show(event.place.source)}:{event.place.line}"] if event.place else []
        parts += [f" {words.message(outlet.show(event.text), event.place)}"] if event.text else []
    elif kind == "verdict":
        parts += [kind, event.state]
    elif kind == "phase":
        lasted = f"  after {event.seconds:.1f} s" if event.seconds is not None else ""
        parts += [outlet.show(event.id), event.state + lasted]
    elif kind == "note":
        parts += [outlet.show(event.id), outlet.show(event.text)]
    else:
        parts += [outlet.show(event.id), kind, outlet.show(event.state), _duration(event)]
        parts += [f" {outlet.show(text)}" for text in (event.text, event.advice) if text]
    return " ".join(filter(None, parts))


def event_json(told: Told, outlet: Outlet, labels: Sequence[tuple[str, str]] = ()) -> str:
    """One object, without a line end. ``labels`` are what the operator calls this watcher."""
    event = told.event
    record: dict[str, object] = {
        "schema_version": SCHEMA_VERSION, "sequence": told.sequence, "time": _timestamp(told.at), "event": event.kind.value,
        "id": outlet.show(event.id),
    }  # fmt: skip
    optional = {
        "title": outlet.show(event.title), "severity": event.severity, "by": outlet.show(event.by),
        "text": outlet.show(event.text), "state": outlet.show(event.state), "advice": outlet.show(event.advice),
    }  # fmt: skip
    record |= {name: text for name, text in optional.items() if text}
    numbers = {
        "confidence": event.confidence, "before": event.before, "seconds": event.seconds, "usual": event.usual,
    }  # fmt: skip
    record |= {name: round(value, 4) for name, value in numbers.items() if value is not None}
    if event.place is not None:
        record |= {"source": outlet.show(event.place.source), "line": event.place.line}
    if event.again:
        record["again"] = True
    if labels:
        record["labels"] = {outlet.show(name): outlet.show(value) for name, value in labels}
    return json.dumps(record, ensure_ascii=False, allow_nan=False)


def _timestamp(at: float) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    milliseconds = int(at * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000)) + f".{milliseconds % 1000:03d}Z"


def _duration(event: Event) -> str:
    if event.seconds is None:
        return ""
    usual = f" (usually up to {event.usual:.0f} s)" if event.usual is not None else ""
    return f"{event.seconds:.0f} s{usual}"


def _confidence(event: Event, outlet: Outlet) -> str:
    if event.confidence is None:
        return f"explained by {outlet.show(event.by)}" if event.by else event.kind.value.removeprefix("diagnosis-")
    before = f" (was {words.percent(event.before)})" if event.before is not None else ""
    return words.percent(event.confidence) + before
