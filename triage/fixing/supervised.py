"""How a server is started again by what keeps it running: systemd, a container engine, Kubernetes, Slurm or Ray."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from triage.fixing.launch_script import unit_quoted
from triage.fixing.surroundings import Surroundings
from triage.playbook import Run, Words
from triage.preflight.command import parse_command
from triage.records import dataclass

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=", re.ASCII)
_ENGINES = ("docker", "podman")


@dataclass(frozen=True, slots=True)
class _Advice:
    """What to do; the words POD and JOB stand for the names."""

    text: str
    commands: tuple[tuple[str, ...], ...]


def told_restart(
    surroundings: Surroundings,
    launch: Sequence[str],
    *,
    changed: bool,
    container_changed: bool = False,
    script: Path | None = None,
) -> Run | Words | None:
    """A command for this machine, or what people have to do; None where nothing keeps the server running.

    ``changed``: the launch command is another one than what keeps the server running knows; ``container_changed``: the container
    is to have other options, which a restart of it does not bring. ``script``: one that the operator named.
    """
    supervisor = surroundings.supervisor
    if supervisor == "systemd":
        return _systemd(surroundings, launch, changed=changed)
    if supervisor == "docker":
        is_whole = any(command.container is not None for command in parse_command(launch))
        if container_changed and not changed and not is_whole:
            return _new_container(surroundings, script)
        options = "" if is_whole else "changed" if container_changed else "same"
        return _docker(surroundings, launch, options, changed=changed)
    if supervisor not in _SAME:
        return None
    names = {"POD": surroundings.container_name or "POD", "JOB": surroundings.unit or "JOB"}
    advice = (_CHANGED if changed else _SAME)[supervisor]
    commands = tuple(tuple(names.get(word, word) for word in command) for command in advice.commands)
    return Words(advice.text, (*commands, *(_command(launch) if changed else ())))


def _systemd(surroundings: Surroundings, launch: Sequence[str], *, changed: bool) -> Run | Words:
    user = ("--user",) if surroundings.is_user_unit else ()
    unit = surroundings.unit
    again = ("systemctl", *user, "restart", unit)
    if not changed:
        may = surroundings.is_root or user
        return Run(again) if may else Words(f"Run this as root; you are {surroundings.user}.", (again,))
    at = next((place for place, word in enumerate(launch) if not _ASSIGNMENT.match(word)), len(launch))
    lines = ["[Service]", *(f"Environment={unit_quoted(word, of_environment=True)}" for word in launch[:at])]
    lines += ["ExecStart=", "ExecStart=" + " ".join(unit_quoted(word) for word in launch[at:])]
    text = f"The command is in the unit {unit}. Open it with the first command and put this in, then restart:"
    return Words("\n".join((text, *lines)), (("systemctl", *user, "edit", unit), again))


def _new_container(surroundings: Surroundings, script: Path | None) -> Words:
    engine, name = _engine(surroundings), surroundings.container_name
    text = (
        "A container keeps the options it was made with. If they are changed now, put it aside on the host and start a new one with them"
        " in the way in which it was started; if not, restart it with the last command."
    )
    start = ((str(script),),) if script is not None else ()
    again = ((engine, "restart", name),) if name else ()
    return Words(text, (*_aside(engine, name), *start, *again))


def _engine(surroundings: Surroundings) -> str:
    return surroundings.container_runtime if surroundings.container_runtime in _ENGINES else "docker"


def _aside(engine: str, name: str) -> tuple[tuple[str, ...], ...]:
    """Kept under another name, so that there is a way back."""
    return ((engine, "stop", name), (engine, "rename", name, f"{name}-before")) if name else ()


def _docker(surroundings: Surroundings, launch: Sequence[str], options: str, *, changed: bool) -> Run | Words:
    """``options``: the word for those of a new container; empty: ``launch`` says them."""
    engine, name = _engine(surroundings), surroundings.container_name
    if not changed:
        again = (engine, "restart", name)
        if name and not surroundings.in_container:
            return Run(again)
        return Words(
            "Run this on the host: the container starts the server, and we are inside of it.", (again,) if name else ()
        )
    like = f" with the {options} options, the same image, and this command at the end" if options else ""
    text = f"A container keeps the command it was made with. On the host, put it aside and start a new one{like}:"
    return Words(text, (*_aside(engine, name), *_command(launch)))


def _command(launch: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return (tuple(launch),) if launch else ()


_SAME = {
    "kubernetes": _Advice(
        "Delete the pod; what owns it (a Deployment, a StatefulSet, a LeaderWorkerSet) makes a new one.",
        (("kubectl", "delete", "pod", "POD"),),
    ),
    "slurm": _Advice("Have Slurm start the job again.", (("scontrol", "requeue", "JOB"),)),
    "ray": _Advice(
        "Stop the job with 'ray job stop' and submit it again; 'ray job list' names it.", (("ray", "job", "list"),)
    ),
}
_CHANGED = {
    "kubernetes": _Advice(
        "Change the container's command in what owns the pod, which the first command names, to the last; the pod is then made anew.",
        (("kubectl", "get", "pod", "POD", "--output", "jsonpath={.metadata.ownerReferences}"),),
    ),
    "slurm": _Advice(
        "Cancel the job, have its batch script start the server with the last command, and submit it again with sbatch.",
        (("scancel", "JOB"),),
    ),
    "ray": _Advice(
        "Stop the job with 'ray job stop' and submit it again with the last command; 'ray job list' names it.",
        (("ray", "job", "list"),),
    ),
}
