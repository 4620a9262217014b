"""Probes: the operating system, memory and NUMA (and, from their own module, the limits of a container)."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from triage.model import Value
from triage.probing.catalogue.container import CONTAINER_LIMITS
from triage.probing.catalogue.numa import NUMA_POLICY
from triage.probing.catalogue.text_forms import gib, pairs, sections, text_of, whole
from triage.probing.probe import File, Look, Probe, Transcript, fixed


def _uname() -> str:
    # Without the node's name: nobody needs it, and a recording is shown to others.
    found = os.uname()
    return f"system {found.sysname}\nrelease {found.release}\nmachine {found.machine}\n"


def _c_library() -> str:
    try:
        name = os.confstr("CS_GNU_LIBC_VERSION")
    except ValueError:
        name = None  # a library that does not know the question is not glibc
    if name:
        return name
    if any(Path("/lib").glob("ld-musl-*")):
        return "musl"
    raise FileNotFoundError("neither glibc nor musl was found")


def _parse_os(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    release = text_of(transcripts, "/etc/os-release")
    if release is None:
        release = text_of(transcripts, "/usr/lib/os-release")
    yield from _distribution(release or "")
    kernel = pairs(text_of(transcripts, "uname") or "")
    banner = text_of(transcripts, "/proc/version") or ""
    words = banner.split()
    version = kernel.get("release") or (words[2] if words[:2] == ["Linux", "version"] and len(words) > 2 else "")
    if version:
        yield "kernel.version", version
        yield "os.wsl", "microsoft" in f"{version} {banner}".lower()
    if kernel.get("machine"):
        yield "os.machine", kernel["machine"]
    library = (text_of(transcripts, "C library") or "").split()
    if library:
        yield "os.libc", library[0]
    if library[:1] == ["glibc"] and len(library) == 2:
        yield "glibc.version", library[1]


def _distribution(text: str) -> Iterable[tuple[str, Value]]:
    """Facts of an os-release file: assignments as a shell would read them, one a line."""
    names = {"NAME": "os.name", "ID": "os.id", "VERSION_ID": "os.version"}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name in names:
            words = shlex.split(value)
            if words:
                yield names[name], words[0]


def _parse_memory(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    known = pairs(text_of(transcripts, "/proc/meminfo") or "")
    names = {
        "MemTotal": "memory.host_total_gb",
        "MemAvailable": "memory.host_available_gb",
        "Shmem": "memory.host_shared_gb",
        "SwapTotal": "memory.swap_total_gb",
        "SwapFree": "memory.swap_free_gb",
    }
    if known and "MemTotal" not in known:
        raise ValueError("/proc/meminfo has no MemTotal")
    yield from ((fact, gib(_kib(known[name]))) for name, fact in names.items() if name in known)
    for name, fact in (("HugePages_Total", "total"), ("HugePages_Free", "free")):
        if name in known:
            yield f"memory.hugepages_{fact}", whole(known[name])
    if "Hugepagesize" in known:
        yield "memory.hugepage_kb", _kib(known["Hugepagesize"]) >> 10
    nodes = [_node_memory(body) for _, body in sections(text_of(transcripts, "/node*/meminfo") or "")]
    if nodes:
        yield "memory.numa_total_gb", tuple(gib(node.get("MemTotal", 0)) for node in nodes)
        yield "memory.numa_free_gb", tuple(gib(node.get("MemFree", 0)) for node in nodes)
    for name in ("overcommit_memory", "max_map_count"):
        text = text_of(transcripts, f"/vm/{name}")
        if text is not None:
            yield f"memory.{name}", whole(text)


def _kib(text: str) -> int:
    """Bytes of ``263855108 kB``."""
    return whole(text.removesuffix("kB")) << 10


def _node_memory(body: str) -> dict[str, int]:
    """Bytes by name of one node's file, whose lines begin with ``Node 0``."""
    found = {}
    for line in body.splitlines():
        words = line.split()
        if len(words) == 5 and words[0] == "Node" and words[4] == "kB":
            found[words[2].rstrip(":")] = whole(words[3]) << 10
    return found


OS = Probe(
    "os",
    "The distribution, the kernel and the C library",
    fixed(
        File("/etc/os-release"),
        File("/usr/lib/os-release"),
        File("/proc/version"),
        Look("uname", _uname),
        Look("C library", _c_library),
    ),
    _parse_os,
    0.01,
)

MEMORY = Probe(
    "memory",
    "Memory of the host, its huge pages and its NUMA nodes",
    fixed(
        File("/proc/meminfo"),
        File("/sys/devices/system/node/node*/meminfo"),
        File("/proc/sys/vm/overcommit_memory"),
        File("/proc/sys/vm/max_map_count"),
    ),
    _parse_memory,
    0.01,
)

PROBES = (OS, CONTAINER_LIMITS, MEMORY, NUMA_POLICY)
