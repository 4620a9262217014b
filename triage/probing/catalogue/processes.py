"""SGLang servers and routers that run on this machine, as /proc shows them."""

from __future__ import annotations

import json
import os
import posixpath
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from triage.probing.catalogue.bounded import within
from triage.probing.catalogue.command_lines import kind_of
from triage.probing.catalogue.sockets import own_listeners, socket_links
from triage.probing.catalogue.target_process import process_variables
from triage.records import dataclass, replace
from triage.safety.redact import Redactor

_SCAN_S = 3.0
_MAX_COMMAND = 1 << 17
_MAX_PARENTS = 8
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A process of SGLang. ``kind``: ``server``, ``router`` or ``part`` (a child of a server); ``command`` is empty where the
    process wrote its title over it, and holds no secrets; ``started`` is UTC; ``ports`` are those it listens on."""

    pid: int
    kind: str
    command: tuple[str, ...] = ()
    parent: int = 0
    state: str = ""
    started: str = ""
    python: str = ""
    log: str = ""
    ports: tuple[int, ...] = ()


def running(pid: int | None = None) -> tuple[Process, ...]:
    """Processes of SGLang of our own user (of all users for root), or the one that ``pid`` belongs to, with its parts.

    Raises:
        OSError: /proc cannot be listed, or does not answer in time.
    """
    return within(_SCAN_S, lambda: _scan(pid))


def to_text(processes: Sequence[Process]) -> str:
    """One JSON object a line."""
    records = ({name: getattr(item, name) for name in _FIELDS} for item in processes)
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def from_text(text: str) -> tuple[Process, ...]:
    """What ``to_text`` gave.

    Raises:
        ValueError: a line is not such an object.
    """
    # Not splitlines: JSON leaves the rarer ends of a line as they are.
    return tuple(_from_line(line) for line in text.split("\n") if line.strip())


_FIELDS = ("pid", "kind", "command", "parent", "state", "started", "python", "log", "ports")


def _from_line(line: str) -> Process:
    try:
        record = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(record, dict) or not isinstance(record.get("pid"), int):
        raise ValueError(f"not a process: {line[:80]!r}")
    texts = {name: str(record.get(name) or "") for name in ("kind", "state", "started", "python", "log")}
    command, ports, parent = record.get("command"), record.get("ports"), record.get("parent")
    return Process(
        record["pid"],
        command=tuple(map(str, command)) if isinstance(command, list) else (),
        parent=parent if isinstance(parent, int) else 0,
        ports=tuple(port for port in ports if isinstance(port, int)) if isinstance(ports, list) else (),
        **texts,
    )


def _scan(pid: int | None) -> tuple[Process, ...]:
    known = {item.pid: item for item in _candidates()}
    found = [item for item in known.values() if item.kind != "part" and not _is_copy(item, known)]
    parts = [item for item in known.values() if item.kind == "part"]
    if pid is not None:
        line = list(_line_of(pid))
        found = [item for item in found if item.pid in line][:1] or list(filter(None, [_read(pid, "server")]))
        parts = [item for item in parts if {item.pid, *_line_of(item.pid)} & {one.pid for one in found}]
    return (*(_described(item) for item in sorted(found, key=lambda item: item.pid)), *parts)


def _candidates() -> Iterator[Process]:
    user = os.getuid()
    for folder in _PROC.iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            # Root looks after everybody's servers.
            if user and folder.stat().st_uid != user:
                continue
            # What has ended and was not waited for keeps its short name only.
            kind = kind_of(_command(folder) or ((folder / "comm").read_text("utf-8", "replace").strip(),))
        except OSError:
            continue
        item = _read(int(folder.name), kind) if kind else None
        if item is not None:
            yield item


def _is_copy(item: Process, known: dict[int, Process]) -> bool:
    """A forked child carries its parent's command line until it sets its own title."""
    parent = known.get(item.parent)
    return parent is not None and parent.kind == item.kind


def _command(folder: Path) -> tuple[str, ...]:
    with open(folder / "cmdline", "rb") as stream:
        data = stream.read(_MAX_COMMAND)
    # A title that was written over the command leaves a tail of NULs.
    return tuple(data.rstrip(b"\0 ").decode("utf-8", "replace").split("\0")) if data.strip(b"\0 ") else ()


def _read(pid: int, kind: str) -> Process | None:
    folder = _PROC / str(pid)
    try:
        command = _command(folder)
        words = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        state, parent, ticks = words[0], int(words[1]), int(words[19])
    except (OSError, ValueError, IndexError):
        return None
    titled = command[:1] == () or command[0].startswith("sglang::")
    return Process(pid, kind, () if titled else command, parent, state, _time_of(ticks))


def _time_of(ticks: int) -> str:
    """When a process began, from clock ticks since the machine did."""
    try:
        stat = (_PROC / "stat").read_text("ascii", "replace")
        booted = next(int(line.split()[1]) for line in stat.splitlines() if line.startswith("btime "))
    except (OSError, StopIteration, ValueError, IndexError):
        return ""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(booted + ticks / os.sysconf("SC_CLK_TCK")))


def _line_of(pid: int) -> Iterator[int]:
    """A process and those that it descends from, nearest first."""
    for _ in range(_MAX_PARENTS):
        item = _read(pid, "")
        if item is None or pid <= 1:
            return
        yield pid
        pid = item.parent


def _described(item: Process) -> Process:
    """The process with what is read only once it is known to be one of SGLang."""
    return replace(
        item,
        command=Redactor().redact_arguments(item.command),
        python=_python(item),
        log=_log(item.pid),
        ports=_ports(item.pid),
    )


def _python(item: Process) -> str:
    """The interpreter as it was called: the link under /proc shows where it really lies and so loses the environment."""
    program = item.command[0] if item.command else ""
    if not posixpath.basename(program).startswith(("python", "pypy")):
        program = ""
    if program.startswith("/"):
        return program
    if program and "/" not in program:
        try:
            found = shutil.which(program, path=process_variables(item.pid)[1].get("PATH", ""))
        except OSError:
            found = None
        if found:
            return found
    try:
        path = os.readlink(_PROC / str(item.pid) / "exe")  # noqa: PTH115  (text, as it stands)
    except OSError:
        return ""
    return path if posixpath.basename(path).startswith(("python", "pypy")) else ""


def _log(pid: int) -> str:
    """The file that standard output or error goes to; empty for a terminal, a pipe and a file that was removed."""
    for number in (1, 2):
        try:
            path = os.readlink(_PROC / str(pid) / "fd" / str(number))  # noqa: PTH115  (text, as it stands)
        except OSError:
            continue
        if path.startswith("/") and not path.startswith("/dev/") and not path.endswith(" (deleted)"):
            return path
    return ""


def _ports(pid: int) -> tuple[int, ...]:
    links = set(socket_links(str(pid)))
    return tuple(sorted({item.port for item in own_listeners(str(pid)) if f"socket:[{item.inode}]" in links}))
