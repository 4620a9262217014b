"""What the compiled kernels of SGLang need from other libraries, and whether the loader would find it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from triage.model import Value
from triage.probing.catalogue.elf_file import ElfFile, read_elf
from triage.probing.catalogue.loader_folders import loader_folders
from triage.probing.catalogue.looks import is_folder, is_there, look
from triage.probing.catalogue.python_environment import PythonEnvironment, find_environment
from triage.probing.catalogue.shared_libraries import CACHE, cache_entries, loader_cache
from triage.probing.catalogue.target_process import inside, outside, resolve, root_of, variables_of
from triage.probing.probe import NotApplicable, Probe, Read, Target, Transcript, by_label

LABEL = "libraries that sgl_kernel needs"
_MAX_OBJECTS = 24
_MAX_LINES = 5000
_MAX_FACT = 40
_NEED = re.compile(r"needs (\S+) (found|unfound)(?: (/.*))?")
_OBJECT = re.compile(r"object (\S+) machine=(\S+) (/.*)")
_CUDA = re.compile(r"libcudart\.so\.(\d{1,3})(?:\.\d+)*")
_LOADER = re.compile(r"(?:ld-linux|ld64|ld-musl|linux-vdso)\b.*")
# torch loads its own libraries and those of NVIDIA's wheels before anything imports a kernel.
_PRELOADED = ("torch/lib", "nvidia/*/lib", "nvidia/*/lib64", "nvidia/*/*/lib", "triton/_C", "*.libs")


def describe(target: Target) -> str:
    """The text of the transcript: each object of the first ``sgl_kernel`` on the path, and each name that it needs."""
    root, variables = root_of(target), variables_of(target)
    environment = find_environment(target)
    lines = [f"python {environment.prefix}"]
    package = next((folder.path for folder in environment.folders if is_folder(folder.path / "sgl_kernel")), None)
    if package is None:
        return "\n".join([*lines, "no-package"])
    everywhere = [*_preloaded(environment), *loader_folders(root)]
    for path in sorted((package / "sgl_kernel").rglob("*.so"))[:_MAX_OBJECTS]:
        shown = outside(root, path)
        try:
            elf = read_elf(path)
        except (OSError, ValueError) as error:
            lines.append(f"unreadable {path.relative_to(package / 'sgl_kernel')} {error}")
            continue
        lines.append(f"object {path.relative_to(package / 'sgl_kernel')} machine={elf.machine} {shown}")
        folders = [*_own_folders(elf, path, variables, root), *everywhere]
        for name in elf.needed:
            place = _place(name, folders, variables, root)
            lines.append(f"needs {name} found {outside(root, place)}" if place else f"needs {name} unfound")
    return "\n".join(lines)


def parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    """``sgl_kernel.*``: names over all objects, since which object is loaded depends on the GPU."""
    transcript = by_label(transcripts, LABEL)
    if transcript is None:
        raise ValueError("the kernels were not looked at")
    lines = transcript.text.split("\n")[:_MAX_LINES]
    if not lines[0].startswith("python "):
        raise ValueError("the transcript names no interpreter")
    if "no-package" in lines:
        raise NotApplicable(f"no sgl_kernel in {lines[0].removeprefix('python ')}")
    cache = by_label(transcripts, CACHE.label)
    cached = cache_entries(cache.text) if cache is not None else {}
    objects = [found.groups() for found in map(_OBJECT.fullmatch, lines) if found]
    needs = [found.groups() for found in map(_NEED.fullmatch, lines) if found]
    missing = {
        name for name, state, _ in needs if state == "unfound" and name not in cached and not _LOADER.match(name)
    }
    yield "sgl_kernel.objects", tuple(name for name, _, _ in objects)
    yield "sgl_kernel.needs", _names(name for name, _, _ in needs)
    yield "sgl_kernel.missing_libraries", _names(missing)
    if unreadable := [line.split(" ")[1] for line in lines if line.startswith("unreadable ")]:
        yield "sgl_kernel.unreadable_objects", _names(unreadable)
    if majors := sorted({found[1] for name, _, _ in needs if (found := _CUDA.fullmatch(name))}):
        yield "sgl_kernel.cuda_majors", tuple(majors)
    if machines := sorted({machine for _, machine, _ in objects}):
        yield "sgl_kernel.machine", ",".join(machines[:4])


def _own_folders(elf: ElfFile, path: Path, variables: Mapping[str, str], root: Path) -> Iterator[Path]:
    """In the loader's order: RPATH, unless there is a RUNPATH; LD_LIBRARY_PATH; RUNPATH."""
    origin = str(resolve(root, path).parent)
    search = () if elf.runpath else elf.rpath
    for part in (*search, *variables.get("LD_LIBRARY_PATH", "").split(":"), *elf.runpath):
        if "$ORIGIN" in part or "${ORIGIN}" in part:
            yield Path(os.path.normpath(part.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)))
        elif part.startswith("/"):
            yield inside(root, Path(part))


def _preloaded(environment: PythonEnvironment) -> Iterator[Path]:
    for folder in environment.folders:
        for pattern in _PRELOADED:
            yield from sorted(folder.path.glob(pattern))


def _place(name: str, folders: Sequence[Path], variables: Mapping[str, str], root: Path) -> Path | None:
    if not name.isprintable() or "/" in name:
        return None
    if _CUDA.fullmatch(name):
        # sgl_kernel itself looks for the runtime in the toolkit before it loads its objects.
        home = variables.get("CUDA_HOME") or variables.get("CUDA_PATH") or "/usr/local/cuda"
        folders = [*folders, *(inside(root, Path(home, lib)) for lib in ("lib", "lib64") if home.startswith("/"))]
    return next((folder / name for folder in folders if is_there(folder / name)), None)


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names))[:_MAX_FACT])


def _reads(target: Target) -> Sequence[Read]:
    return (look(LABEL, lambda: describe(target)), *loader_cache(root_of(target)))


PROBES = (Probe("kernel-libraries", "Libraries that SGLang's compiled kernels need", _reads, parse, cost_s=0.3),)
