"""Where Python packages lie on this machine, found by looking at folders: no interpreter is started for it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_LIBRARIES = ("lib/python3*/site-packages", "lib/python3*/dist-packages", "local/lib/python3*/dist-packages")
_VERSION = re.compile(r"^(?:__version__ = version|__version__|version) = ['\"]([^'\"]{1,60})['\"]", re.MULTILINE)


def library_folders(python: Path | None, environment: Mapping[str, str]) -> Iterator[Path]:
    """The folders of installed packages that belong to ``python`` (an interpreter, or the folder of an environment).

    Without one: those of the active virtual environment, of the interpreter that runs us, and of the ``python3`` and
    ``python`` on the PATH. Each folder once.
    """
    seen: set[Path] = set()
    for prefix in [_prefix(python)] if python is not None else _prefixes(environment):
        for pattern in (*_LIBRARIES, "lib/python3/dist-packages"):
            for folder in sorted(prefix.glob(pattern)):
                if folder not in seen:
                    seen.add(folder)
                    yield folder


def package_version(package: Path) -> str:
    """The version that a package states in its own ``version.py``, or that its metadata's folder is named after; or ``""``."""
    for name in ("version.py", "_version.py"):
        try:
            with open(package / name, encoding="utf-8", errors="replace") as stream:
                found = _VERSION.search(stream.read(20_000))
        except OSError:
            continue
        if found:
            return found[1]
    folders = sorted(package.parent.glob(f"{package.name}-*.dist-info"))
    return folders[-1].name.removesuffix(".dist-info").partition("-")[2] if folders else ""


def _prefixes(environment: Mapping[str, str]) -> Iterator[Path]:
    if active := environment.get("VIRTUAL_ENV"):
        yield Path(active)
    yield Path(sys.prefix)
    for folder in environment.get("PATH", "").split(os.pathsep):
        for name in ("python3", "python"):
            if folder and os.access(path := Path(folder, name), os.X_OK):
                # Both as it is named (a virtual environment) and as what it links to (a system's own).
                yield from (_prefix(path), _prefix(path.resolve()))


def _prefix(python: Path) -> Path:
    return python if python.is_dir() else python.parent.parent
