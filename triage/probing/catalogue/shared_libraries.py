"""Which of the libraries that a server needs the dynamic loader knows: its cache, or else a listing of its folders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from triage.model import Value
from triage.probing.catalogue.loader_folders import loader_folders
from triage.probing.catalogue.looks import look
from triage.probing.catalogue.target_process import root_of
from triage.probing.probe import Command, Probe, Read, Target, Transcript, by_label

CACHE = Command(("ldconfig", "-p"))
LISTING_LABEL = "library folders"
_ENTRY = re.compile(r"\s*(\S+) \(([^()\n]{1,200})\) => (/.*)")
_MAX_LINES = 50_000
_MAX_LISTED = 2000

_LIBRARIES = {
    "cudart": "libcudart", "libnuma": "libnuma", "libucp": "libucp", "libcuda": "libcuda", "libnvrtc": "libnvrtc",
    "libcudnn": "libcudnn", "libcusparselt": "libcusparseLt", "libnvshmem": "libnvshmem_host", "libnccl": "libnccl",
    "libibverbs": "libibverbs", "libmlx5": "libmlx5", "librdmacm": "librdmacm", "libnvidia_ml": "libnvidia-ml",
    "libgomp": "libgomp", "libstdcxx": "libstdc++",
}  # fmt: skip
"""Fact to the beginning of the file's name, which ``.so`` follows."""


def loader_cache(root: Path) -> tuple[Command, ...]:
    """How the loader's cache is read; not at all for a process with another root (a container), which has its own."""
    return (CACHE,) if root == Path("/") else ()


def cache_entries(text: str) -> dict[str, str]:
    """Name to path of every library in the output of ``ldconfig -p`` for programs of this machine's own word size."""
    found: dict[str, str] = {}
    entries = [entry.groups() for entry in map(_ENTRY.fullmatch, text.split("\n")[:_MAX_LINES]) if entry]
    # Where 64-bit libraries are marked, an entry without a mark is a 32-bit one, which no server can load.
    marked = any(_is_marked(flags) for _, flags, _ in entries)
    for name, flags, path in entries:
        if not marked or _is_marked(flags):
            found.setdefault(name, path)
    return found


def parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    """``ldconfig.*``: is it there, and for CUDA's runtime and cuDNN which major releases are."""
    entries = _known(transcripts)
    for fact, start in _LIBRARIES.items():
        yield f"ldconfig.{fact}", any(name.startswith(f"{start}.so") for name in entries)
    for fact, start in (
        ("cudart_majors", "libcudart"),
        ("libnvrtc_majors", "libnvrtc"),
        ("libcudnn_majors", "libcudnn"),
    ):
        yield f"ldconfig.{fact}", _majors(entries, start)


def _known(transcripts: Sequence[Transcript]) -> Mapping[str, str]:
    cache = by_label(transcripts, CACHE.label)
    listing = by_label(transcripts, LISTING_LABEL)
    if cache is not None and (entries := cache_entries(cache.text)):
        return entries
    # No cache (it was never built), or a loader that has none (musl): what lies in the folders is found all the same.
    if listing is not None:
        return cache_entries(listing.text)
    raise ValueError("no library in the loader's cache, and its folders were not listed")


def _majors(entries: Mapping[str, str], start: str) -> tuple[str, ...]:
    pattern = re.compile(re.escape(start) + r"\.so\.(\d{1,3})(?:\.|$)")
    return tuple(sorted({found[1] for found in map(pattern.match, entries) if found}))


def _is_marked(flags: str) -> bool:
    return "64" in flags or "hard-float" in flags or "listed" in flags


def _listing(root: Path) -> str:
    return "\n".join(islice(_listed(root), _MAX_LISTED))


def _listed(root: Path) -> Iterator[str]:
    starts = tuple(f"{start}.so" for start in _LIBRARIES.values())
    for folder in loader_folders(root):
        try:
            names = sorted(path.name for path in folder.iterdir())
        except OSError:
            continue
        yield from (
            f"\t{name} (listed) => {folder / name}" for name in names if name.startswith(starts) and name.isprintable()
        )


def _reads(target: Target) -> Sequence[Read]:
    root = root_of(target)
    return (*loader_cache(root), look(LISTING_LABEL, lambda: _listing(root)))


PROBES = (Probe("ldconfig", "Libraries that the dynamic loader knows", _reads, parse),)
