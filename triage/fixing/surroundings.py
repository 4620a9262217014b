"""Where a fix would be carried out: which interpreter, whose environment, inside what, and who keeps the server running.

Only files are read. What ``probing`` finds out about environments and containers is asked there.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from triage.fixing.supervisor import Supervisor, ancestors, head_of, supervisor_of
from triage.probing.catalogue.container import CONTAINER_LIMITS
from triage.probing.catalogue.filesystems import mount_point
from triage.probing.catalogue.looks import is_folder, is_there
from triage.probing.catalogue.python_environment import PythonEnvironment, find_environment
from triage.probing.catalogue.target_process import inside
from triage.probing.probe import OK, Target, Transcript
from triage.records import dataclass

_CONTAINER_ID = re.compile(r"(?:^|[/:-])([0-9a-f]{64})(?:\.scope)?(?:/|$)")
_ENGINES = (("kubernetes", "kubepods"), ("podman", "libpod"), ("docker", "docker"), ("containerd", "containerd"))
_VARIABLES = ("KUBERNETES_SERVICE_HOST", "APPTAINER_CONTAINER", "SINGULARITY_CONTAINER", "container")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``python``: the interpreter of the server, as it is called there; ``uv`` the program, if it is found; ``in_container``: we
    run in one; ``is_elsewhere``: the server runs in one and we do not; ``container_runtime`` and ``container_name`` are that
    one's. ``unit``: of systemd, or the job's number under Slurm; ``is_user_unit``: it is the user's own systemd that has it."""

    python: Path | None = None
    is_venv: bool = False
    is_conda: bool = False
    made_by_uv: bool = False
    uv: Path | None = None
    externally_managed: bool = False
    has_pip: bool = False
    in_container: bool = False
    is_elsewhere: bool = False
    container_runtime: str = ""
    container_name: str = ""
    is_root: bool = False
    user: str = ""
    supervisor: Supervisor = "unknown"
    unit: str = ""
    is_user_unit: bool = False


def look(python: Path | None, pid: int | None, environment: Mapping[str, str], root: Path = Path("/")) -> Surroundings:
    """What is known of this machine, the server's process and its interpreter. ``environment``: our own variables. What cannot
    be read stays unknown. ``root``: where the files of the machine lie."""
    own = _found_environment(python, pid if root == Path("/") else None, environment)
    in_container, runtime = _container(root, environment)
    group = head_of(root / f"proc/{pid}/cgroup") if pid is not None else ""
    found = _CONTAINER_ID.search(group)
    # docker.service, which is no container, has the same word in its group.
    engine = (
        next((name for name, mark in _ENGINES if mark in group), "containerd") if found or "kubepods" in group else ""
    )
    elsewhere = bool(engine) and not in_container
    supervisor, unit = supervisor_of(root, pid, group, engine, runtime if in_container else "", environment)
    name = _container_name(root, found[1]) if found else _own_name(root, environment) if in_container else ""
    return Surroundings(
        python=_interpreter(own, python),
        is_venv=own is not None and own.is_virtual,
        is_conda=own is not None and own.is_conda,
        made_by_uv=own is not None and bool(own.uv),
        uv=_uv(own, environment),
        externally_managed=own is not None and own.is_managed,
        has_pip=own is not None and _has_pip(own),
        in_container=in_container,
        is_elsewhere=elsewhere,
        container_runtime=runtime if in_container else engine,
        container_name=name,
        is_root=os.geteuid() == 0,
        user=_user(),
        supervisor=supervisor,
        unit=unit,
        is_user_unit=supervisor == "systemd" and "/user@" in group,
    )


def _found_environment(
    python: Path | None, pid: int | None, environment: Mapping[str, str]
) -> PythonEnvironment | None:
    try:
        if python is not None:
            return find_environment(Target(python=python, environment=environment))
        # One that was guessed is not to be changed.
        return None if pid is None else _environment_of(pid, environment)
    except OSError:
        return None


