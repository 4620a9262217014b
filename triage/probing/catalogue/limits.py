"""Probes: limits of the process, shared memory, the folder for temporary files, and free disk."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from triage.model import Value
from triage.probing.catalogue.filesystems import Volume, file_system_type, mount_of, volume_look, volume_of
from triage.probing.catalogue.target_process import variables_of
from triage.probing.catalogue.text_forms import MIB, gib, text_of, whole
from triage.probing.probe import File, Look, Probe, Read, Target, Transcript

_SHM = "/dev/shm"  # noqa: S108  (looked at, not written to)
_LIMIT = re.compile(r"^Max ([a-z ]+?) {2,}(\S+) +(\S+)", re.MULTILINE)
_KIB_LIMITS = (("locked memory", "memlock"), ("stack size", "stack"), ("address space", "address_space"))


def _limit_reads(target: Target) -> Sequence[Read]:
    return (File(f"/proc/{target.pid or 'self'}/limits"),)


def _parse_limits(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    known = {found[1]: (found[2], found[3]) for found in _LIMIT.finditer(transcripts[0].text)}
    if "open files" not in known:
        raise ValueError("no line 'Max open files'")
    for name, fact in (("open files", "nofile"), ("processes", "nproc")):
        for value, suffix in zip(known.get(name, ()), ("", "_hard"), strict=False):
            if value != "unlimited":
                yield f"ulimit.{fact}{suffix}", whole(value)
    for name, fact in _KIB_LIMITS:
        if name in known:
            value = known[name][0]
            yield f"ulimit.{fact}_unlimited", value == "unlimited"
            if value != "unlimited":
                yield f"ulimit.{fact}_kb", whole(value) >> 10


def _shm_reads(target: Target) -> Sequence[Read]:
    process = str(target.pid or "self")
    return (
        Look(f"mount of {_SHM}", lambda: mount_of(_SHM, process)),
        volume_look(f"file system of {_SHM}", target, _SHM),
    )


def _parse_shm(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    mount = text_of(transcripts, f"mount of {_SHM}")
    text = text_of(transcripts, f"file system of {_SHM}")
    if mount is not None:
        yield "shm.is_tmpfs", file_system_type(mount) == "tmpfs"
    if text is not None:
        volume = volume_of(text)
        yield "shm.size_mb", volume.size // MIB
        yield "shm.free_mb", volume.free // MIB
        yield "shm.writable", volume.writable
    else:
        # The mount option says as much as the kernel would, where there is one.
        size = re.search(r"(?:^|[ ,])size=([0-9]{1,20})k(?:,|\s|$)", mount or "")
        if size:
            yield "shm.size_mb", whole(size[1]) >> 10


def _temp_reads(target: Target) -> Sequence[Read]:
    variables = variables_of(target)
    path = next((variables[name] for name in ("TMPDIR", "TEMP", "TMP") if variables.get(name)), "/tmp")  # noqa: S108
    return (volume_look("temporary folder", target, path),)


def _parse_temp(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    volume = volume_of(transcripts[0].text)
    yield "tmp.path", volume.path
    yield "tmp.noexec", "noexec" in volume.options
    yield "tmp.free_gb", gib(volume.free)
    yield "tmp.writable", volume.writable and "ro" not in volume.options
    if volume.inodes:
        yield "tmp.free_inodes", volume.free_inodes


def disk_places(target: Target) -> dict[str, str]:
    """Folders that a server writes to or loads from, by the name in the fact."""
    variables = variables_of(target)
    home = variables.get("HOME", "")
    cache = variables.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    hub_home = variables.get("HF_HOME") or (f"{cache}/huggingface" if cache else "")
    hub = (
        variables.get("HF_HUB_CACHE")
        or variables.get("HUGGINGFACE_HUB_CACHE")
        or (f"{hub_home}/hub" if hub_home else "")
    )
    model = target.facts.get("server.model_path")
    places = {"root": "/", "cache": cache, "hf": hub, "model": model if isinstance(model, str) else ""}
    return {name: _with_home(path, home) for name, path in places.items() if path.startswith(("/", "~"))}


def _with_home(path: str, home: str) -> str:
    return posixpath.join(home or "/", path[1:].lstrip("/")) if path.startswith("~") else path


def _disk_reads(target: Target) -> Sequence[Read]:
    return tuple(volume_look(f"disk {name}", target, path) for name, path in disk_places(target).items())


def _parse_disk(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    volumes = {
        item.label.removeprefix("disk "): volume_of(item.text)
        for item in transcripts
        if item.status == "ok" and item.label.startswith("disk ")
    }
    for name, volume in volumes.items():
        yield f"disk.{name}_free_gb", gib(volume.free)
        if volume.inodes:
            yield f"disk.{name}_free_inodes", volume.free_inodes
    yield from _least(volumes)


def _least(volumes: Mapping[str, Volume]) -> Iterator[tuple[str, Value]]:
    """The fullest of the places that are written to: a read-only one or a volume cut to the model's size is full by design."""
    written = [volume for name, volume in volumes.items() if name != "model" and "ro" not in volume.options]
    if not written:
        return
    fullest = min(written, key=lambda volume: volume.free)
    yield "disk.min_free_gb", gib(fullest.free)
    yield "disk.min_free_path", fullest.path
    inodes = [volume.free_inodes for volume in written if volume.inodes]
    if inodes:
        yield "disk.min_free_inodes", min(inodes)


PROBES = (
    Probe(
        "ulimit",
        "Limits of the process: open files, locked memory, processes, stack",
        _limit_reads,
        _parse_limits,
        0.01,
    ),
    Probe("shm-size", "Size of shared memory, /dev/shm", _shm_reads, _parse_shm, 0.01),
    Probe(
        "temp-directory",
        "Whether programs may be run from the temporary folder, and its space",
        _temp_reads,
        _parse_temp,
        0.01,
    ),
    Probe(
        "disk-space",
        "Free space and inodes of the root, the caches and the model's disk",
        _disk_reads,
        _parse_disk,
        0.05,
    ),
)
