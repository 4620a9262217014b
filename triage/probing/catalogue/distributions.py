"""The installed distributions of a folder, read from the names and metadata that installers leave there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from triage.probing.catalogue.looks import is_folder, is_there
from triage.records import dataclass

_NAME_VERSION = re.compile(r"([A-Za-z0-9][A-Za-z0-9._]{0,99})-([0-9vV][A-Za-z0-9.!+_]{0,79})")
_FIELD = re.compile(r"^(Name|Version):[ \t]*(\S{1,100})", re.MULTILINE)
_WORD = re.compile(r"\S{1,40}")
_MAX_ENTRIES = 5000
_MAX_METADATA = 1 << 18


@dataclass(frozen=True, slots=True)
class Distribution:
    """``metadata``: its METADATA or PKG-INFO file; ``has_record``: the list of its files, without which nothing can uninstall
    it; ``installer``: ``pip``, ``uv``, ``conda``, or ``none`` when nothing is stated."""

    name: str
    version: str
    folder: Path
    metadata: Path
    has_record: bool
    installer: str


def distributions(folder: Path) -> Iterator[Distribution]:
    """Those of one folder, by name of their metadata. Empty when it cannot be listed."""
    for name in _entries(folder):
        path = folder / name
        if name.endswith(".dist-info"):
            found = _dist_info(path)
        elif name.endswith((".egg-info", ".egg", ".egg-link")):
            found = _egg(path)
        else:
            continue
        if found is not None:
            yield found


def leftovers(folder: Path) -> Iterator[str]:
    """Names of what a broken installation left: folders that pip renamed to ``~orch`` and metadata without a METADATA file."""
    for name in _entries(folder):
        if name.startswith("~") or (name.endswith(".dist-info") and not is_there(folder / name / "METADATA")):
            yield name


def module_place(folder: Path, module: str) -> bool:
    """True when ``import module`` would find something here: a package, or a compiled or plain module."""
    if is_there(folder / module / "__init__.py") or is_there(folder / f"{module}.py"):
        return True
    return next(folder.glob(f"{module}.*.so"), None) is not None


def metadata_text(path: Path) -> str:
    """The head of a METADATA or PKG-INFO file, up to the long description; empty when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(_MAX_METADATA).partition("\n\n")[0]
    except OSError:
        return ""


def _entries(folder: Path) -> list[str]:
    try:
        names = sorted(path.name for path in folder.iterdir())[:_MAX_ENTRIES]
    except OSError:
        return []
    # A name with a line feed or an escape in it would break the lines of the transcript.
    return [name for name in names if name.isprintable()]


def _dist_info(path: Path) -> Distribution | None:
    stated = _NAME_VERSION.fullmatch(path.name.removesuffix(".dist-info"))
    metadata = path / "METADATA"
    if stated is None or not is_there(metadata):
        return None
    installer = _WORD.search(metadata_text(path / "INSTALLER"))
    has_record = is_there(path / "RECORD")
    return Distribution(stated[1], stated[2], path.parent, metadata, has_record, installer[0] if installer else "none")


def _egg(path: Path) -> Distribution | None:
    if path.name.endswith(".egg-link"):
        metadata = _linked_metadata(path)
    elif path.name.endswith(".egg"):
        metadata = path / "EGG-INFO" / "PKG-INFO"
    else:
        metadata = path / "PKG-INFO" if is_folder(path) else path
    fields = dict(_FIELD.findall(metadata_text(metadata))) if metadata is not None else {}
    if metadata is None or "Name" not in fields or "Version" not in fields:
        return None
    has_record = any(is_there(metadata.parent / name) for name in ("RECORD", "installed-files.txt"))
    return Distribution(fields["Name"], fields["Version"], path.parent, metadata, has_record, "none")


def _linked_metadata(link: Path) -> Path | None:
    """A package installed for editing by an old setuptools: the link's first line is the folder of its sources."""
    sources = metadata_text(link).splitlines()[:1]
    if not sources or not sources[0].startswith("/") or "\0" in sources[0]:
        return None
    name = link.name.removesuffix(".egg-link").replace("-", "_")
    return Path(sources[0]) / f"{name}.egg-info" / "PKG-INFO"
