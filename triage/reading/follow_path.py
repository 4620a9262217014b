"""The path of a followed file: what stands there now, and opening it without waiting and without being tricked."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from triage.reading.follow_file import OpenFile
from triage.reading.opening import Refused, explain, open_path

if TYPE_CHECKING:
    from triage.reading.live import NoteKind


class Unavailable(Exception):  # noqa: N818  (an answer, not a fault)
    """There is no file to be followed at the path now; ``kind`` is waiting or refused, ``str`` the reason."""

    def __init__(self, kind: NoteKind, reason: str) -> None:
        super().__init__(reason)
        self.kind: NoteKind = kind


class FollowedPath:
    """A path that leads to one file after another. ``privileged``: we are root, and links may be traps."""

    def __init__(self, path: str, *, privileged: bool) -> None:
        self.path = path
        self.privileged = privileged
        # Whether the path was a link when it was first opened: one that is, as in `latest.log`, is turned to the next file.
        self._was_link: bool | None = None

    def status(self) -> os.stat_result:
        """The status of the regular file that the path leads to.

        Raises:
            Unavailable: there is none.
            OSError: ESTALE, when the file system lost it.
        """
        try:
            status = os.stat(self.path)  # noqa: PTH116
        except FileNotFoundError:
            raise Unavailable("waiting", "no such file yet") from None
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno == errno.ESTALE:
                raise
            raise Unavailable("refused", explain(error)) from None
        mode = status.st_mode
        if stat.S_ISREG(mode):
            return status
        if stat.S_ISFIFO(mode):
            reason = "a pipe, which cannot be followed by its name: give it on standard input"
        elif stat.S_ISDIR(mode):
            reason = "a directory, not a file"
        elif stat.S_ISSOCK(mode):
            reason = "a socket, not a file"
        else:
            reason = "a device cannot be followed as a log"
        raise Unavailable("refused", reason)

    def open(self) -> OpenFile | None:
        """Open the file; None if another one came while it was looked at. Raises as `status` does."""
        self.status()
        try:
            before = os.lstat(self.path)
            link = stat.S_ISLNK(before.st_mode)
            if link and self.privileged and self._was_link is False:
                raise Unavailable("refused", "has become a symbolic link, which is not followed as root")
            opened = open_path(self.path, privileged=self.privileged, fifo_wait_s=0.0)
        except FileNotFoundError:
            return None
        except Refused as error:
            raise Unavailable("refused", str(error)) from None
        # What was judged must be what was opened.
        same = (before.st_dev, before.st_ino) == (opened.status.st_dev, opened.status.st_ino)
        if not opened.regular or not (link or same):
            os.close(opened.fd)
            return None
        self._was_link = link
        return OpenFile(opened.fd, opened.status)
