"""What is to be changed about a container where the command that starts it is not known: in words, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from triage.playbook import ContainerChange, LaunchChange, Words

_COMMAND_ENGINES = ("docker", "podman", "nerdctl")


def container_words(change: ContainerChange, runtime: str) -> Words:
    """Where ``change`` goes: into ``docker run``, into a compose file, into a pod. ``runtime``: what runs the container, if known."""
    if runtime == "kubernetes":
        return Words("\n".join(_kubernetes(change)))
    engine = runtime if runtime in _COMMAND_ENGINES else "docker"
    options = [" ".join(words) for words in _options(change)]
    asked = [f"give {', '.join(options)} (or change the value there)"] if options else []
    asked += [f"leave out {', '.join(f'--{name}' for name in change.remove)}"] if change.remove else []
    text = [
        f"In the '{engine} run' command that starts the container, before the image name, {' and '.join(asked)}.",
        "A container that exists keeps its options: make it anew.",
        f"A compose file is not changed by this program; there the service gets {_together(change, _COMPOSE, _COMPOSE_SHAPES)}.",
        *(_kubernetes(change) if runtime not in _COMMAND_ENGINES else ()),
    ]
    typed = [word for words in _options(change) for word in words]
    return Words("\n".join(text), ((engine, "run", *typed, "...", "IMAGE", "..."),) if typed else ())


def launch_words(change: LaunchChange) -> str:
    """The change for people who have the command before them."""
    told = [f"--{name}" if text is None else f"--{name} {text}" for name, text in change.set]
    told += [f"{name}={text}" for name, text in change.env]
    told += [f"{item} in {name}" for name, item in change.lists.append]
    told += [f"{item} out of {name}" for name, item in change.lists.take_out]
    told += [f"without --{name}" for name in change.remove]
    told += [f"without {name}" for name in change.unset]
    return ", ".join((*told, *(f"{new} instead of {old}" for old, new in change.rename)))


def _options(change: ContainerChange) -> Iterator[tuple[str, ...]]:
    for name, value in (*change.set, *change.add):
        yield (f"--{name}",) if value is None else (f"--{name}", value)


def _kubernetes(change: ContainerChange) -> Iterator[str]:
    told = _together(change, _POD, _POD_SHAPES)
    gets = [f"there the template of the pod gets {told}, and what owns it makes new pods"] if told else []
    limits = [_NODE_LIMITS.get(_limit(name, value), "") for name, value in (*change.set, *change.add)]
    counts = [f"a pod has no limit of its own for {limit}" for limit in dict.fromkeys(filter(None, limits))]
    yield f"Kubernetes is not changed by this program; {'; '.join((*gets, *counts)) or 'there it is a matter of the node'}."


def _limit(name: str, value: str | None) -> str:
    return (value or "").partition("=")[0] if name == "ulimit" else name


def _together(change: ContainerChange, names: Mapping[str, str], shapes: Mapping[str, Callable[[str], str]]) -> str:
    """What the options are called in ``names``, each with all of its values."""
    values: dict[str, list[str]] = {}
    for name, value in (*change.set, *change.add):
        values.setdefault(name, []).append(shapes.get(name, str)(value or "true"))
    said = [names[name].format(", ".join(texts)) for name, texts in values.items() if name in names]
    return ", ".join((*said, *(f"no {_WITHOUT[name]}" for name in change.remove if name in _WITHOUT)))


def _compose_limit(value: str) -> str:
    name, _, amount = value.partition("=")
    return f"{name}: {amount.partition(':')[0]}"


_WITHOUT = {"gpus": "gpus or reservation of devices", "privileged": "privileged: true"}
_NODE_LIMITS = {
    "memlock": "locked memory: that of the engine's unit on the node counts (LimitMEMLOCK)",
    "nofile": "open files: that of the engine's unit on the node counts (LimitNOFILE)",
    "pids-limit": "processes: podPidsLimit of the kubelet counts",
}
_COMPOSE = {
    "cap-add": "cap_add: [{}]", "cpuset-cpus": 'cpuset: "{}"', "device": "devices: [{}]",
    "gpus": "gpus: {} (older: deploy.resources.reservations.devices with driver nvidia, capabilities [gpu])",
    "group-add": "group_add: [{}]", "ipc": "ipc: {}", "memory": "mem_limit: {}", "memory-swap": "memswap_limit: {}",
    "network": "network_mode: {}", "pid": "pid: {}", "pids-limit": "pids_limit: {}", "privileged": "privileged: {}",
    "security-opt": "security_opt: [{}]", "shm-size": "shm_size: {}", "ulimit": "ulimits: {{{}}}", "volume": "volumes: [{}]",
}  # fmt: skip
_COMPOSE_SHAPES: Mapping[str, Callable[[str], str]] = {
    "security-opt": lambda value: value.replace("=", ":", 1),
    "ulimit": _compose_limit,
}
_POD = {
    "cap-add": "securityContext.capabilities.add: [{}]", "device": "the resource of the device plugin that brings {}",
    "gpus": "resources.limits of nvidia.com/gpu", "ipc": "hostIPC: true", "memory": "resources.limits.memory: {}",
    "network": "hostNetwork: true", "pid": "hostPID: true", "privileged": "securityContext.privileged: {}",
    "security-opt": "in securityContext {}", "shm-size": "an emptyDir of medium Memory and sizeLimit {} on /dev/shm (it counts into the limit of memory)",
    "volume": "a volume on {}",
}  # fmt: skip
_POD_SHAPES: Mapping[str, Callable[[str], str]] = {
    "memory": lambda value: value.replace("g", "Gi"),
    "security-opt": lambda value: "seccompProfile.type: Unconfined" if value == "seccomp=unconfined" else value,
    "shm-size": lambda value: value.replace("g", "Gi"),
    "volume": lambda value: value.split(":")[1] if ":" in value else value,
}
