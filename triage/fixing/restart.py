"""How the server is started again: by what keeps it running, or as a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from triage.fixing.processes import ProcessIdentity, identity, is_same
from triage.fixing.supervised import told_restart
from triage.fixing.surroundings import Surroundings
from triage.model import Value
from triage.playbook import Run, Words
from triage.preflight.command import parse_command
from triage.probing.catalogue.target_process import PROC, process_variables
from triage.records import dataclass

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=", re.ASCII)
_SECRET = re.compile(r"<[a-z][a-z0-9_]*>|‹[a-z0-9_]+:[0-9a-f]{4}›")
_PYTHON = re.compile(r"python[\d.]*")
_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class StartProcess:
    """A process in a session of its own. ``argv[0]`` is absolute; ``environment`` is added to ``inherited``, the variables of the
    process that it replaces (None: ours); ``log`` gets its output, appended."""

    argv: tuple[str, ...]
    cwd: Path
    environment: tuple[tuple[str, str], ...]
    log: Path
    inherited: Mapping[str, str] | None = None

    def to_record(self) -> dict[str, Value]:
        """For the journal and for digests: of inherited variables only the names, as tokens are among them."""
        return {
            "argv": self.argv, "cwd": str(self.cwd), "environment": self.environment, "log": str(self.log),
            "inherited": tuple(sorted(self.inherited)) if self.inherited is not None else None,
        }  # fmt: skip


def plan_restart(
    surroundings: Surroundings,
    launch: Sequence[str],
    *,
    script: Path | None = None,
    pid: int | None = None,
    changed: bool = False,
    container_changed: bool = False,
    log: Path | None = None,
) -> Run | Words | StartProcess:
    """What starting the server again is here; nothing is done, and of a running process only /proc is read.

    ``launch``: the command as it should be (an argv, variables in front); ``changed``: what keeps the server running does not
    know it yet; ``container_changed``: options of the container were to change. ``script``: a script
    that starts the server, chosen by the operator. ``pid``: the process to be replaced.
    ``log``: where the output of a process of its own goes; None: where the old one wrote, else a file in the state directory.
    """
    is_unit = script is not None and script.suffix in (".service", ".conf")
    by_supervisor = told_restart(
        surroundings, launch, changed=changed and not is_unit, container_changed=container_changed, script=script
    )
    if by_supervisor is not None:
        return by_supervisor
    if script is None and (surroundings.supervisor == "unknown" or _starts_container(launch) or not launch):
        return _unknown(surroundings, launch)
    hidden = _hidden(launch, script)
    if hidden:
        return Words(
            f"Put in the value that {hidden} stands for, then start the server.", (tuple(launch),) if launch else ()
        )
    return _process(surroundings, launch, script, pid, log)


def start(process: StartProcess) -> ProcessIdentity:
    """Start it, in the background.

    Raises:
        OSError: program, folder or log cannot be used.
    """
    environment = dict(os.environ if process.inherited is None else process.inherited)
    environment.update(process.environment)
    process.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Not to wait for a reader, should a named pipe stand in its place.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    output = os.open(process.log, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(output).st_mode):
            raise OSError(f"{process.log} is no regular file")
        os.set_blocking(output, True)
        started = subprocess.Popen(  # noqa: S603  (what the operator approved)
            process.argv, cwd=process.cwd, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )  # fmt: skip
    finally:
        os.close(output)
    _started.append(started)
    found = identity(started.pid)
    return found or ProcessIdentity(started.pid, 0, Path(process.argv[0]).name, os.geteuid(), process.argv)


_started: list[subprocess.Popen[bytes]] = []
"""Kept, so that those of them that end are waited for while we run."""


def alive(process: ProcessIdentity) -> bool:
    """Does that very process run?"""
    for item in _started:
        item.poll()
    return is_same(process)


def _starts_container(launch: Sequence[str]) -> bool:
    return any(command.container is not None for command in parse_command(launch))


def _unknown(surroundings: Surroundings, launch: Sequence[str]) -> Words:
    if not launch:
        return Words("Start the server again as it was started: its launch command is not known.")
    where = " on the host" if _starts_container(launch) and surroundings.in_container else ""
    return Words(f"Start the server again{where} as it was started, with this command:", (tuple(launch),))


def _process(
    surroundings: Surroundings, launch: Sequence[str], script: Path | None, pid: int | None, log: Path | None
) -> Words | StartProcess:
    at = next((place for place, word in enumerate(launch) if not _ASSIGNMENT.match(word)), len(launch))
    environment = tuple((name, value) for name, _, value in (word.partition("=") for word in launch[:at]))
    inherited, cwd, old_log = _of_process(pid) if pid is not None else (None, Path.cwd(), None)
    variables: Mapping[str, str] = os.environ if inherited is None else inherited
    argv = tuple(launch[at:])
    if script is not None:
        # The script says itself what it sets.
        argv, environment = (shutil.which("bash", path=_PATH) or "/bin/sh", str(script.absolute())), ()
    program = _program(argv[0], surroundings, variables) if argv else ""
    if not program:
        return _unknown(surroundings, launch)
    chosen = log or old_log or _state(variables, cwd)
    return StartProcess((program, *argv[1:]), cwd, environment, chosen, inherited)


def _program(name: str, surroundings: Surroundings, variables: Mapping[str, str]) -> str:
    """Where the program lies; empty where it is not found. Python is the one that ran the server."""
    if name.startswith("/"):
        return name
    if _PYTHON.fullmatch(name) and surroundings.python is not None:
        return str(surroundings.python)
    if "/" in name:
        return ""
    beside = surroundings.python.parent / name if surroundings.python is not None else None
    if beside is not None and os.access(beside, os.X_OK):
        return str(beside)
    folders = [folder for folder in variables.get("PATH", _PATH).split(os.pathsep) if folder.startswith("/")]
    return shutil.which(name, path=os.pathsep.join(folders)) or ""


def _of_process(pid: int) -> tuple[Mapping[str, str] | None, Path, Path | None]:
    """Variables, folder and log file of a process; what cannot be read is as it is with us."""
    try:
        variables: Mapping[str, str] | None = process_variables(pid)[1]
    except OSError:
        variables = None
    try:
        cwd = (PROC / str(pid) / "cwd").readlink()
    except OSError:
        cwd = Path.cwd()
    try:
        output = (PROC / str(pid) / "fd" / "1").readlink()
    except OSError:
        output = Path("/dev/null")
    is_log = output.is_absolute() and not output.is_relative_to("/dev") and output.is_file()
    return variables, cwd, output if is_log else None


def _state(variables: Mapping[str, str], cwd: Path) -> Path:
    state, home = variables.get("XDG_STATE_HOME", ""), variables.get("HOME", "")
    if state.startswith("/"):
        return Path(state, "sgltriage", "server.log")
    return (
        Path(home, ".local", "state", "sgltriage", "server.log")
        if home.startswith("/")
        else cwd / "sgltriage-server.log"
    )


def _hidden(launch: Sequence[str], script: Path | None) -> str:
    """A placeholder of a secret with which the server would start in earnest."""
    texts: Sequence[str] = launch
    if script is not None:
        try:
            with open(script, encoding="utf-8", errors="replace") as stream:
                texts = [stream.read(1 << 20)]
        except OSError:
            pass  # it will be written with the launch command in it
    found = next(filter(None, (_SECRET.search(text) for text in texts)), None)
    return found[0] if found else ""
