"""File systems as the kernel describes them: how large, how free, how mounted."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from triage.probing.catalogue.bounded import within
from triage.probing.catalogue.looks import look
from triage.probing.catalogue.target_process import inside, outside, root_of
from triage.probing.catalogue.text_forms import pairs, whole
from triage.probing.probe import Look, Target
from triage.records import dataclass, field

_WAIT_S = 1.5
"""How long a file system may take to answer; a network one whose server is gone never does."""
_FLAGS = (("ro", os.ST_RDONLY), ("nosuid", os.ST_NOSUID), ("nodev", os.ST_NODEV), ("noexec", os.ST_NOEXEC))
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Volume:
    """The file system that holds ``path``: sizes in bytes, inodes counted (0 where it has no such number), mount options."""

    path: str
    size: int
    free: int
    inodes: int = 0
    free_inodes: int = 0
    options: frozenset[str] = field(default_factory=frozenset)
    writable: bool = True


def volume_look(label: str, target: Target, path: str) -> Look:
    """A look at the file system that holds ``path`` as the target names it, or the nearest folder above it that exists."""
    return look(label, lambda: within(_WAIT_S, lambda: _ask(path, root_of(target))))


def volume_of(text: str) -> Volume:
    """A Volume from the text of a ``volume_look``.

    Raises:
        ValueError: the text lacks a number.
    """
    known = pairs(text)
    sizes = (whole(known.get(name, "missing")) for name in ("size_bytes", "free_bytes", "inodes", "free_inodes"))
    size, free, inodes, free_inodes = sizes
    options = frozenset(known.get("options", "").split(","))
    return Volume(known.get("path", ""), size, free, inodes, free_inodes, options, known.get("writable") != "no")


def mount_of(path: str, process: str = "self") -> str:
    """The line of mountinfo for the file system mounted exactly at ``path``.

    Raises:
        OSError: there is none.
    """
    text = Path(f"/proc/{process}/mountinfo").read_text("utf-8", "replace")
    lines = [line for line in text.splitlines() if mount_point(line) == path]
    if not lines:
        raise FileNotFoundError(f"nothing is mounted at {path}")
    # Of several mounts at one place the last covers the others.
    return lines[-1] + "\n"


def mount_point(line: str) -> str:
    """The place that a line of mountinfo names; empty if it is no such line."""
    words = line.split(" ")
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), words[4]) if len(words) > 4 else ""


def file_system_type(line: str) -> str:
    """``tmpfs``, ``ext4``, ``nfs4`` ... of a line of mountinfo; empty if it does not say."""
    _, dash, rest = line.partition(" - ")
    return rest.split(" ")[0].strip() if dash else ""


def _ask(path: str, root: Path) -> str:
    at = next(folder for folder in _upward(inside(root, Path("/", path))) if folder.exists())
    found = os.statvfs(at)
    options = ",".join(name for name, flag in _FLAGS if found.f_flag & flag) or "rw"
    # The path stands last: a line feed in it must not come before the numbers.
    return (
        f"size_bytes {found.f_blocks * found.f_frsize}\nfree_bytes {found.f_bavail * found.f_frsize}\n"
        f"inodes {found.f_files}\nfree_inodes {found.f_favail}\noptions {options}\n"
        f"writable {'yes' if os.access(at, os.W_OK | os.X_OK) else 'no'}\n"
        f"path {path}\nat {outside(root, at)}\n"
    )


def _upward(path: Path) -> Iterator[Path]:
    yield from (path, *path.parents)
