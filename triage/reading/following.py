"""A file that is followed while it grows, is rotated, truncated, deleted, replaced, and comes back."""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING, Literal

from triage.reading.follow_chain import Chain
from triage.reading.follow_file import OpenFile, WasCut
from triage.reading.follow_notes import passed_over
from triage.reading.follow_path import FollowedPath, Unavailable
from triage.reading.live import Chunk, Note
from triage.reading.opening import explain

if TYPE_CHECKING:
    from collections.abc import Callable

    from triage.reading.follow_position import Position
    from triage.reading.live import Item, NoteKind

_MOST = 1 << 20
_RETRY_S = 1.0
_GONE_S = 1.0
"""How long a path may lead nowhere before that is worth a note: every rotation has such a moment."""
_DELETED_S = 600.0
"""How long a deleted file that does not grow is kept open: its space is not given back before."""


class FollowedFile:
    """What is written to the file at ``path``, from ``position``, or from its beginning, or its end as it is now.

    Nothing is lost and nothing comes twice while files are renamed and made anew, also several times between two polls as
    long as the old ones lie beside it under names that rotation gives; while it is copied beside and truncated; and when it
    appears late. Where that cannot be known a `Note` with ``loss`` says so. Not knowable, and not noted: a file that is
    emptied and grows beyond the offset with the very same 256 bytes at its beginning and before the offset; what was
    written between copying and truncating, or came and was cut off before the first look; a file that came and went and
    was to the byte the beginning of the one before or after it, which is taken for a backup.

    A new file is read once it has content, after the old one to its end, so that a writer that is told of the rotation late
    loses nothing. Old files are watched a little longer; what comes late has the old generation.

    ``clock`` gives monotonic seconds; ``privileged`` says that we are root (default: as it is).
    """

    def __init__(
        self,
        path: str,
        *,
        position: Position | None = None,
        start: Literal["beginning", "end"] = "beginning",
        clock: Callable[[], float] = time.monotonic,
        privileged: bool | None = None,
    ) -> None:
        self.path = path
        self._clock = clock
        self._place = FollowedPath(path, privileged=os.geteuid() == 0 if privileged is None else privileged)
        self._chain = Chain(self._place, clock)
        self._pending = position
        self._start = start
        self._begun = self._closed = self._fine = False
        self._trouble: str | None = None
        self._retry_at = self._look_at = 0.0
        self._gone_since: float | None = None
        self._seen: tuple[int, int] | None = None

    @property
    def ended(self) -> bool:
        """True after `close`: a file can always grow."""
        return self._closed

    def fileno(self) -> int | None:
        """None: there is nothing to wait on."""
        return None

    def poll(self, most: int = _MOST) -> list[Item]:
        """What came since the last call, up to ``most`` bytes, and what happened. Never waits; costs one stat if nothing did."""
        out: list[Item] = []
        if self._closed:
            return out
        self._fine = False
        try:
            if self._look(out):
                self._read(out, most)
            self._chain.read_late(out, most)
            if self._fine and self._trouble is not None:
                self._trouble = None
                out.insert(0, Note("back", "the file can be read"))
        except OSError as error:
            self._failed(error, out)
        return out

    def position(self, back: int = 0) -> Position | None:
        """Where reading stands, for a later `FollowedFile`: after all that was handed out, less the last ``back`` bytes (an
        unfinished line of the same generation). None while there was no file."""
        try:
            found = self._chain.position(back)
        except OSError:
            found = self._chain.position(0)
        return found if self._pending is None else self._pending

    def close(self) -> None:
        """Give all descriptors back; a second call does nothing. The position is not known any more then."""
        self._closed = True
        self._chain.close()

    def _look(self, out: list[Item]) -> bool:
        """Find out what became of the path; False if there is nothing new."""
        try:
            status = self._place.status()
        except Unavailable as error:
            return self._without_path(error, out)
        self._gone_since = None
        newest = self._chain.newest
        if newest is not None and self._pending is None and newest.is_at(status):
            self._fine = True
            seen = (status.st_size, status.st_mtime_ns)
            idle = len(self._chain.files) == 1 and newest.caught_up and newest.offset >= status.st_size
            if seen == self._seen and idle:
                return False
            self._seen = seen
            if len(self._chain.files) > 1:
                self._check_unread(newest, out)
            return True
        if newest is not None and self._pending is None and status.st_size == 0:
            if self._is_time():
                self._chain.take_unseen(out)
            return True
        self._seen = None
        return self._next_file(out)

    def _next_file(self, out: list[Item]) -> bool:
        """Another file stands at the path, or the first one."""
        if self._trouble is not None and self._clock() < self._retry_at:
            return bool(self._chain.files)
        self._retry_at = self._clock() + _RETRY_S
        try:
            if not self._begun or self._pending is not None:
                self._begin(out)
            else:
                self._chain.take_next(out)
        except Unavailable as error:
            self._say_trouble(error.kind, str(error), out)
            return bool(self._chain.files)
        self._fine = bool(self._chain.files)
        return self._fine

    def _begin(self, out: list[Item]) -> None:
        """The first look, or the first after the file system lost the file."""
        if self._pending is None:
            self._begun = True
            self._chain.begin(at_end=self._start == "end")
        elif self._chain.resume(self._pending, out):
            self._begun, self._pending = True, None

    def _without_path(self, why: Unavailable, out: list[Item]) -> bool:
        """The path leads to no file: go on with the open one, or wait."""
        self._seen = None
        if self._pending is not None:
            self._next_file(out)
        elif not self._begun:
            self._begun = True
            self._chain.remember_siblings()
        newest = self._chain.newest
        if newest is None or why.kind == "refused":
            self._say_trouble(why.kind, str(why), out)
            return newest is not None
        now = self._clock()
        if self._gone_since is None:
            self._gone_since = now
        elif now - self._gone_since >= _GONE_S:
            self._gone_since = now
            self._chain.take_unseen(out)
            deleted = os.fstat(newest.fd).st_nlink == 0
            self._say_trouble(
                "gone", f"{'deleted' if deleted else 'renamed'}: the open file is read on until another one comes", out
            )
            if deleted and now - self._chain.grew_at >= _DELETED_S:
                self._chain.close()
        return True

    def _read(self, out: list[Item], most: int) -> None:
        """Read the files in their order, each to its end."""
        chain = self._chain
        while most > 0 and chain.files:
            file = chain.files[0]
            try:
                if not file.caught_up:
                    if os.fstat(file.fd).st_size == 0 and not chain.drop_empty() and not self._is_time():
                        return
                    if file is chain.files[0] and not chain.catch_up(file, out):
                        return
                    continue
                data = chain.read(most)
            except WasCut as cut:
                if not self._cut(file, cut.doubtful, out):
                    return
                most -= max(1, len(cut.doubtful))
                continue
            out += passed_over(file)
            if data:
                chain.grew_at = self._clock()
                out.append(Chunk(data, file.start, file.generation))
                most -= len(data)
            elif len(chain.files) == 1 or self._may_go_on():
                return
            else:
                chain.retire()

    def _check_unread(self, newest: OpenFile, out: list[Item]) -> None:
        try:
            newest.check()
        except WasCut:
            self._cut(newest, b"", out)

    def _cut(self, file: OpenFile, doubtful: bytes, out: list[Item]) -> bool:
        self._seen = None
        return self._chain.cut(file, doubtful, out)

    def _may_go_on(self) -> bool:
        """Whether a writer may still be at the first file, since the one after it is new and empty."""
        files = self._chain.files
        return len(files) == 2 and not os.fstat(files[1].fd).st_size and self._clock() - self._chain.grew_at < _GONE_S

    def _is_time(self) -> bool:
        """True once a second: for looks that cost more, when there is no file with content to go on with."""
        now = self._clock()
        if now < self._look_at:
            return False
        self._look_at = now + _GONE_S
        return True

    def _failed(self, error: OSError, out: list[Item]) -> None:
        """An error of the file system: ESTALE is healed by opening again, others may pass."""
        self._seen = None
        if error.errno == errno.ESTALE and self._chain.files:
            self._pending = self._chain.position(0)
            self._chain.close()
            out.append(Note("stale", "the file system lost the open file (ESTALE): it is opened again"))
            return
        self._say_trouble("refused", explain(error), out)

    def _say_trouble(self, kind: NoteKind, text: str, out: list[Item]) -> None:
        if text != self._trouble:
            self._trouble = text
            out.append(Note(kind, text))
