"""What a rotation left beside a followed file: the old files by their names, in the order in which they were written."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Mapping

from triage.lazy_regex import lazy_regex
from triage.reading.follow_position import FINGERPRINT, Position, digest
from triage.records import dataclass

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
# server.log.1, server.log-20240612, server.log.2024-06-12_10-00-00, server.log.old; compressed ones cannot be read on.
_MARK = lazy_regex(r"[.\-_](?:(?P<number>\d{1,6})|(?P<date>\d[\d\-_.:T]*)|old|bak|prev|orig)")
_MOST = 1000
_STEADY = 5


@dataclass(frozen=True, slots=True)
class Sibling:
    """A regular file whose name says that it was the followed file once; ``number`` is that of ``server.log.N``."""

    path: str
    device: int
    inode: int
    owner: int
    size: int
    modified_ns: int
    number: int | None
    date: str

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode."""
        return self.device, self.inode

    @property
    def order(self) -> tuple[int, int, str]:
        """Sorts files from the oldest to the newest; the name decides where the clock of the file system is too coarse."""
        return self.modified_ns, -(self.number or 0), self.date


def siblings(path: str) -> list[Sibling]:
    """The rotated files of ``path``, oldest first; none if the folder cannot be listed. Links, compressed and special files
    are left out.

    Read until two readings agree: a file that is renamed while its folder is read may not be seen at all.
    """
    before = _names(path)
    for _ in range(_STEADY):
        now = _names(path)
        if now == before:
            break
        before = now
    found = [sibling for name in sorted(before) if (sibling := _sibling(path, name)) is not None]
    return sorted(found, key=lambda sibling: sibling.order)[-_MOST:]


def is_listed(path: str, found: Iterable[Sibling]) -> bool:
    """Whether `siblings` of the path are still these, under the same names: no rotation moved them while they were looked at."""
    now = {name: inode for name, inode in _names(path).items() if _sibling(path, name) is not None}
    return now == {os.path.basename(sibling.path): sibling.inode for sibling in found}  # noqa: PTH119


def with_inode(path: str, position: Position) -> Sibling | None:
    """The file beside ``path``, of whatever name, that has the position's device and inode."""
    base = os.path.basename(path)  # noqa: PTH119
    names = [name for name, inode in _listed(path) if inode == position.inode and name != base]
    found = (_sibling(path, name) for name in names)
    return next((sibling for sibling in found if sibling and sibling.device == position.device), None)


def opened(sibling: Sibling) -> tuple[int, os.stat_result] | None:
    """A descriptor of the file and its status; None if another one has its name by now, or it cannot be opened."""
    try:
        fd = os.open(sibling.path, _FLAGS)
    except OSError:
        return None
    status = os.fstat(fd)
    if (status.st_dev, status.st_ino) != sibling.identity:
        os.close(fd)
        return None
    return fd, status


def holds(sibling: Sibling, position: Position) -> bool:
    """Whether the file has the content that was read up to the position."""
    if sibling.size < position.offset or (pair := opened(sibling)) is None:
        return False
    try:
        return position.fingerprint.holds(pair[0], position.offset)
    except OSError:
        return False
    finally:
        os.close(pair[0])


def heads(found: Iterable[Sibling]) -> dict[tuple[int, int], tuple[int, str]]:
    """Length and digest of the first bytes of each file, by device and inode: an inode that is used again is told by them."""
    known = {}
    for sibling in found:
        if (pair := opened(sibling)) is not None:
            with contextlib.suppress(OSError):
                head = os.pread(pair[0], FINGERPRINT, 0)
                known[sibling.identity] = (len(head), digest(head))
            os.close(pair[0])
    return known


def is_known(sibling: Sibling, known: Mapping[tuple[int, int], tuple[int, str]]) -> bool:
    """Whether the file was there already when ``known`` was made by `heads`."""
    mark = known.get(sibling.identity)
    if mark is None or (pair := opened(sibling)) is None:
        return mark is not None
    try:
        head = os.pread(pair[0], mark[0], 0)
        return bool(head) and (len(head), digest(head)) == mark
    except OSError:
        return True
    finally:
        os.close(pair[0])


def is_copy(sibling: Sibling, fd: int) -> bool:
    """Whether the file that is open as ``fd`` begins with what the sibling holds: it is being copied, or was."""
    length = min(FINGERPRINT, sibling.size)
    if not length or (pair := opened(sibling)) is None:
        return False
    try:
        starts = (0, sibling.size - length)
        return all(os.pread(pair[0], length, start) == os.pread(fd, length, start) for start in starts)
    except OSError:
        return False
    finally:
        os.close(pair[0])


def _folder(path: str) -> str:
    return os.path.dirname(path) or "."  # noqa: PTH120


def _names(path: str) -> dict[str, int]:
    """The names of rotated files with their inodes."""
    base = os.path.basename(path)  # noqa: PTH119
    return {name: inode for name, inode in _listed(path) if _mark(base, name) is not None}


def _listed(path: str) -> list[tuple[str, int]]:
    """Names and inodes of what lies in the folder of ``path``."""
    try:
        with os.scandir(_folder(path)) as entries:
            return [(entry.name, entry.inode()) for entry in entries]
    except OSError:
        # A folder that may be passed but not listed: its one file can be followed all the same.
        return []


def _mark(base: str, name: str) -> tuple[int | None, str] | None:
    """Number and date that the name adds to ``base``, at its end or before its suffix; None if it is another file's."""
    stem, suffix = os.path.splitext(base)  # noqa: PTH122
    inner = name[len(stem) : len(name) - len(suffix)] if suffix and name.endswith(suffix) else ""
    for added in (name[len(base) :] if name.startswith(base) else "", inner if name.startswith(stem) else ""):
        if added and (found := _MARK.fullmatch(added)):
            number = found["number"]
            return int(number) if number else None, found["date"] or ""
    return None


def _sibling(path: str, name: str) -> Sibling | None:
    full = os.path.join(_folder(path), name)  # noqa: PTH118
    try:
        status = os.lstat(full)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    number, date = _mark(os.path.basename(path), name) or (None, "")  # noqa: PTH119
    return Sibling(full, status.st_dev, status.st_ino, status.st_uid, status.st_size, status.st_mtime_ns, number, date)
