"""Processes that outlive their server: who is left in its session, and who can still write to its output."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from triage.records import dataclass

_MOST_WORDS = 1 << 14


@dataclass(frozen=True, slots=True)
class Survivor:
    """A process; ``argv`` as its kernel shows it, hostile text, empty where it cannot be read."""

    pid: int
    argv: tuple[str, ...]


def survivors(keeper: int, outputs: Sequence[str]) -> list[Survivor]:
    """Processes in the session of ``keeper`` but itself, and those that hold one of ``outputs`` (as links in /proc name
    pipes and terminals) open; by number."""
    wanted = frozenset(outputs)
    found = [
        pid
        for pid in processes()
        if pid not in (keeper, os.getpid())
        and not is_zombie(pid)
        and (session_of(pid) == keeper or _holds(pid, wanted))
    ]
    return [Survivor(pid, _argv(pid)) for pid in sorted(found)]


def processes() -> Iterator[int]:
    """The numbers of all processes that can be seen."""
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            yield int(path.name)


def session_of(pid: int) -> int:
    """The session that a process, living or zombie, is in; 0 if it is gone."""
    fields = _stat(pid)
    return int(fields[3]) if fields else 0


def parent_of(pid: int) -> int:
    """The parent of a process; 0 if it is gone."""
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def is_stopped(pid: int) -> bool:
    """Stopped by a signal, and not continued yet."""
    fields = _stat(pid)
    return bool(fields) and fields[0] == "T"


def is_running(pid: int) -> bool:
    """Neither gone nor dead."""
    fields = _stat(pid)
    return bool(fields) and fields[0] != "Z"


def is_zombie(pid: int) -> bool:
    """Dead and not waited for; a process that is gone is no zombie."""
    fields = _stat(pid)
    return bool(fields) and fields[0] == "Z"


def _stat(pid: int) -> list[str]:
    """The fields behind the name: state, parent, group, session and so on; empty if it is gone."""
    with contextlib.suppress(OSError, ValueError):
        # The name in brackets may hold anything, spaces and brackets too.
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return []


def _holds(pid: int, wanted: frozenset[str]) -> bool:
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(link.readlink()) in wanted:
                    return True
    return False


def _argv(pid: int) -> tuple[str, ...]:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as stream:
        return tuple(stream.read(_MOST_WORDS).rstrip(b"\0").decode("utf-8", "surrogateescape").split("\0"))
    return ()
