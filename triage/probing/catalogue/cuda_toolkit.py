"""What compiles kernels at run time: the CUDA toolkit, ninja, the C and C++ compilers."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from triage.lazy_regex import lazy_regex
from triage.model import Value
from triage.probing.catalogue.nvidia_devices import files, first
from triage.probing.probe import Command, File, Look, Probe, Read, Target, Transcript, by_label

_DEFAULT_HOME = "/usr/local/cuda"
_HOME = "CUDA home"
_NVCC = Command(("nvcc", "--version"))
_NINJA = Command(("ninja", "--version"))
_GCC = Command(("gcc", "--version"))
_CXX = Command(("g++", "--version"))
_BESIDE = "ninja beside python"
_VERSION = lazy_regex(r"\d{1,4}(?:\.\d{1,4}){1,3}")


def _home_of(environment: Mapping[str, str]) -> tuple[str, str]:
    """The folder where PyTorch would look for the toolkit, and what names it."""
    for name in ("CUDA_HOME", "CUDA_PATH"):
        if environment.get(name):
            return environment[name], name
    nvcc = shutil.which("nvcc", path=environment.get("PATH", os.defpath))
    if nvcc is not None:
        return str(Path(nvcc).parent.parent), "PATH"
    return _DEFAULT_HOME, "default"


def _describe(home: str, named_by: str) -> str:
    folder = Path(home)
    return "\n".join(
        (
            f"home: {home}",
            f"named by: {named_by}",
            f"exists: {folder.is_dir()}",
            f"nvcc: {(folder / 'bin' / 'nvcc').exists()}",
            f"headers: {(folder / 'include' / 'cuda_runtime.h').exists()}",
        )
    )


def _reads(target: Target) -> Sequence[Read]:
    home, named_by = _home_of(target.environment)
    # Not $CUDA_HOME/bin/nvcc: what the variable of some other process names must not be run by whoever asks.
    reads: list[Read] = [_NVCC, _NINJA, _GCC, _CXX, Look(_HOME, lambda: _describe(home, named_by))]
    # Brackets would be wildcards.
    if not re.search(r"[*?\[]", home):
        reads.append(File(f"{home}/version.[jt][sx][ot]*"))
    if target.python is not None:
        folder = target.python if target.python.is_dir() else target.python.parent
        reads.append(Look(_BESIDE, lambda: str(any((folder / each).exists() for each in ("ninja", "bin/ninja")))))
    return reads


def parse(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """Facts on the tools. ``nvcc.version`` is its release, such as 12.8; ``<tool>.on_path`` says whether there is one at all.

    Raises ValueError if nothing of it could be read.
    """
    facts = dict(_tools(transcripts))
    home = by_label(transcripts, _HOME)
    if home is not None:
        facts.update(_home(home.text))
    for item in transcripts:
        if "/version." in item.label and item.status == "ok":
            facts.update(_toolkit(item.text))
    beside = by_label(transcripts, _BESIDE)
    if beside is not None:
        facts["ninja.beside_python"] = beside.text.strip() == "True"
    if not facts:
        raise ValueError("no tool answered")
    yield from facts.items()


def _tools(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    for name, command in (("nvcc", _NVCC), ("ninja", _NINJA), ("gcc", _GCC), ("gxx", _CXX)):
        item = first(transcripts, command.label)
        if item.status in ("ok", "absent"):
            yield f"{name}.on_path", item.status == "ok"
        version = _version(name, item.text) if item.status == "ok" else None
        if version is not None:
            yield f"{name}.version", version


def _version(name: str, text: str) -> str | None:
    if name == "nvcc":
        found = re.search(r"Cuda compilation tools, release (\d{1,2}\.\d{1,2})", text)
        return found[1] if found is not None else None
    # The first line ends in the version; the bracket before it names the distribution's package, which has another.
    line = re.sub(r"\([^)\n]{0,200}\)", "", text[:300].partition("\n")[0])
    numbers = _VERSION.findall(line)
    return str(numbers[0]) if numbers else None


def _home(text: str) -> Iterator[tuple[str, Value]]:
    values = dict(line.partition(": ")[::2] for line in text.splitlines() if ": " in line)
    named_by = values.get("named by", "")
    exists = values.get("exists") == "True"
    # A default that is not there is nobody's choice.
    if named_by != "default" or exists:
        yield "cuda.home", values.get("home", "")
        yield "cuda.home_named_by", named_by
    yield "cuda.home_exists", exists
    if exists:
        yield "cuda.home_has_nvcc", values.get("nvcc") == "True"
        yield "cuda.home_has_headers", values.get("headers") == "True"


def _toolkit(text: str) -> Iterator[tuple[str, Value]]:
    """``version.json`` since CUDA 11.1, ``version.txt`` before."""
    for part in files(text).values():
        found = re.search(r'"cuda"\s{0,20}:\s{0,20}\{[^}]{0,400}?"version"\s{0,20}:\s{0,20}"([\d.]{3,20})"', part)
        found = found or re.search(r"CUDA Version ([\d.]{3,20})", part)
        if found is not None:
            yield "cuda.toolkit_version", found[1]


PROBES = (Probe("cuda-toolkit", "The CUDA toolkit, ninja and the compilers", _reads, parse, cost_s=0.3),)
