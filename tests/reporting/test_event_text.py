"""Events as lines for people, and as JSON that obeys its published schema."""

from __future__ import annotations

import json
import re
import time
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from triage.model import Place
from triage.reporting.event_text import event_json, event_line
from triage.reporting.outlet import Outlet
from triage.safety.redact import Redactor
from triage.watching.events import Event, EventKind
from triage.watching.listener import Told

SCHEMA: dict[str, Any] = json.loads(files("triage.reporting").joinpath("event.schema.json").read_text(encoding="utf-8"))
AT = 1_700_000_000.25
SECRET = "sk-abcdefghijklmnop1234"
HOSTILE = f"\x1b[2J\u202e\udcff\n\"'\\ api_key={SECRET}"
PLACE = Place("server.log", 12, 400, time="2026-03-01 09:00:00")
EXAMPLES = {
    EventKind.APPEARED: (
        Event(EventKind.APPEARED, "gpu-oom", "Out of memory", "fatal", 0.994, text="[2026-03-01 09:00:00] out of memory", place=PLACE),
        "+ fatal gpu-oom 99%  server.log:12  out of memory",
    ),
    EventKind.ROSE: (Event(EventKind.ROSE, "gpu-oom", "O", "fatal", 0.9, 0.4), "^ fatal gpu-oom 90% (was 40%)"),
    EventKind.FELL: (Event(EventKind.FELL, "gpu-oom", "O", "fatal", 0.4, 0.9), "v fatal gpu-oom 40% (was 90%)"),
    EventKind.EXPLAINED: (
        Event(EventKind.EXPLAINED, "cascade", "C", "error", before=0.9, by="gpu-oom"), "< error cascade explained by gpu-oom",
    ),
    EventKind.RESOLVED: (Event(EventKind.RESOLVED, "gpu-oom", "O", "fatal", before=0.9), "- fatal gpu-oom resolved"),
    EventKind.WITHDRAWN: (Event(EventKind.WITHDRAWN, "gpu-oom", "O", "fatal", before=0.9), "- fatal gpu-oom withdrawn"),
    EventKind.VERDICT: (Event(EventKind.VERDICT, state="confirmed"), "= verdict confirmed"),
    EventKind.PHASE: (Event(EventKind.PHASE, "server.log", state="serving", seconds=8.64), "> server.log serving  after 8.6 s"),
    EventKind.SLOW_PHASE: (
        Event(EventKind.SLOW_PHASE, "server.log", state="weights", seconds=1900.0, usual=1800.0, advice="iostat -x 5"),
        "~ server.log slow-phase weights 1900 s (usually up to 1800 s)  iostat -x 5",
    ),
    EventKind.STALL: (
        Event(EventKind.STALL, "server.log", text="no batch line", state="TP3", seconds=45.0, advice="py-spy dump"),
        "~ server.log stall TP3 45 s  no batch line  py-spy dump",
    ),
    EventKind.STALL_OVER: (Event(EventKind.STALL_OVER, "server.log", seconds=61.0), "- server.log stall-over 61 s"),
    EventKind.NOTE: (Event(EventKind.NOTE, "server.log", text="the file was rotated"), "! server.log the file was rotated"),
}  # fmt: skip


def outlet() -> Outlet:
    """One with a fixed salt."""
    return Outlet(Redactor(b"salt"))


def record(event: Event, labels: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """The parsed JSON of an event, which obeys the schema."""
    found: dict[str, Any] = json.loads(event_json(Told(3, AT, event), outlet(), labels))
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


def test_the_schema_is_a_schema() -> None:
    """It obeys JSON Schema 2020-12 itself, and knows every kind of event."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["properties"]["event"]["enum"]) == {kind.value for kind in EventKind}
    assert set(EXAMPLES) == set(EventKind)


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind(kind: EventKind) -> None:
    """Has a line, and JSON that obeys the schema."""
    event, line = EXAMPLES[kind]
    assert event_line(Told(3, AT, event), outlet()) == time.strftime("%H:%M:%S ", time.localtime(AT)) + line
    assert record(event)["event"] == kind.value


def test_the_schema_knows_every_key() -> None:
    """An event that has everything prints every key of the schema and no other, in its order."""
    numbers = {"confidence": 0.5, "before": 0.25, "seconds": 1.0, "usual": 2.0}
    texts = {item.name: "warning" for item in fields(Event) if item.name not in (*numbers, "kind", "place")}
    event = Event(EventKind.APPEARED, place=PLACE, **numbers, **texts)  # type: ignore[arg-type]
    assert list(record(event, (("host", "node7"),))) == list(SCHEMA["properties"])


@pytest.mark.parametrize("key", ["schema_version", "sequence", "time", "event", "id"])
def test_a_missing_key_breaks_the_schema(key: str) -> None:
    """What every event has, the schema insists on."""
    found = record(EXAMPLES[EventKind.NOTE][0])
    del found[key]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(found)


def test_time_is_utc_to_the_millisecond() -> None:
    """Always with three digits."""
    assert record(EXAMPLES[EventKind.NOTE][0])["time"] == "2023-11-14T22:13:20.250Z"


def test_hostile_text() -> None:
    """Is one line, shown and redacted, wherever it stands."""
    for event in (
        Event(EventKind.APPEARED, HOSTILE, HOSTILE, "fatal", 0.9, text=HOSTILE, place=Place(HOSTILE, 1, 0)),
        Event(EventKind.NOTE, HOSTILE, text=HOSTILE),
        Event(EventKind.STALL, HOSTILE, text=HOSTILE, state=HOSTILE, seconds=1.0, advice=HOSTILE),
        Event(EventKind.EXPLAINED, HOSTILE, severity="error", by=HOSTILE),
    ):
        told = Told(1, AT, event)
        shown = event_line(told, outlet()) + event_json(told, outlet(), (("host", HOSTILE),))
        assert SECRET not in shown
        assert shown.isprintable()


def test_the_document_shows_what_is_so() -> None:
    """Its example obeys the schema, and it names every kind of event and every key."""
    text = (Path(__file__).parents[2] / "docs" / "watching.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(example))
    for name in (*SCHEMA["properties"], *SCHEMA["properties"]["event"]["enum"]):
        assert f"`{name}`" in text, name
