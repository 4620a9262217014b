"""How many kernels DeepGEMM has compiled and kept: with none, a first start takes ten minutes and more."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from triage.model import Value
from triage.probing.catalogue.looks import is_folder, look
from triage.probing.catalogue.target_process import inside, outside, root_of, variables_of
from triage.probing.probe import Probe, Read, Target, Transcript, by_label

LABEL = "DeepGEMM's cache"
_VARIABLES = ("SGLANG_DG_CACHE_DIR", "SGL_DG_CACHE_DIR", "DG_JIT_CACHE_DIR", "DG_CACHE_DIR")
_DEFAULTS = (".cache/deep_gemm", ".cache/sglang/deep_gemm", ".deep_gemm")
_LINE = re.compile(r"folder kernels=(\d{1,9}) broken=(\d{1,9}) writable=(yes|no) (/.*)")
_COMPILED = ("kernel.cubin", "kernel.so")
_MAX_KERNELS = 20_000


def describe(target: Target) -> str:
    """The text of the transcript: a line for each folder that there is."""
    root, variables = root_of(target), variables_of(target)
    lines = ["caches"]
    for path in _folders(variables):
        folder = inside(root, path)
        if is_folder(folder):
            kernels, broken = _count(folder)
            writable = "yes" if os.access(folder, os.W_OK) else "no"
            lines.append(f"folder kernels={kernels} broken={broken} writable={writable} {outside(root, folder)}")
    return "\n".join(lines)


def parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    """``deepgemm.cached_kernels`` over all folders; ``deepgemm.broken_kernels``: without their source or their binary."""
    transcript = by_label(transcripts, LABEL)
    if transcript is None or not transcript.text.startswith("caches"):
        raise ValueError("no listing of caches")
    found = [line.groups() for line in map(_LINE.fullmatch, transcript.text.split("\n")) if line]
    yield "deepgemm.cached_kernels", sum(int(kernels) for kernels, _, _, _ in found)
    yield "deepgemm.broken_kernels", sum(int(broken) for _, broken, _, _ in found)
    if found:
        yield "deepgemm.cache_folders", tuple(path for _, _, _, path in found[:8])


def _folders(variables: Mapping[str, str]) -> Iterator[Path]:
    """What a variable names, then the defaults of SGLang's and of DeepGEMM's releases."""
    seen: set[str] = set()
    home = variables.get("HOME", "")
    named = [variables.get(name, "") for name in _VARIABLES]
    for text in (*named, *(f"{home}/{name}" for name in _DEFAULTS if home)):
        if text.startswith("/") and text not in seen:
            seen.add(text)
            yield Path(text)


def _count(folder: Path) -> tuple[int, int]:
    """(complete, broken) kernels: folders ``kernel.NAME.HASH`` in ``cache``, or in that of each process below."""
    kernels = broken = 0
    for path in islice(_kernels(folder), _MAX_KERNELS):
        if any((path / name).exists() for name in _COMPILED):
            kernels += 1
        else:
            broken += 1
    return kernels, broken


def _kernels(folder: Path) -> Iterator[Path]:
    for pattern in ("cache/kernel.*", "*/cache/kernel.*"):
        yield from (path for path in folder.glob(pattern) if path.is_dir())


def _reads(target: Target) -> Sequence[Read]:
    return (look(LABEL, lambda: describe(target)),)


PROBES = (Probe("deepgemm-cache", "Kernels that DeepGEMM has compiled and kept", _reads, parse, cost_s=0.2),)
