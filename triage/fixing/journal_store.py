"""The journal as bytes: records in a chain of hashes, and files that only we may read and write."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from triage.fixing.programs import places
from triage.records import dataclass

Event: TypeAlias = Literal[
    "plan", "approve", "refuse", "skip", "begin", "end", "verify", "undo-begin", "undo-end", "verdict", "resume", "torn"
]
EVENTS: frozenset[str] = frozenset(get_args(Event))
RESERVED = frozenset({"n", "time", "run", "event", "prev", "hash"})
FIRST_PREV = "0" * 64
"""What the first record names as the hash of the one before it."""


class JournalUnavailable(Exception):  # noqa: N818  (a state of the machine that the runner asks about, by this name)
    """The journal cannot be kept, so nothing may be run; ``str`` tells why."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a journal. ``data`` is everything that its event brought along, as JSON has it."""

    n: int
    time: str
    run: str
    event: Event
    data: Mapping[str, Any]
    prev: str
    hash: str

    @property
    def step(self) -> str | None:
        """The step that the record is about."""
        step = self.data.get("step")
        return step if isinstance(step, str) else None


@dataclass(frozen=True, slots=True)
class ChainBroken:
    """The first line (from 1) that is not what was written, and why. ``torn``: only the last line was never written to its end."""

    line: int
    why: str
    torn: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """The records that stand up to the first fault, and how many bytes they take."""

    records: tuple[Record, ...]
    size: int
    broken: ChainBroken | None


def seal(n: int, time: str, run: str, event: Event, data: Mapping[str, Any], prev: str) -> tuple[Record, bytes]:
    """A record and its line.

    Raises:
        ValueError: unknown event, a name in ``data`` that records have themselves, or no JSON (NaN, bytes, objects).
    """
    if event not in EVENTS:
        raise ValueError(f"no event {event!r}")
    if taken := RESERVED & set(data):
        raise ValueError(f"names of the record itself: {', '.join(sorted(taken))}")
    try:
        # Once there and back: tuples and keys that are numbers are then what they will be when read.
        plain: dict[str, Any] = json.loads(json.dumps(dict(data), allow_nan=False))
    except TypeError as error:
        raise ValueError(str(error)) from error
    body = {"n": n, "time": time, "run": run, "event": event, **plain, "prev": prev}
    digest = _digest(body)
    return Record(n, time, run, event, plain, prev, digest), _canonical({**body, "hash": digest}) + b"\n"


def read_chain(data: bytes) -> Chain:
    """The records of a journal file. Any change of any bit is a fault; lines taken away at the end are none, since whoever
    can write the file can do that too."""
    records: list[Record] = []
    at = 0
    while at < len(data):
        end = data.find(b"\n", at)
        found = _tail(data[at:]) if end < 0 else _record(data[at:end])
        if isinstance(found, Record):
            fault = _misfit(found, records)
            found = ChainBroken(len(records) + 1, fault) if fault else found
        if not isinstance(found, Record):
            return Chain(tuple(records), at, ChainBroken(len(records) + 1, found.why, found.torn))
        records.append(found)
        at = end + 1
    return Chain(tuple(records), at, None if records else ChainBroken(1, "the journal is empty", torn=True))


def _record(line: bytes) -> Record | ChainBroken:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        return ChainBroken(0, "is no JSON")
    # Written in another way than ours it was changed, even if it means the same.
    if not isinstance(body, dict) or not body.keys() >= RESERVED or _canonical(body) != line:
        return ChainBroken(0, "is not of the form that is written")
    digest = body.pop("hash")
    if digest != _digest(body):
        return ChainBroken(0, "its hash does not fit what it says")
    data = {name: value for name, value in body.items() if name not in RESERVED}
    return Record(body["n"], body["time"], body["run"], body["event"], data, body["prev"], digest)


def _misfit(record: Record, before: list[Record]) -> str:
    if record.n != len(before) + 1:
        return f"is number {record.n}, where {len(before) + 1} belongs"
    if record.prev != (before[-1].hash if before else FIRST_PREV):
        return "does not follow the line before it"
    if before and record.run != before[0].run:
        return "is of another run"
    if record.event not in EVENTS or (record.event == "plan") != (not before):
        return f"says {record.event} where that does not belong"
    return ""


def _tail(rest: bytes) -> ChainBroken:
    """Bytes behind the last line feed. Power loss leaves the beginning of a record, or zeros; a whole record and then another
    byte than a line feed was changed by somebody."""
    if isinstance(_record(rest[:-1]), Record):
        return ChainBroken(0, "does not end in a line feed")
    return ChainBroken(0, f"was not written to its end: {len(rest)} bytes of it are there", torn=True)


def _canonical(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(body)).hexdigest()


def open_folder(directory: Path, *, create: bool) -> int:
    """A descriptor of the folder, which must be ours alone (0700), below folders that nobody else can change.

    Raises:
        JournalUnavailable: it is not, is not there, or cannot be made.
    """
    directory = directory.absolute()
    try:
        if create:
            _require_safe_way(next(place for place in directory.parents if place.exists()))
            for place in [*reversed(directory.parents), directory]:
                # One by one: with parents=True those above would be as open as the umask lets them.
                with contextlib.suppress(FileExistsError):
                    place.mkdir(mode=0o700)
        _require_safe_way(directory.parent)
        folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise JournalUnavailable(f"the journal's folder {directory}: {error.strerror}") from error
    _require_ours(folder, directory, stat.S_ISDIR)
    return folder


def open_file(folder: int, path: Path, flags: int) -> int:
    """A descriptor of a journal file in an open folder; it must be a plain file that is ours alone (0600).

    Raises:
        JournalUnavailable: it is not, or cannot be opened.
    """
    try:
        # Not to wait for a writer, should a named pipe stand in its place.
        all_flags = flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        file = os.open(path.name, all_flags, 0o600, dir_fd=folder)
    except OSError as error:
        raise JournalUnavailable(f"the journal {path}: {error.strerror}") from error
    _require_ours(file, path, stat.S_ISREG)
    return file


def read_all(file: int) -> bytes:
    """The file's bytes, wherever it was last read or written."""
    parts = []
    at = 0
    while part := os.pread(file, 1 << 20, at):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _require_ours(descriptor: int, path: Path, right_kind: Any) -> None:
    info = os.fstat(descriptor)
    reason = ""
    if not right_kind(info.st_mode):
        reason = "is neither a folder nor a plain file"
    elif info.st_uid != os.geteuid():
        reason = f"belongs to user {info.st_uid}"
    elif info.st_mode & 0o077:
        reason = f"is open to others (mode {stat.S_IMODE(info.st_mode):04o}): take their rights away with chmod go-rwx"
    elif stat.S_ISREG(info.st_mode) and info.st_nlink != 1:
        reason = "has a second name"
    if reason:
        os.close(descriptor)
        raise JournalUnavailable(f"{path} {reason}")


def _require_safe_way(parent: Path) -> None:
    """Whoever owns a folder above, or may write to it, could put another journal in place of ours. A folder like /tmp, in
    which everybody owns his own, is no danger; nor is a group, which many systems make for each user alone."""
    for place, info in places(parent):
        by_all = info.st_mode & 0o002 and not info.st_mode & stat.S_ISVTX and not stat.S_ISLNK(info.st_mode)
        if info.st_uid not in (0, os.geteuid()):
            reason = f"{place} belongs to user {info.st_uid}"
        elif by_all:
            reason = f"everybody may write to {place}"
        else:
            continue
        raise JournalUnavailable(f"the journal cannot lie in {parent}: {reason}; XDG_STATE_HOME may name another place")
