"""Probe: whether this is a container, and what its control groups allow and have counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from triage.model import Value
from triage.probing.catalogue.filesystems import mount_of
from triage.probing.catalogue.target_process import variables_of
from triage.probing.catalogue.text_forms import gib, pairs, sections, text_of, whole
from triage.probing.probe import File, Look, Probe, Read, Target, Transcript

_TOP = "/sys/fs/cgroup"
_FILES = {
    "": ("memory.max", "memory.current", "memory.peak", "memory.events", "cpu.max", "pids.max", "pids.current"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control"),
    "cpu": ("cpu.cfs_quota_us", "cpu.cfs_period_us"),
    "pids": ("pids.max", "pids.current"),
}
"""What is read of each controller; the empty name is the one hierarchy of version 2."""
_UNLIMITED = 1 << 60
"""Version 1 writes 'no limit' as a number near 2^63."""
_VARIABLES = ("KUBERNETES_SERVICE_HOST", "APPTAINER_CONTAINER", "SINGULARITY_CONTAINER", "container")
_KINDS = (
    ("kubernetes", ("KUBERNETES_SERVICE_HOST", "kubepods")),
    ("podman", ("/run/.containerenv", "libpod", "container=podman")),
    ("docker", ("/.dockerenv", "/docker", "docker-", "container=docker")),
    ("apptainer", ("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER")),
    ("lxc", ("/lxc", "container=lxc")),
    ("containerd", ("/containerd", "cri-containerd", "nerdctl")),
    ("systemd-nspawn", ("container=systemd-nspawn",)),
)
"""Signs of each kind, the telling kinds first."""


def _reads(target: Target) -> Sequence[Read]:
    process = str(target.pid or "self")
    known = variables_of(target)
    variables = "".join(_variable(name, known[name]) for name in _VARIABLES if name in known)
    return (
        File("/.dockerenv"),
        File("/run/.containerenv"),
        File("/run/systemd/container"),
        File("/proc/1/cgroup"),
        *((Look("variables of containers", lambda: variables),) if variables else ()),
        Look("mount of /", lambda: mount_of("/")),
        Look(f"control groups of process {process}", lambda: _groups(process)),
    )


def _variable(name: str, value: str) -> str:
    # The values of the others are addresses and paths that nobody needs.
    return f"{name}={' '.join(value.split())[:40]}\n" if name == "container" else f"{name}\n"


def _groups(process: str) -> str:
    """The files of the process's own groups and of the groups above them, innermost first."""
    parts: list[str] = []
    for line in Path(f"/proc/{process}/cgroup").read_text("utf-8", "replace").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        for name in _FILES.keys() & set(controllers.split(",")):
            tops = (_TOP, f"{_TOP}/unified") if not name else (f"{_TOP}/{name}", f"{_TOP}/{controllers}")
            for folder in dict.fromkeys(folder for top in tops for folder in _upward(top, path)):
                parts.extend(_file(f"{folder}/{file}") for file in _FILES[name])
    text = "".join(parts)
    if not text:
        raise FileNotFoundError("no files of control groups")
    return text


def _upward(top: str, path: str) -> Iterator[str]:
    """The folder of a group and those above it up to the top. A path from outside our view stands for the top."""
    inner = PurePosixPath("/") if ".." in path else PurePosixPath(path)
    for group in (inner, *inner.parents):
        yield f"{top}{group}".rstrip("/")


def _file(path: str) -> str:
    try:
        return f"==> {path} <==\n{Path(path).read_text('utf-8', 'replace').rstrip()}\n"
    except OSError:
        return ""


def _parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    yield from _kind(transcripts)
    text = next(
        (item.text for item in transcripts if item.label.startswith("control groups") and item.status == "ok"), ""
    )
    files: dict[str, dict[str, str]] = {}
    for path, body in sections(text):
        folder, _, name = path.rpartition("/")
        files.setdefault(name, {})[folder] = body
    if files:
        yield "container.cgroup_version", 2 if files.keys() & {"memory.max", "memory.events", "cpu.max"} else 1
        yield from _memory(files)
        yield from _oom_kills(files)
        yield from _processors(files)
        yield from _processes(files)


