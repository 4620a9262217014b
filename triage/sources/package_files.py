"""The Python files of an unpacked or installed package: read as text, never imported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from triage.records import dataclass
from triage.sources.templates import MAX_SOURCE

MAX_FILES = 50_000
_LEFT_OUT = frozenset(("test", "tests", "__pycache__"))


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file: its path from the package's parent folder with ``/`` (``sglang/srt/server_args.py``), and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class PackageFiles:
    """The files below ``folder``, in order of their paths; each turn of iteration reads them anew.

    Left out are the package's own tests, which state messages that the server never prints, links, files above
    MAX_SOURCE bytes, files that cannot be read, and what is beyond MAX_FILES. Bytes that are no UTF-8 are replaced.
    """

    folder: Path

    def __iter__(self) -> Iterator[SourceFile]:
        count = 0
        for folder, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
            for name in sorted(name for name in names if name.endswith(".py")):
                count += 1
                if count > MAX_FILES:
                    return
                path = Path(folder, name)
                text = _text(path)
                if text is not None:
                    yield SourceFile(path.relative_to(self.folder.parent).as_posix(), text)


def _text(path: Path) -> str | None:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_SOURCE:
            return None
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
