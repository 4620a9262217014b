"""Who keeps a process running, told from its control groups and from the processes that it descends from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from triage.preflight.command import parse_command
from triage.probing.catalogue.looks import is_there
from triage.records import dataclass

Supervisor: TypeAlias = Literal["systemd", "docker", "kubernetes", "slurm", "ray", "plain", "unknown"]

_MAX_PARENTS = 32
_MAX_TEXT = 1 << 20
_UNIT = re.compile(r"/(\w[\w@.:\\-]*\.service)(?=/|$)", re.ASCII | re.MULTILINE)
_JOB = re.compile(r"(?:^|/)job_(\d+)(?:/|$)")
# What a login, a schedule or a desktop starts runs in the group of that service, and is not what the service is for.
_HOSTS_OF_SESSIONS = re.compile(
    r"(?:sshd?|crond?|atd|getty|login|user|docker|containerd|podman|kubelet|k3s|slurmd|tmux|screen|jupyter|code-server|gdm|lightdm"
    r"|dbus|init|systemd|supervisor|supervisord)(?:[-@:. ]|$)"
)
# What images call to start a program and to wait for its end. Anything else is somebody's session.
_STARTER = re.compile(
    r"(?:tini|dumb-init|docker-init|catatonit|podman-init|bash|sh|dash|ash|zsh|python[\d.]*|pt_main_thread)(?:-static)?"
)
_SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ash"))


def supervisor_of(
    root: Path, pid: int | None, group: str, engine: str, runtime: str, environment: Mapping[str, str]
) -> tuple[Supervisor, str]:
    """What keeps process ``pid`` running, and its unit or job. ``group``: its control groups; ``engine``: the container engine that
    they name; ``runtime``: the kind of container that we are in ourselves."""
    if pid is None:
        job = environment.get("SLURM_JOB_ID", "")
        return ("slurm", job) if job.isdecimal() else ("unknown", "")
    line = list(ancestors(root, pid))
    if not line:
        return "unknown", ""  # it has ended
    job = _job(root, pid, group)
    if any(item.name == "raylet" or item.title.startswith("ray::") for item in line):
        return "ray", ""
    if job:
        return "slurm", job
    if _keeps_container(line) if runtime else engine:
        return ("kubernetes" if "kubernetes" in (runtime, engine) else "docker"), ""
    unit = _unit(group, line)
    return ("systemd", unit) if unit and is_there(root / "run/systemd/system") else ("plain", "")


def _job(root: Path, pid: int, group: str) -> str:
    found = _JOB.search(group) if "slurm" in group else None
    if found:
        return found[1]
    for item in head_of(root / f"proc/{pid}/environ").split("\0"):
        name, _, value = item.partition("=")
        if name == "SLURM_JOB_ID" and value.isdecimal():
            return value
    return ""


def _unit(group: str, line: list[Process]) -> str:
    """The innermost service, unless it is one in which people's own processes run."""
    unit = next((found[1] for found in reversed(list(_UNIT.finditer(group)))), "")
    inner = line[:-1] if line[-1].pid == 1 else line
    if _HOSTS_OF_SESSIONS.match(unit):
        return ""
    return "" if any(_HOSTS_OF_SESSIONS.match(item.name) for item in inner if item.name != "systemd") else unit


def _keeps_container(line: list[Process]) -> bool:
    """Does the container end with the server? So it does if the server is the first process, or what started it waits for it."""
    first = line[-1]
    if first.pid != 1:
        return False  # started from outside (docker exec)
    if len(line) == 1 or parse_command(first.command):
        return True
    is_open_shell = first.name in _SHELLS and all(word.startswith("-") for word in first.command[1:])
    return not is_open_shell and all(_STARTER.fullmatch(item.name) for item in line[1:])


@dataclass(frozen=True, slots=True)
class Process:
    """A process: what the kernel calls it, and the words that it was started with (or the title that it gave itself)."""

    pid: int
    name: str
    command: tuple[str, ...]

    @property
    def title(self) -> str:
        """The first word of its command; empty where it has none."""
        return self.command[0] if self.command else ""


def ancestors(root: Path, pid: int) -> Iterator[Process]:
    """A process and those it descends from, nearest first."""
    for _ in range(_MAX_PARENTS):
        folder = root / "proc" / str(pid)
        head, _, tail = head_of(folder / "stat").rpartition(")")
        words = tail.split()
        if len(words) < 2 or not words[1].isdecimal():
            return
        command = tuple(head_of(folder / "cmdline").rstrip("\0").split("\0"))
        yield Process(pid, head.partition("(")[2], command if command != ("",) else ())
        pid = int(words[1])
        if pid == 0:
            return


def head_of(path: Path) -> str:
    """The file's first mebibyte as text; '' where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return stream.read(_MAX_TEXT).decode("utf-8", "replace")
    except OSError:
        return ""
