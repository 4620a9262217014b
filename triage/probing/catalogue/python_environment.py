"""Which Python the server runs on, and the folders on its path, read from files: no interpreter is started."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from triage.probing.catalogue.elf_file import machine_of
from triage.probing.catalogue.looks import is_folder, is_there
from triage.probing.catalogue.search_path import PathFolder, path_folders
from triage.probing.catalogue.target_process import PROC, inside, outside, resolve, root_of, variables_of
from triage.probing.probe import Target
from triage.records import dataclass

_MINOR = re.compile(r"python(3\.\d{1,3})t?$")
_VERSION = re.compile(r"3\.\d{1,3}(?:\.\d{1,3})?")
_SETTING = re.compile(r"^\s*([\w-]{1,40})\s*=\s*(.{0,400}?)\s*$", re.MULTILINE)
_PATCH_LEVEL = re.compile(r'#define\s+PY_VERSION\s+"(3\.[\d.]{1,12})')
_MAX_TEXT = 200_000


@dataclass(frozen=True, slots=True)
class PythonEnvironment:
    """``chosen``: what pointed to it (``python``, ``pid``, or the variable that was guessed from); ``prefix`` and ``base``
    as the environment's own process names them, ``folders`` as we do; ``uv``: the release of uv that made it."""

    chosen: str
    prefix: Path
    base: Path
    version: str
    machine: str
    folders: tuple[PathFolder, ...]
    root: Path = Path("/")
    uv: str = ""
    is_virtual: bool = False
    is_conda: bool = False
    is_managed: bool = False

    @property
    def is_guess(self) -> bool:
        """True when nobody said that the server runs on it."""
        return self.chosen not in ("python", "pid")

    def holds_server(self) -> bool:
        """True when SGLang or torch lies on its path."""
        return any(is_folder(folder.path / name) for folder in self.folders for name in ("sglang", "torch")) or any(
            next(folder.path.glob("sglang-*.dist-info"), None) is not None for folder in self.folders
        )


def find_environment(target: Target) -> PythonEnvironment:
    """The target's environment; among guesses the first that holds SGLang or torch, else the first.

    Raises:
        OSError: there is none, or the process may not be looked at.
    """
    root, variables = root_of(target), variables_of(target)
    first: PythonEnvironment | None = None
    for chosen, path in _candidates(target, variables, root):
        found = _describe(chosen, path, root, variables)
        if found is not None and (not found.is_guess or found.holds_server()):
            return found
        first = first or found
    if first is None:
        raise FileNotFoundError(errno.ENOENT, "no Python environment found")
    return first


def _candidates(target: Target, variables: Mapping[str, str], root: Path) -> Iterator[tuple[str, Path]]:
    if target.python is not None:
        named = target.python
        bare = not named.is_absolute() and len(named.parts) == 1 and not is_there(named)
        yield from (
            ("python", path) for path in (_on_path(named.name, variables, root) if bare else [named.absolute()])
        )
    elif target.pid is not None:
        yield from (("pid", path) for path in _of_process(target.pid, variables, root))
    else:
        for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
            if folder := variables.get(name):
                yield name, Path(folder)
        for name in ("python3", "python"):
            yield from (("PATH", path) for path in _on_path(name, variables, root))


def _of_process(pid: int, variables: Mapping[str, str], root: Path) -> Iterator[Path]:
    folder = PROC / str(pid)
    with open(folder / "cmdline", "rb") as stream:
        program = os.fsdecode(stream.read(4096).split(b"\0")[0])
    running = inside(root, Path(str((folder / "exe").readlink()).removesuffix(" (deleted)")))
    # A title that the process gave itself stands where its command line was, so the name must look like a program's.
    if Path(program).name.startswith("python"):
        yield from [inside(root, Path(program))] if program.startswith("/") else _on_path(program, variables, root)
    if active := variables.get("VIRTUAL_ENV"):
        yield inside(root, Path(active))
    # An environment's interpreter is a link to the one that runs.
    yield from (path for path in _on_path("python3", variables, root) if resolve(root, path) == running)
    yield running


