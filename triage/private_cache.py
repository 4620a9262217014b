"""Files that only we may have written: read and replaced in a folder that is ours alone."""

# Every start reads its cache, and pathlib takes milliseconds to load.
# ruff: noqa: PTH105, PTH108, PTH116, PTH117, PTH118, PTH120
from __future__ import annotations

import os
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

StrPath = str | os.PathLike[str]
"""A path as text, or of pathlib by those who have one."""


def cache_directory(environment: dict[str, str]) -> str | None:
    """``$XDG_CACHE_HOME/sgltriage`` or ``~/.cache/sgltriage``; None without a usable home."""
    root = environment.get("XDG_CACHE_HOME", "")
    if root and os.path.isabs(root):  # a relative XDG path is to be ignored, says its specification
        return os.path.join(root, "sgltriage")
    home = environment.get("HOME", "")
    return os.path.join(home, ".cache", "sgltriage") if home and os.path.isabs(home) else None


def read_private(path: StrPath) -> bytes | None:
    """The file's bytes; None if it is absent, or if it or its folder is somebody else's or may be written by others."""
    try:
        if not _is_ours(os.stat(os.path.dirname(path) or os.curdir), folder=True):
            return None
        # Not to wait for a writer, should a named pipe stand in its place.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as stream:
            info = os.fstat(descriptor)
            if not _is_ours(info, folder=False):
                return None
            _note_use(descriptor, info)
            return stream.read()
    except OSError:
        return None


def _note_use(descriptor: int, info: os.stat_result) -> None:
    """What is in use is forgotten last; a mount may not note it by itself."""
    try:
        os.utime(descriptor, ns=(time.time_ns(), info.st_mtime_ns))
    except OSError:
        return


def write_private(path: StrPath, parts: Sequence[bytes], most: int) -> None:
    """Put ``path`` in place in one step, and drop the files of its suffix beyond ``most`` that were not read for longest. A cache is a convenience:
    on a read-only or full disk, or in a foreign folder, nothing is written and nothing is raised."""
    # Late, here and below: a warm start writes nothing.
    import contextlib
    from pathlib import Path

    path = Path(path)
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_ours(path.parent.stat(), folder=True):
            put_in_place(path, parts)
            _forget_old(path, most)


def put_in_place(path: StrPath, parts: Sequence[bytes]) -> None:
    """Make ``path`` a file of ``parts`` that only we can read, in one step.

    Raises:
        OSError: it cannot be written; what stood there before still does.
    """
    import contextlib
    import tempfile

    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path) or os.curdir, prefix=".new-")
    try:
        with open(descriptor, "wb") as stream:
            stream.writelines(parts)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _forget_old(kept: Path, most: int) -> None:
    # A folder or a dangling link would only raise, and keep the rest from being forgotten.
    others = (path for path in kept.parent.glob(f"*{kept.suffix}") if path != kept and path.is_file())
    oldest = sorted(others, key=lambda path: path.stat().st_atime)
    for path in oldest[: max(0, len(oldest) - most + 1)]:
        path.unlink(missing_ok=True)


def _is_ours(info: os.stat_result, *, folder: bool) -> bool:
    right_kind = stat.S_ISDIR(info.st_mode) if folder else stat.S_ISREG(info.st_mode)
    return right_kind and info.st_uid == os.getuid() and not info.st_mode & 0o022
