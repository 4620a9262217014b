"""The process that a probe is about: its variables, and where its files lie as this process sees them."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path

from triage.probing.probe import Target

PROC = Path("/proc")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAX_PARENTS = 4
_MAX_BYTES = 1 << 20
_MAX_LINKS = 16


def variables_of(target: Target) -> Mapping[str, str]:
    """The variables of the target's process; those of the process that asks where there is none or it does not tell."""
    if target.pid is None:
        return target.environment
    try:
        return process_variables(target.pid)[1]
    except OSError:
        return target.environment


def process_variables(pid: int) -> tuple[int, dict[str, str]]:
    """The variables of a process, and the number of the process that they were read from.

    A process that sets its own title writes over them (SGLang's schedulers do); its parent started it with the same
    ones, so they are read there, as long as the parent runs the same program.

    Raises:
        OSError: they cannot be read, or the whole line of parents wrote over theirs.
    """
    program = ""
    for _ in range(_MAX_PARENTS):
        folder = PROC / str(pid)
        variables = _variables(_head(folder / "environ"))
        if variables:
            return pid, variables
        here = str((folder / "exe").readlink())
        if program not in ("", here):
            break
        program, pid = here, _parent(folder)
    raise OSError(errno.ENODATA, "the process has written over its variables")


def root_of(target: Target) -> Path:
    """The root folder of the target's process; ``/`` unless it lives in another one (a container) that may be read."""
    if target.pid is None:
        return Path("/")
    root = PROC / str(target.pid) / "root"
    try:
        same = root.stat().st_ino == Path("/").stat().st_ino and root.stat().st_dev == Path("/").stat().st_dev
    except OSError:
        return Path("/")
    return Path("/") if same else root


def inside(root: Path, path: Path) -> Path:
    """Where ``path``, as a process below ``root`` names it, lies for us. A relative path stays as it is."""
    if root == Path("/") or not path.is_absolute():
        return path
    return root / path.relative_to("/")


def outside(root: Path, path: Path) -> Path:
    """How a process below ``root`` names what lies at ``path`` for us."""
    return path if root == Path("/") or not path.is_relative_to(root) else Path("/") / path.relative_to(root)


def resolve(root: Path, path: Path) -> Path:
    """``path`` with its links followed; below another root only those of the last part, as its links name its own paths."""
    if root == Path("/"):
        return path.resolve()
    for _ in range(_MAX_LINKS):
        try:
            target = path.readlink()
        except OSError:
            break
        path = inside(root, target) if target.is_absolute() else Path(os.path.normpath(path.parent / target))
    return path


def _variables(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in data.split(b"\0"):
        name, equals, value = item.decode("utf-8", "replace").partition("=")
        if equals and _NAME.fullmatch(name):
            found.setdefault(name, value)
    return found


def _parent(folder: Path) -> int:
    # The name in brackets may hold blanks and brackets itself; the parent is the second word after the last one.
    words = _head(folder / "stat").decode("utf-8", "replace").rpartition(")")[2].split()
    if len(words) < 2 or not words[1].isdigit() or words[1] == "0":
        raise OSError(errno.ENODATA, "the process has written over its variables and has no parent to ask")
    return int(words[1])


def _head(path: Path) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(_MAX_BYTES)
