"""Telling from sizes and times that no file of a pack changed since it was compiled, as make does: reading and hashing hundreds
of files at every start would be felt."""

# Every start looks at hundreds of files, and pathlib takes milliseconds to load.
# ruff: noqa: PTH116, PTH118
from __future__ import annotations

import os
import time
import zlib

from triage.knowledge.pack import yaml_files
from triage.private_cache import read_private, write_private
from triage.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from triage.private_cache import StrPath

_SETTLED_SECONDS = 2.0
"""A file changed so recently may change again without its time showing it: times are as coarse as the clock tick of a file
system, or a second on old ones."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """The state of the packs in ``roots`` as a text; ``newest`` is the latest change (seconds since 1970)."""

    roots: tuple[str, ...]
    text: str
    newest: float

    def known_hash(self, cache: StrPath) -> str | None:
        """The content hash that was noted for just this state; None if there is none."""
        content = read_private(self._path(cache))
        if content is None:
            return None
        noted, _, text = content.decode("utf-8", "surrogateescape").partition("\n")
        return noted if text == self.text else None

    def note(self, cache: StrPath, content_hash: str) -> None:
        """Remember the content hash of this state, unless a file changed just now."""
        if time.time() - self.newest >= _SETTLED_SECONDS:
            text = f"{content_hash}\n{self.text}".encode("utf-8", "surrogateescape")
            write_private(self._path(cache), [text], most=8)

    def _path(self, cache: StrPath) -> str:
        key = zlib.crc32("\0".join(self.roots).encode("utf-8", "surrogateescape"))
        return os.path.join(cache, f"{key:08x}.stamp")


def stamp_of(roots: Sequence[StrPath], salt: Sequence[str]) -> Stamp | None:
    """The state of all YAML files below ``roots`` and of ``salt`` (what else decides the compiled form); None where links
    are among the files, since what they lead to may change behind them, and where a folder cannot be read."""
    lines, newest = list(salt), 0.0
    try:
        for root in roots:
            for path, area, is_link in yaml_files(root):
                if is_link:
                    return None
                info = os.stat(path)
                newest = max(newest, info.st_mtime, info.st_ctime)
                lines.append(f"{path} {area} {info.st_size} {info.st_mtime_ns} {info.st_ctime_ns} {info.st_ino}")
    except OSError:
        return None
    return Stamp(tuple(os.fspath(root) for root in roots), "\n".join(lines), newest)
