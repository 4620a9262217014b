"""Where a model's files lie: the folder that ``--model-path`` names, or the snapshot of a repository in a cache."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from triage.probing.catalogue.target_process import PROC, inside, root_of, variables_of
from triage.probing.probe import Target
from triage.records import dataclass

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class Location:
    """``kind``: ``folder``, ``file``, ``missing``, ``remote`` (an address), ``cached`` or ``uncached`` (a repository), or
    ``unclear`` (relative to a folder that is not known). ``folder``: where its files are; ``blobs``: of a cache."""

    kind: str
    folder: Path | None = None
    blobs: Path | None = None


def locate(target: Target) -> Location:
    """Where the fact ``server.model_path`` points to.

    Raises:
        OSError: a folder on the way may not be looked at.
        ValueError: it cannot be a path.
    """
    stated = str(target.facts.get("server.model_path", ""))
    if "://" in stated:
        return Location("remote")
    root, variables = root_of(target), variables_of(target)
    home = variables.get("HOME", "")
    text = home + stated[1:] if stated.startswith("~/") and home else stated
    if text.startswith("/"):
        return _at(inside(root, Path(text)))
    if target.pid is not None:
        here = _at(PROC / str(target.pid) / "cwd" / text)
        if here.kind != "missing":
            return here
    if _REPOSITORY.fullmatch(text) is None:
        return Location("missing" if target.pid is not None else "unclear")
    for cache in _caches(variables):
        if found := _snapshot(inside(root, cache), text):
            return found
    return Location("uncached")


def _at(path: Path) -> Location:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Location("missing")
    if not path.is_dir():
        return Location("file")
    next(path.iterdir(), None)  # a folder that may not be listed must not look like an empty one
    # A snapshot of the hub's cache that is named by its whole path.
    blobs = path.parent.parent / "blobs"
    return Location("folder", path, blobs if path.parent.name == "snapshots" and blobs.is_dir() else None)


def _caches(variables: Mapping[str, str]) -> Iterator[Path]:
    """Folders of repositories, the one that the hub's client takes first."""
    home = variables.get("HOME", "")
    general = variables.get("XDG_CACHE_HOME") or f"{home}/.cache"
    places = [variables.get(name, "") for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_CACHE")]
    hub = variables.get("HF_HOME") or f"{general}/huggingface"
    places.append(f"{hub}/hub")
    modelscope = variables.get("MODELSCOPE_CACHE") or f"{general}/modelscope"
    places += [f"{modelscope}/{part}" for part in ("hub/models", "models", "hub")]
    yield from (Path(place) for place in places if place.startswith("/"))


def _snapshot(cache: Path, repository: str) -> Location | None:
    top = cache / ("models--" + repository.replace("/", "--"))
    if top.is_dir():
        try:
            with open(top / "refs" / "main", encoding="ascii", errors="replace") as stream:
                commit = stream.read(80).strip()
        except OSError:
            commit = ""
        folder = top / "snapshots" / commit
        if _COMMIT.fullmatch(commit) is None or not folder.is_dir():
            folder = max((top / "snapshots").glob("*"), key=lambda path: path.stat().st_mtime, default=folder)
        return Location("cached", folder, top / "blobs") if folder.is_dir() else None
    # ModelScope keeps plain folders, with dots in names replaced.
    for name in (repository, repository.replace(".", "___")):
        if (cache / name / "config.json").is_file():
            return Location("cached", cache / name)
    return None
