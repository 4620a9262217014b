"""Opening a path without being tricked: no devices, no endless waits, no stranger's symlinks when we are root."""

from __future__ import annotations

import errno
import os
import stat
import time

from triage.lazy_regex import lazy_regex
from triage.records import dataclass

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_MAX_LINKS = 40
_POLL_MS = 50
# Our own descriptors: the shell's <(command) is such a path.
_OWN_DESCRIPTOR = lazy_regex(r"/dev/(?:fd/\d+|stdin)|/proc/self/fd/\d+")


class Refused(Exception):  # noqa: N818  (an answer, not a fault)
    """A path that will not be opened; the message is the reason, one plain line."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An open descriptor, what fstat says about it, and bytes that were already taken from it (FIFO only)."""

    fd: int
    status: os.stat_result
    first: bytes = b""

    @property
    def regular(self) -> bool:
        """True for a regular file: it has positions and an end, and all of it is at hand."""
        return stat.S_ISREG(self.status.st_mode)


def open_path(path: str, *, privileged: bool, fifo_wait_s: float) -> Opened:
    """Open a regular file, a FIFO or /dev/null for reading; never block for longer than ``fifo_wait_s`` seconds.

    With ``privileged`` (uid 0) a symlink is followed only if root owns it or its owner owns the file it leads to: a
    user who can plant a link must not make root read what the user may not. Raises `Refused`.
    """
    try:
        _check_kind(os.stat(path))  # noqa: PTH116
        walk = privileged and hasattr(os, "O_PATH") and _OWN_DESCRIPTOR.fullmatch(path) is None
        fd = _open_walking(path) if walk else os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise Refused(explain(error)) from None
    try:
        status = os.fstat(fd)
        _check_kind(status)
        first = _await_writer(fd, fifo_wait_s) if stat.S_ISFIFO(status.st_mode) else b""
        os.set_blocking(fd, True)
    except BaseException as error:
        os.close(fd)
        if isinstance(error, OSError):
            raise Refused(explain(error)) from None
        raise
    return Opened(fd, status, first)


def explain(error: OSError | ValueError) -> str:
    """One plain line for an error of open or stat."""
    if not isinstance(error, OSError):
        return "not a possible file name"
    if error.errno == errno.ENXIO:
        return "a socket cannot be read as a log"
    return error.strerror or str(error)


def is_null_device(status: os.stat_result) -> bool:
    """True for /dev/null, the one device that is a fair (empty) input."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(1, 3)


def _check_kind(status: os.stat_result) -> None:
    """Raise Refused for all but regular files, FIFOs and /dev/null. Asked before open as well: opening some devices acts."""
    mode = status.st_mode
    if stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or is_null_device(status):
        return
    if stat.S_ISDIR(mode):
        raise Refused("a directory, not a file")
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise Refused("a device cannot be read as a log (for a terminal use -)")
    raise Refused("neither a regular file nor a pipe")


def _await_writer(fd: int, wait_s: float) -> bytes:
    """Wait until the FIFO has data, a writer, or had one; return bytes taken meanwhile. Raise Refused when nobody comes."""
    import select

    poller = select.poll()
    poller.register(fd, select.POLLIN)
    deadline = time.monotonic() + wait_s
    while True:
        if poller.poll(_POLL_MS):
            return b""
        try:
            taken = os.read(fd, 65536)
        except BlockingIOError:
            # A writer holds it open and has not spoken yet.
            return b""
        if taken:
            return taken
        if time.monotonic() >= deadline:
            raise Refused(f"nobody opened this pipe for writing within {wait_s:g} s")


def _open_walking(path: str) -> int:
    """Open ``path`` one component at a time, each relative to a descriptor, and judge every symlink on the way."""
    owners: set[int] = set()
    todo = _components(path)
    here = os.open("/" if path.startswith("/") else ".", os.O_PATH | os.O_CLOEXEC)
    try:
        links = 0
        while True:
            name = todo.pop() if todo else "."
            found = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            status = os.fstat(found)
            if not stat.S_ISLNK(status.st_mode):
                if not todo:
                    os.close(found)
                    return _open_last(name, here, owners)
                here = _replace(here, found)
                continue
            links += 1
            if links > _MAX_LINKS:
                os.close(found)
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            owners.add(status.st_uid)
            if _is_proc(status):
                # The text of /proc/PID/root and /proc/PID/fd/N is not where they lead: only the kernel can follow.
                os.close(found)
                here = _replace(here, os.open(name, os.O_PATH | os.O_CLOEXEC, dir_fd=here))
                if not todo:
                    return _reopen(here, owners)
                continue
            target = os.readlink("", dir_fd=found)
            os.close(found)
            todo.extend(_components(target))
            if target.startswith("/"):
                here = _replace(here, os.open("/", os.O_PATH | os.O_CLOEXEC))
    finally:
        os.close(here)


def _components(path: str) -> list[str]:
    """The names of a path, last first, so that pop() gives the next one."""
    if not path:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return [part for part in reversed(path.split("/")) if part]


def _replace(old: int, new: int) -> int:
    os.close(old)
    return new


def _is_proc(status: os.stat_result) -> bool:
    try:
        return status.st_dev == os.stat("/proc/self/fd").st_dev  # noqa: PTH116
    except OSError:
        return False


def _open_last(name: str, directory: int, owners: set[int]) -> int:
    return _judged(os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=directory), owners)


def _reopen(handle: int, owners: set[int]) -> int:
    # The number names the very inode that was judged, so nothing can be put in its place.
    return _judged(os.open(f"/proc/self/fd/{handle}", _FLAGS), owners)


def _judged(fd: int, owners: set[int]) -> int:
    """Return ``fd`` if every link on the way belonged to root or to the owner of the file; else close it and refuse."""
    owner = os.fstat(fd).st_uid
    strangers = sorted(owners - {0, owner})
    if strangers:
        os.close(fd)
        raise Refused(
            f"as root a symlink of uid {strangers[0]} to a file of uid {owner} is not followed: name the file itself"
        )
    return fd
