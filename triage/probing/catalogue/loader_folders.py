"""The folders that the dynamic loader searches for every program, read from its configuration."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from triage.probing.catalogue.looks import is_folder
from triage.probing.catalogue.target_process import inside

_MAX_FILES = 200
_MAX_DEPTH = 4


def loader_folders(root: Path = Path("/")) -> tuple[Path, ...]:
    """Those of /etc/ld.so.conf and what it includes, then the standard ones; existing ones, each once, as we name them."""
    arch = f"{os.uname().machine}-linux-gnu"
    standard = [f"{top}/{sub}" for sub in (f"lib/{arch}", "lib64", "lib") for top in ("", "/usr", "/usr/local")]
    named = [*_configured(root, "/etc/ld.so.conf", 0), *(Path(name) for name in standard)]
    found: dict[str, Path] = {}
    for path in (inside(root, path) for path in named):
        if is_folder(path):
            found.setdefault(os.path.realpath(path), path)
    return tuple(found.values())


def _configured(root: Path, pattern: str, depth: int) -> Iterator[Path]:
    if depth > _MAX_DEPTH:
        return
    for name in sorted(glob.glob(str(inside(root, Path(pattern)))))[:_MAX_FILES]:  # noqa: PTH207  (a whole path)
        try:
            with open(name, encoding="utf-8", errors="replace") as stream:
                lines = stream.read(65_536).splitlines()
        except OSError:
            continue
        for line in lines:
            words = line.partition("#")[0].split()
            if words and words[0] == "include":
                for included in words[1:]:
                    yield from _configured(
                        root, included if included.startswith("/") else f"/etc/{included}", depth + 1
                    )
            else:
                yield from (Path(word) for word in words if word.startswith("/") and "\0" not in word)