def _environment_of(pid: int, environment: Mapping[str, str]) -> PythonEnvironment | None:
    """The environment that a process runs in. What it was started with names the interpreter; SGLang's schedulers write a
    title over that, but who started them is the same program. The program itself may be the one that many environments link to:
    to install something there, because nothing told which of them it is, would change the wrong one."""
    running = Path(f"/proc/{pid}/exe").readlink()
    for process in ancestors(Path("/"), pid):
        if _program_of(process.pid) != running:
            break
        if process.title.rpartition("/")[2].startswith("python"):
            return find_environment(Target(pid=process.pid, environment=environment))
    found = find_environment(Target(pid=pid, environment=environment))
    return found if found.is_virtual or found.is_conda else None


def _program_of(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/exe").readlink()
    except OSError:
        return None


def _interpreter(own: PythonEnvironment | None, python: Path | None) -> Path | None:
    if python is not None and python.is_absolute() and python.is_file():
        return python
    if own is None:
        return None
    minor = ".".join(own.version.split(".")[:2])
    names = (own.prefix / "bin" / name for name in ("python3", "python", f"python{minor}"))
    return next((path for path in names if _is_program(inside(own.root, path))), None)


def _is_program(path: Path) -> bool:
    # Below another root a link may point to where only its own process finds something.
    return path.is_symlink() or is_there(path)


def _has_pip(own: PythonEnvironment) -> bool:
    return any(is_folder(folder.path / "pip") for folder in own.folders)


def _uv(own: PythonEnvironment | None, environment: Mapping[str, str]) -> Path | None:
    home = environment.get("HOME", "")
    places = [str(Path(home, ".local/bin")), str(Path(home, ".cargo/bin"))] if home.startswith("/") else []
    if own is not None:
        places.insert(0, str(inside(own.root, own.prefix) / "bin"))
    searched = [place for place in environment.get("PATH", "").split(os.pathsep) if place.startswith("/")]
    found = shutil.which("uv", path=os.pathsep.join((*searched, *places)))
    return Path(found) if found else None


def _container(root: Path, environment: Mapping[str, str]) -> tuple[bool, str]:
    """Whether we run in a container, and its kind; asked of the probe that knows, with what lies below ``root``."""
    transcripts = [
        Transcript(f"/{name}", OK if is_there(root / name) else "absent")
        for name in (".dockerenv", "run/.containerenv")
    ]
    transcripts += [_transcript(root, name) for name in ("run/systemd/container", "proc/1/cgroup")]
    names = [
        f"container={environment[name]}" if name == "container" else name for name in _VARIABLES if name in environment
    ]
    transcripts.append(Transcript("variables of containers", OK, "\n".join(names)))
    mounts = [line for line in head_of(root / "proc/self/mountinfo").splitlines() if mount_point(line) == "/"]
    transcripts.append(Transcript("mount of /", OK if mounts else "absent", "\n".join(mounts[-1:])))
    facts = dict(CONTAINER_LIMITS.parse(transcripts))
    return facts.get("container.is_container") is True, str(facts.get("container.kind", ""))


def _transcript(root: Path, name: str) -> Transcript:
    path = root / name
    return Transcript(f"/{name}", OK, head_of(path)) if is_there(path) else Transcript(f"/{name}", "absent")


def _container_name(root: Path, number: str) -> str:
    """The name that docker knows it by; its short number where docker's files may not be read."""
    try:
        record = json.loads(head_of(root / "var/lib/docker/containers" / number / "config.v2.json"))
    except (ValueError, RecursionError):
        record = None
    name: object = record.get("Name") if isinstance(record, dict) else None
    return name.lstrip("/") if isinstance(name, str) and re.fullmatch(r"/?[\w][\w.-]*", name) else number[:12]


def _own_name(root: Path, environment: Mapping[str, str]) -> str:
    # Runtimes give the container's number or the pod's name as the host's.
    name = environment.get("HOSTNAME") or head_of(root / "etc/hostname").strip()
    return name if re.fullmatch(r"[\w][\w.-]{0,252}", name) else ""


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
