"""What preflight asks a host: which probes, for which interpreter and model; and which options the installed release takes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from triage.model import Fact, ProbeResult, Value
from triage.preflight.command import ROUTER, PlannedCommand
from triage.preflight.facts import command_facts
from triage.preflight.flag_sources import installed_flags
from triage.probing.host import answers
from triage.probing.probe import Probe, Target
from triage.probing.snapshot import Snapshot
from triage.records import dataclass
from triage.sources.environments import library_folders, package_version

PROBES = frozenset((
    "container-limits", "deepgemm-cache", "driver-version", "environment", "gpu-list", "listening-ports", "lsmod",
    "model-directory", "network-interfaces", "nvidia-smi", "os", "python-packages", "rdma-devices", "router-endpoint", "shm-size",
))  # fmt: skip
"""Those whose facts a rule or the evidence beside it reads."""


@dataclass(frozen=True, slots=True)
class Installed:
    """The release of sglang that would run: its version and the options that it takes; both empty where it was not found."""

    version: str = ""
    flags: frozenset[str] = frozenset()


def host_facts(probes: Sequence[Probe], snapshot: Snapshot) -> tuple[tuple[Fact, ...], tuple[ProbeResult, ...]]:
    """The facts that a snapshot gives, and how each probe ended."""
    found = answers(probes, snapshot)
    facts = tuple(fact for answer in found for fact in answer.facts)
    return facts, tuple(ProbeResult(item.name, item.outcome, item.reason, item.seconds) for item in found)


def target_of(commands: Sequence[PlannedCommand], python: Path | None, environment: Mapping[str, str]) -> Target:
    """What the probes are to look at: the launch's model (at its place on the host), addresses and ports."""
    facts: dict[str, Value] = {}
    variables = dict(environment)
    for command in commands:
        for item in command_facts(command):
            facts.setdefault(item.name, item.value)
        if command.container is None:
            variables.update({item.name: item.value for item in command.variables})
        elif path := command.container.on_host(str(facts.get("server.model_path", ""))):
            facts["server.model_path"] = path
    return Target(python, None, facts, variables)


def interpreter_of(commands: Sequence[PlannedCommand], environment: Mapping[str, str]) -> Path | None:
    """The interpreter that the first server would run in: the one that the command names, found as a shell would; None in
    a container or where there is none."""
    for command in commands:
        if command.container is None and command.kind != ROUTER:
            name = command.program[0].text
            found = shutil.which(name, path=environment.get("PATH", os.defpath))
            return Path(found) if found else None
    return None


def installed_release(python: Path | None, environment: Mapping[str, str]) -> Installed:
    """The sglang among the packages of ``python``, read as text."""
    if python is None:
        return Installed()
    for folder in library_folders(python, environment):
        package = folder / "sglang"
        flags = installed_flags(package)
        if flags:
            return Installed(package_version(package), flags)
    return Installed()
