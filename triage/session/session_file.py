"""A session as one file: saved in one step, resumed where it was made, read anywhere with the same diagnoses."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triage import __version__
from triage.knowledge.compiled import Knowledge
from triage.model import Fact, Finding, Observation, Report
from triage.private_cache import put_in_place
from triage.probing.snapshot import Snapshot, from_json, to_json
from triage.records import replace
from triage.safety.redact import Redactor
from triage.session.codec import CodecError, from_plain, to_plain
from triage.session.redacting import redacted
from triage.session.session import Now, Session, utc_now
from triage.session.state import State

SCHEMA_VERSION = 1
MAX_BYTES = 64 << 20
"""A larger file is not read, and none is written: what a session keeps is capped long before."""

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_MACHINE_ID = Path("/etc/machine-id")


class SessionFileError(ValueError):
    """A session that cannot be written or read, in one line: ``path: what``, with the place in the file."""


def save_session(session: Session, path: Path, redactor: Redactor | None = None) -> dict[str, int]:
    """Write ``session`` to ``path``, for us alone to read; how many secrets of each kind were replaced.

    Raises:
        SessionFileError: it cannot be written; what stood there before still does.
    """
    redactor = redactor or Redactor()
    record = session_record(session, redactor)
    data = json.dumps(record, ensure_ascii=True, indent=1).encode("ascii") + b"\n"
    if len(data) > MAX_BYTES:
        raise SessionFileError(
            f"{path}: the session would take {len(data) >> 20} MiB, and {MAX_BYTES >> 20} are the most"
        )
    try:
        put_in_place(path, [data])
    except OSError as error:
        raise SessionFileError(f"{path}: cannot be written: {error.strerror}") from error
    return redactor.counts


def session_record(session: Session, redactor: Redactor) -> dict[str, Any]:
    """The file's JSON. The report is kept beside all that it follows from: elsewhere other knowledge may weigh otherwise."""
    state, report = session.state, session.report
    seen, logs = report.observation, state.observation
    added = {"facts": seen.facts[len(logs.facts) :], "findings": seen.findings[len(logs.findings) :]}
    record = {
        "schema_version": SCHEMA_VERSION,
        "kind": "session",
        "tool": {"name": "sgltriage", "version": __version__},
        "saved": session.time,
        "machine": _mark(secrets.token_hex(8)),
        "state": to_plain(redacted(replace(state, host=None), redactor)),
        # Transcripts were redacted when they were taken.
        "host": None if state.host is None else json.loads(to_json(state.host)),
        "report": to_plain(redacted(replace(report, observation=Observation()), redactor)),
        "added": {name: to_plain(redacted(items, redactor)) for name, items in added.items()},
    }
    return {**record, "redacted": dict(sorted(redactor.counts.items()))}


def load_session(path: Path, knowledge: Knowledge, *, now: Now = utc_now) -> Session:
    """The session of a file: as it was where it was made, and frozen elsewhere.

    Raises:
        SessionFileError: it cannot be read, or is damaged.
    """
    record = _parsed(path, _read(path))
    try:
        return session_of_record(record, knowledge, now=now)
    except CodecError as error:
        raise SessionFileError(f"{path}: {error}") from error
    except RecursionError:
        raise SessionFileError(f"{path}: nested too deeply") from None


def session_of_record(record: Mapping[str, Any], knowledge: Knowledge, *, now: Now = utc_now) -> Session:
    """What ``session_record`` gave, from anybody.

    Raises:
        CodecError: with the place of what is wrong.
    """
    if record.get("kind") != "session":
        raise CodecError("kind", "this is not a session of 'sgltriage walk' or 'sgltriage tui'")
    if record.get("schema_version") != SCHEMA_VERSION:
        raise CodecError("schema_version", f"{record.get('schema_version')!r} is not {SCHEMA_VERSION}")
    told = {name: item for name, item in _object(record, "state").items() if name != "host"}
    state = replace(from_plain(State, told, "state"), host=_host(record.get("host")))
    report = from_plain(Report, record.get("report"), "report")
    machine = _object(record, "machine")
    if machine == _mark(str(machine.get("salt", ""))):
        return Session(state, knowledge, now=now)
    added = _object(record, "added")
    seen = replace(
        state.observation,
        facts=(*state.observation.facts, *_items(Fact, added, "facts")),
        findings=(*state.observation.findings, *_items(Finding, added, "findings")),
    )
    return Session(state, knowledge, recorded=replace(report, observation=seen), now=now)


def _items(kind: type[Any], added: Mapping[str, Any], name: str) -> list[Any]:
    items = added.get(name)
    if not isinstance(items, list):
        raise CodecError(f"added.{name}", "a list is missing")
    return [from_plain(kind, item, f"added.{name}[{number}]") for number, item in enumerate(items)]


def _host(data: object) -> Snapshot | None:
    if data is None:
        return None
    try:
        return from_json(json.dumps(data))
    except ValueError as error:
        raise CodecError("host", str(error)) from error


def _object(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = record.get(name)
    if not isinstance(found, dict):
        raise CodecError(name, "an object is missing")
    return found


def _mark(salt: str) -> dict[str, Any]:
    """What tells this machine from others, and tells nobody which it is."""
    try:
        machine = _MACHINE_ID.read_bytes()
    except OSError:
        machine = b""
    told = b"\0".join(
        (salt.encode("utf-8", "surrogatepass"), machine, os.uname().nodename.encode(), str(os.getuid()).encode())
    )
    return {"salt": salt, "mark": hashlib.blake2b(told, digest_size=16).hexdigest()}


def _read(path: Path) -> bytes:
    try:
        # A named pipe in its place must not make us wait.
        with open(os.open(path, _READ), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise SessionFileError(f"{path}: not a regular file")
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise SessionFileError(f"{path}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise SessionFileError(f"{path}: larger than {MAX_BYTES >> 20} MiB")
    return data


def _parsed(path: Path, data: bytes) -> dict[str, Any]:
    try:
        record = json.loads(data)
    except json.JSONDecodeError as error:
        raise SessionFileError(f"{path}:{error.lineno}:{error.colno}: this is no JSON: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise SessionFileError(f"{path}: byte {error.start} is no text") from error
    except RecursionError:
        raise SessionFileError(f"{path}: nested too deeply") from None
    except ValueError as error:
        raise SessionFileError(f"{path}: {error}") from error
    if not isinstance(record, dict):
        raise SessionFileError(f"{path}: this is no session: not an object")
    return record