def _on_path(name: str, variables: Mapping[str, str], root: Path) -> Iterator[Path]:
    for folder in variables.get("PATH", "").split(os.pathsep):
        if folder.startswith("/") and os.access(path := inside(root, Path(folder, name)), os.X_OK):
            yield path


def _describe(chosen: str, path: Path, root: Path, variables: Mapping[str, str]) -> PythonEnvironment | None:
    interpreter, prefix = _interpreter_and_prefix(path, root, variables)
    settings = dict(_SETTING.findall(_text(prefix / "pyvenv.cfg")))
    real = resolve(root, interpreter)
    minor = _minor(real, prefix, settings)
    if not minor or not any(is_folder(prefix / lib / f"python{minor}") for lib in ("lib", "lib64", "local/lib")):
        return None
    home = settings.get("home", "")
    base = inside(root, Path(home)).parent if home.startswith("/") else prefix
    is_virtual = bool(settings)
    with_system = settings.get("include-system-site-packages", "").lower() == "true"
    places = (prefix, base) if is_virtual and with_system else (prefix,)
    folders = path_folders(places, minor, variables, root, user_site=not is_virtual or with_system)
    return PythonEnvironment(
        chosen, outside(root, prefix), outside(root, base),
        _full_version(minor, settings, real, base), _machine(real), tuple(folders), root,
        uv=settings.get("uv", ""),
        is_virtual=is_virtual,
        is_conda=is_folder(prefix / "conda-meta"),
        is_managed=not is_virtual and any(is_there(base / lib / f"python{minor}" / "EXTERNALLY-MANAGED") for lib in ("lib", "lib64")),
    )  # fmt: skip


def _interpreter_and_prefix(path: Path, root: Path, variables: Mapping[str, str]) -> tuple[Path, Path]:
    if is_folder(path):
        if path.name in ("site-packages", "dist-packages") and len(path.parents) > 3:
            path = path.parents[2]
        prefix = path.parent if path.name == "bin" else path
        names = ("python3", "python")
        return next((prefix / "bin" / name for name in names if is_there(prefix / "bin" / name)), prefix), prefix
    if path.parent.name == "shims":
        # pyenv puts a script there that looks up the version to run.
        versions = variables.get("PYENV_VERSION") or _text(path.parent.parent / "version")
        chosen = re.split(r"[:\s]", versions.strip(), maxsplit=1)[0]
        prefix = path.parent.parent / "versions" / (chosen or "-")
        return prefix / "bin" / path.name, prefix
    if is_there(path.parent.parent / "pyvenv.cfg"):
        return path, path.parent.parent
    real = resolve(root, path)
    return real, real.parent.parent


def _minor(real: Path, prefix: Path, settings: Mapping[str, str]) -> str:
    """``3.12``; empty when nothing tells."""
    if named := _MINOR.search(real.name):
        return named[1]
    if stated := _VERSION.match(settings.get("version_info") or settings.get("version", "")):
        return ".".join(stated[0].split(".")[:2])
    minors = (_MINOR.search(folder.name) for folder in prefix.glob("lib*/python3.*"))
    return max((found[1] for found in minors if found), key=lambda text: int(text.split(".")[1]), default="")


def _full_version(minor: str, settings: Mapping[str, str], real: Path, base: Path) -> str:
    """With the patch level where a file or a folder's name tells it, else ``3.12``."""
    texts = [settings.get("version_info", ""), settings.get("version", ""), str(real), str(base)]
    texts += [path.name for path in base.glob(f"conda-meta/python-{minor}.*.json")]
    texts += [found[1] for found in _PATCH_LEVEL.finditer(_text(base / "include" / f"python{minor}" / "patchlevel.h"))]
    full = re.compile(rf"(?<![\d.]){re.escape(minor)}\.\d{{1,3}}(?!\d)")
    return next((found[0] for found in map(full.search, texts) if found), minor)


def _machine(real: Path) -> str:
    try:
        return machine_of(real)
    except (OSError, ValueError):
        return os.uname().machine


def _text(path: Path) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(_MAX_TEXT)
    except OSError:
        return ""
