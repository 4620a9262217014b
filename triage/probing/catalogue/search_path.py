"""The folders of installed packages on an interpreter's path, in the order in which it searches them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from triage.probing.catalogue.looks import is_folder
from triage.probing.catalogue.target_process import inside
from triage.records import dataclass

_MAX_LINKS = 200


@dataclass(frozen=True, slots=True)
class PathFolder:
    """A folder on the path. ``is_linked``: it is there because a ``.pth`` file names it (a package installed for editing)."""

    path: Path
    is_linked: bool = False


def path_folders(
    prefixes: Sequence[Path], minor: str, variables: Mapping[str, str], root: Path, *, user_site: bool
) -> Iterator[PathFolder]:
    """PYTHONPATH, the user's own folder, then those of each prefix; each with what its ``.pth`` files add, each once."""
    seen: set[str] = set()

    def fresh(path: Path) -> bool:
        real = os.path.realpath(path)
        if real in seen or not is_folder(path):
            return False
        seen.add(real)
        return True

    for part in variables.get("PYTHONPATH", "").split(os.pathsep):
        if part.startswith("/") and fresh(path := inside(root, Path(part))):
            yield PathFolder(path)
    places = [*(_user_site(minor, variables, root) if user_site else ())]
    places += [folder for prefix in prefixes for folder in _site_folders(prefix, minor)]
    for path in places:
        if fresh(path):
            yield PathFolder(path)
            yield from (PathFolder(added, is_linked=True) for added in _linked(path, root) if fresh(added))


def _site_folders(prefix: Path, minor: str) -> Iterator[Path]:
    for lib in ("lib", "lib64"):
        yield prefix / lib / f"python{minor}" / "site-packages"
    # Debian's own layout: what pip installs lies below local, what apt installs in a folder without a minor version.
    yield prefix / "local" / "lib" / f"python{minor}" / "dist-packages"
    yield prefix / "lib" / "python3" / "dist-packages"
    yield prefix / "lib" / f"python{minor}" / "dist-packages"


def _user_site(minor: str, variables: Mapping[str, str], root: Path) -> Iterator[Path]:
    base = variables.get("PYTHONUSERBASE") or f"{variables.get('HOME', '')}/.local"
    if base.startswith("/") and not variables.get("PYTHONNOUSERSITE"):
        yield inside(root, Path(base, "lib", f"python{minor}", "site-packages"))


def _linked(folder: Path, root: Path) -> Iterator[Path]:
    count = 0
    for file in sorted(folder.glob("*.pth")):
        try:
            with open(file, encoding="utf-8", errors="replace") as stream:
                lines = stream.read(65_536).splitlines()
        except OSError:
            continue
        for line in lines:
            # A line that begins with import is code, which is not run here.
            if line.strip() and "\0" not in line and not line.startswith(("#", "import ", "import\t")):
                count += 1
                if count > _MAX_LINKS:
                    return
                yield folder / inside(root, Path(line.strip()))
