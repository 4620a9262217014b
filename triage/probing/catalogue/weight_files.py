"""The weight files of a model's folder: how many, how large, and which are missing, truncated or only pointers."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from triage.records import dataclass

_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".gguf")
_SHARD = re.compile(r"(.{1,150})-(\d{5,6})-of-(\d{5,6})(\.(?:safetensors|bin|pt|gguf))")
_MAX_SHARDS = 10_000
_NAMED = re.compile(rb'"([^"\\/\x00-\x1f]{1,200}\.(?:safetensors|bin))"')
_OFFSETS = re.compile(rb'"data_offsets"\s*:\s*\[\s*\d{1,18}\s*,\s*(\d{1,18})\s*\]')
_POINTER = b"version https://git-lfs"
_NOT_WEIGHTS = frozenset(
    ("training_args.bin", "optimizer.bin", "scheduler.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth")
)
_MAX_INDEX = 64 << 20
_MAX_HEADER = 32 << 20
_HEADERS_S = 2.0
_OVERLAP = 200


@dataclass(frozen=True, slots=True)
class Weights:
    """``bytes`` of the files that the loader would read; ``missing``: named by the index, or by the numbers of their
    neighbours, and not there; ``pointers``: Git LFS text in a weight file's place; ``truncated``: shorter than they say;
    ``unchecked``: how many there was no time to look into."""

    files: int
    bytes: int
    missing: tuple[str, ...]
    pointers: tuple[str, ...]
    truncated: tuple[str, ...]
    unchecked: int = 0


def inspect_weights(folder: Path) -> Weights:
    """Look at names, sizes and, while two seconds last, the headers of the safetensors files; never at the weights.

    Raises:
        OSError: the folder cannot be listed.
    """
    sizes = dict(_sizes(folder))
    # The index of safetensors goes first, as the loader takes those when there are both.
    wanted = _indexed(folder / "model.safetensors.index.json")
    if not wanted and not any(name.endswith(".safetensors") for name in sizes):
        wanted = _indexed(folder / "pytorch_model.bin.index.json")
    used = {name: size for name, size in sizes.items() if name in wanted} if wanted else _usual(sizes)
    missing = (wanted or set(_numbered(used))) - {name for name, size in sizes.items() if size}
    pointers = [name for name, size in used.items() if size < 1024 and _head(folder / name, 64).startswith(_POINTER)]
    whole = {
        name: size for name, size in used.items() if name.endswith(".safetensors") and name not in pointers and size
    }
    truncated, unchecked = _truncated(folder, whole)
    total = sum(used.values())
    return Weights(len(used), total, tuple(sorted(missing)), tuple(sorted(pointers)), tuple(truncated), unchecked)


def _sizes(folder: Path) -> Iterator[tuple[str, int]]:
    for name in sorted(path.name for path in folder.iterdir()):
        if name.endswith(_SUFFIXES) and name not in _NOT_WEIGHTS and name.isprintable():
            try:
                yield name, (folder / name).stat().st_size
            except OSError:
                continue  # a link of a cache whose file is gone


def _usual(sizes: Mapping[str, int]) -> dict[str, int]:
    """Without an index: the files of the first kind that there is; without Mistral's second copy of the same weights."""
    for suffix in _SUFFIXES:
        kind = {name: size for name, size in sizes.items() if name.endswith(suffix)}
        plain = {name: size for name, size in kind.items() if not name.startswith("consolidated")}
        if kind:
            return plain or kind
    return {}


def _indexed(path: Path) -> set[str]:
    """The files that an index names. Only the names are looked for: an index of ten megabytes takes long to read as JSON."""
    found: set[bytes] = set()
    rest = b""
    try:
        with open(path, "rb") as stream:
            for _ in range(_MAX_INDEX >> 20):
                block = stream.read(1 << 20)
                if not block:
                    break
                found.update(_NAMED.findall(rest + block))
                rest = block[-_OVERLAP - 16 :]
    except OSError:
        return set()
    return {name.decode("utf-8", "replace") for name in found}


def _numbered(names: Mapping[str, int]) -> Iterator[str]:
    """Every name of a series ``model-00001-of-00030.safetensors`` of which one is there."""
    series = {(found[1], found[3], found[4], len(found[2])) for found in map(_SHARD.fullmatch, names) if found}
    for stem, total, suffix, width in series:
        if int(total) <= _MAX_SHARDS:
            # Nearly all series count from 1; one that begins with 0 ends one earlier.
            first = 0 if f"{stem}-{0:0{width}d}-of-{total}{suffix}" in names else 1
            yield from (f"{stem}-{first + number:0{width}d}-of-{total}{suffix}" for number in range(int(total)))


def _truncated(folder: Path, sizes: Mapping[str, int]) -> tuple[list[str], int]:
    """(files that are shorter than their header says, how many there was no time to look into)."""
    end = time.monotonic() + _HEADERS_S
    found: list[str] = []
    for number, (name, size) in enumerate(sizes.items()):
        if time.monotonic() > end:
            return found, len(sizes) - number
        if _is_truncated(folder / name, size):
            found.append(name)
    return found, 0


def _is_truncated(path: Path, size: int) -> bool:
    """A header's length in eight bytes, the header, then the tensors at the offsets that it states."""
    start = _head(path, 8)
    length = int.from_bytes(start, "little")
    if not start or length > _MAX_HEADER:
        return bool(start) and 8 + length > size
    header = _head(path, 8 + length)[8:]
    stated = max((int(found[1]) for found in _OFFSETS.finditer(header)), default=0)
    return len(start) < 8 or 8 + length + stated > size


def _head(path: Path, size: int) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(size)
    except OSError:
        return b""
