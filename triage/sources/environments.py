"""Where Python packages lie on this machine, found by looking at folders: no interpreter is started for it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_LIBRARIES = (
    "lib/python3*/site-packages", "lib64/python3*/site-packages", "lib/python3*/dist-packages",
    "local/lib/python3*/dist-packages",
)  # fmt: skip
_MOST_LINKS = 200
_VERSION = re.compile(r"^(?:__version__ = version|__version__|version) = ['\"]([^'\"]{1,60})['\"]", re.MULTILINE)


def library_folders(python: Path | None, environment: Mapping[str, str]) -> Iterator[Path]:
    """The folders of installed packages that belong to ``python`` (an interpreter, or the folder of an environment).

    Without one: those of the active virtual environment, of the interpreter that runs us, and of the ``python3`` and
    ``python`` on the PATH. Each folder once.
    """
    seen: set[Path] = set()
    for library in _of_interpreter(python) if python is not None else _of_machine(environment):
        for folder in (library, *_linked(library)):
            if folder not in seen:
                seen.add(folder)
                yield folder


def package_version(package: Path) -> str:
    """The version that a package states in its own ``version.py``, or that its metadata's folder is named after; or ``""``."""
    for name in ("version.py", "_version.py"):
        found = None
        with contextlib.suppress(OSError):
            # Asked first, not to wait for a writer, should a named pipe stand in its place.
            if (package / name).is_file():
                with open(package / name, encoding="utf-8", errors="replace") as stream:
                    found = _VERSION.search(stream.read(20_000))
        if found:
            return found[1]
    folders = sorted(package.parent.glob(f"{package.name}-*.dist-info"))
    return folders[-1].name.removesuffix(".dist-info").partition("-")[2] if folders else ""


def _of_interpreter(python: Path) -> list[Path]:
    """Those of the environment that it lies in; of a link that lies in none, those of what it links to."""
    return _libraries(_prefix(python)) or _libraries(_prefix(_target(python)))


def _of_machine(environment: Mapping[str, str]) -> Iterator[Path]:
    if active := environment.get("VIRTUAL_ENV"):
        yield from _libraries(Path(active))
    yield from _libraries(Path(sys.prefix))
    for folder in environment.get("PATH", "").split(os.pathsep):
        for name in ("python3", "python"):
            if folder and os.access(path := Path(folder, name), os.X_OK):
                # Both as it is named (a virtual environment) and as what it links to (a system's own).
                yield from _libraries(_prefix(path))
                yield from _libraries(_prefix(_target(path)))


def _libraries(prefix: Path) -> list[Path]:
    """The folders of packages below ``prefix``; none where it may not be read or its name cannot be one."""
    with contextlib.suppress(OSError):
        return [folder for pattern in _LIBRARIES for folder in sorted(prefix.glob(pattern))]
    return []


def _linked(library: Path) -> list[Path]:
    """The folders that ``*.pth`` files add, as an editable install does: their lines are read and never run."""
    found: list[Path] = []
    with contextlib.suppress(OSError, ValueError):
        for file in sorted(library.glob("*.pth"))[:_MOST_LINKS]:
            if file.is_file():
                with open(file, encoding="utf-8", errors="replace") as stream:
                    lines = stream.read(100_000).splitlines()
                found.extend(Path(line) for line in lines if os.path.isabs(line) and os.path.isdir(line))  # noqa: PTH112, PTH117
    return found


def _prefix(python: Path) -> Path:
    return python if os.path.isdir(python) else python.absolute().parent.parent  # noqa: PTH112  (as below)


def _target(python: Path) -> Path:
    """What it links to. Path.resolve would raise for a link to itself."""
    return Path(os.path.realpath(python))