def _kind(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    signs = [item.label for item in transcripts[:2] if item.status == "ok" and item.label.startswith("/")]
    manager = (text_of(transcripts, "/run/systemd/container") or "").strip()
    signs += [f"container={manager}"] if manager else []
    first = text_of(transcripts, "/proc/1/cgroup")
    signs += (first or "").splitlines()
    signs += (text_of(transcripts, "variables of containers") or "").splitlines()
    root = text_of(transcripts, "mount of /")
    for kind, marks in _KINDS:
        if any(mark in sign for sign in signs for mark in marks):
            yield from (("container.is_container", True), ("container.kind", kind))
            return
    # Layers under the root are what a container runtime of any other name leaves visible.
    if root is not None and " - overlay " in root:
        yield from (("container.is_container", True), ("container.kind", "unknown"))
    elif first is not None or root is not None:
        yield "container.is_container", False


def _memory(files: dict[str, dict[str, str]]) -> Iterator[tuple[str, Value]]:
    limits = files.get("memory.max") or files.get("memory.limit_in_bytes") or {}
    used = files.get("memory.current") or files.get("memory.usage_in_bytes") or {}
    peak = files.get("memory.peak") or files.get("memory.max_usage_in_bytes") or {}
    known = {folder: whole(text) for folder, text in limits.items() if text.strip() != "max"}
    known = {folder: limit for folder, limit in known.items() if limit < _UNLIMITED}
    if limits:
        yield "container.memory_limited", bool(known)
    # The narrowest group of all is the one that will kill; without any, the innermost tells what we use.
    tightest = min(known, key=known.__getitem__) if known else next(iter(used), "")
    if known:
        yield "container.memory_limit_gb", gib(known[tightest])
    for fact, values in (("used", used), ("peak", peak)):
        if tightest in values:
            yield f"container.memory_{fact}_gb", gib(whole(values[tightest]))


def _oom_kills(files: dict[str, dict[str, str]]) -> Iterator[tuple[str, Value]]:
    """Kills of the whole container where its top is in view, else of our own group: those further up count strangers."""
    events = files.get("memory.events") or {}
    top = next((events[folder] for folder in (_TOP, f"{_TOP}/unified") if folder in events), None)
    # Version 1 counts in each group for itself.
    chosen = top or next(iter(events.values()), None) or next(iter(files.get("memory.oom_control", {}).values()), "")
    kills = pairs(chosen).get("oom_kill")
    if kills is not None:
        yield "container.oom_kills", whole(kills)


def _processors(files: dict[str, dict[str, str]]) -> Iterator[tuple[str, Value]]:
    shares = []
    for text in files.get("cpu.max", {}).values():
        quota, _, period = text.partition(" ")
        if quota != "max":
            shares.append((whole(quota), whole(period)))
    for folder, text in files.get("cpu.cfs_quota_us", {}).items():
        if text.strip() != "-1":
            shares.append((whole(text), whole(files.get("cpu.cfs_period_us", {}).get(folder, "100000"))))
    known = [quota / period for quota, period in shares if period]
    if known:
        yield "container.cpus", round(min(known), 2)


def _processes(files: dict[str, dict[str, str]]) -> Iterator[tuple[str, Value]]:
    limits = {folder: whole(text) for folder, text in files.get("pids.max", {}).items() if text.strip() != "max"}
    if limits:
        tightest = min(limits, key=limits.__getitem__)
        yield "container.pids_limit", limits[tightest]
        if tightest in files.get("pids.current", {}):
            yield "container.pids_used", whole(files["pids.current"][tightest])


CONTAINER_LIMITS = Probe(
    "container-limits",
    "Whether this is a container, and its limits of memory, processors and processes",
    _reads,
    _parse,
    0.02,
)
