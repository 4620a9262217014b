"""A host as it was seen: every transcript of every probe, in a file that can be carried elsewhere and read again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from triage.probing.probe import Transcript
from triage.records import dataclass

SCHEMA_VERSION = 1
_MAX_BYTES = 64 << 20
_STATUSES = frozenset({"ok", "absent", "denied", "timed-out", "failed"})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Transcripts by probe, redacted; ``redacted`` counts what was replaced; ``recorded`` is the time of the recording."""

    transcripts: Mapping[str, tuple[Transcript, ...]]
    redacted: Mapping[str, int]
    recorded: str = ""
    tool_version: str = ""


def to_json(snapshot: Snapshot) -> str:
    """The file's text; equal snapshots give equal text."""
    record = {
        "schema_version": SCHEMA_VERSION,
        "kind": "host",
        "tool": {"name": "sgltriage", "version": snapshot.tool_version},
        "recorded": snapshot.recorded,
        "redacted": dict(sorted(snapshot.redacted.items())),
        "probes": {
            name: [
                {
                    "label": item.label,
                    "status": item.status,
                    "exit_code": item.exit_code,
                    "reason": item.reason,
                    "seconds": item.seconds,
                    "text": item.text.split("\n"),
                }
                for item in transcripts
            ]
            for name, transcripts in sorted(snapshot.transcripts.items())
        },
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> Snapshot:
    """What ``to_json`` gave, from anybody.

    Raises:
        ValueError: it is not a snapshot that this release reads; the message says why.
    """
    if len(text) > _MAX_BYTES:
        raise ValueError(f"longer than {_MAX_BYTES >> 20} MiB")
    try:
        record = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(record, dict) or record.get("kind") != "host":
        raise ValueError("not a host snapshot ('kind' is not 'host')")
    if record.get("schema_version") != SCHEMA_VERSION:
        raise ValueError(f"schema_version {record.get('schema_version')!r} is not {SCHEMA_VERSION}")
    try:
        probes = {
            str(name): tuple(_transcript(item) for item in transcripts)
            for name, transcripts in record["probes"].items()
        }
        redacted = {str(name): int(count) for name, count in record.get("redacted", {}).items()}
        version = str(record.get("tool", {}).get("version", ""))
    except (AttributeError, KeyError, OverflowError, TypeError) as error:
        raise ValueError(f"not a host snapshot: {type(error).__name__}: {error}") from error
    return Snapshot(probes, redacted, str(record.get("recorded", "")), version)


def _transcript(item: dict[str, Any]) -> Transcript:
    code = item.get("exit_code")
    status = item["status"]
    if status not in _STATUSES:
        raise ValueError(f"no status {status!r}")
    # JSON can write half a character, which no text that leaves us can hold.
    text = "\n".join(str(line) for line in item["text"]).encode("utf-8", "replace").decode("utf-8")
    seconds = float(item.get("seconds", 0.0))
    if not math.isfinite(seconds):
        raise ValueError(f"not a number of seconds: {seconds}")
    return Transcript(
        str(item["label"]), status, text, code if isinstance(code, int) else None, str(item.get("reason", "")), seconds
    )
