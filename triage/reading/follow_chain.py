"""The files behind one path in the order in which they were written: those still to be read, and those read lately."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

from triage.reading.follow_beside import Beside, is_one_missing, older_than, opened_all
from triage.reading.follow_file import OpenFile
from triage.reading.follow_late import LateFiles
from triage.reading.follow_notes import came_between, cut_without_copy, not_found_again
from triage.reading.follow_path import FollowedPath, Unavailable
from triage.reading.follow_resume import beside, is_at
from triage.reading.follow_siblings import Sibling, is_copy, is_listed
from triage.reading.live import Chunk, Note
from triage.records import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from triage.reading.follow_position import Position
    from triage.reading.live import Item

_DOUBTS = 5
"""How often a gap in the numbers of rotated files is taken for a rotation under way, in polls."""
_TRIES = 5


class Chain:
    """``files`` are to be read from the first to the last, which is the one at the path (or was the last one there).

    A file is read from its beginning only when it is certain what was written before it (`catch_up`): rotated files that
    were not there at the last such moment came and went unseen. Methods raise OSError as the file system does.
    """

    def __init__(self, place: FollowedPath, clock: Callable[[], float]) -> None:
        self.files: deque[OpenFile] = deque()
        self.grew_at = clock()
        self._place, self._clock = place, clock
        self._beside = Beside(place)
        self._late = LateFiles(clock)
        self._generation = -1
        self._doubts = 0
        self._cut_unread = False

    @property
    def newest(self) -> OpenFile | None:
        """The last file, None if there is none."""
        return self.files[-1] if self.files else None

    def remember_siblings(self) -> None:
        """Take note of the rotated files that are there: they are none of ours."""
        self._beside.know_only(self._beside.listed())

    def begin(self, *, at_end: bool) -> None:
        """Open the first file. Raises Unavailable."""
        # Before the file is opened: whatever is rotated from then on is found.
        self.remember_siblings()
        if (file := self._place.open()) is not None:
            if at_end:
                file.move_to(os.fstat(file.fd).st_size)
                file.caught_up = file.offset > 0
            self.files.append(file)

    def take_next(self, out: list[Item]) -> None:
        """Another file stands at the path: it is read after the one before, once it has content. Raises Unavailable."""
        last, current = self.newest, self._place.open()
        if current is None:
            return
        if last is not None:
            if not os.fstat(current.fd).st_size:
                # Its writer may still be at the file before.
                current.close()
                return
            deleted = os.fstat(last.fd).st_nlink == 0
            text = "deleted, and made anew" if deleted else "renamed, and made anew"
            out.append(Note("rotated", f"{text}: the file before is read to its end, then the new one"))
        self.files.append(current)

    def take_unseen(self, out: list[Item]) -> None:
        """No file with content stands at the path: read those that stood there since the last look, if the writer ended with
        a rotation."""
        last = self.newest
        if last is None:
            return
        found = self._beside.listed()
        own = next((sibling.order for sibling in found if sibling.identity == last.identity), None)
        newer = [one for one in found if own is None or one.order > own]
        unseen = self._beside.unseen(newer, last, self.files, self._late.files)
        taken = self._opened(unseen)
        if taken is None or not is_listed(self._place.path, found):
            return
        if taken:
            out.append(came_between(unseen, missing=False))
            self.files.extend(taken)
        # Not the older ones: if the last file was truncated, which is not asked here, its copies are among them.
        self._beside.know(newer)

    def catch_up(self, file: OpenFile, out: list[Item]) -> bool:
        """Put before ``file``, the first, which is not read yet, those that came and went unseen before it.

        Returns False if that cannot be told now, while a rotation is under way. Raises WasCut.
        """
        late = self._late.files
        for _ in range(_TRIES):
            file.check()
            found = self._beside.listed()
            # Copies of what the file holds are told by comparing, so it must hold the same after the list was made.
            file.check()
            older = older_than(file, found, is_newest=file is self.newest)
            before = [one for one in older if not is_copy(one, file.fd)]
            unseen = self._beside.unseen(before, file, self.files, late)
            missing = bool(late) and is_one_missing(late[-1], file, found, unseen)
            certain = not missing and is_listed(self._place.path, found)
            taken = self._opened(unseen) if certain or self._doubts >= _DOUBTS else None
            if taken is not None:
                break
        else:
            self._doubts += 1
            return False
        missing = missing or (self._cut_unread and not unseen)
        self._doubts, self._cut_unread = 0, False
        if unseen or missing:
            out.append(came_between(unseen, missing))
        self._beside.know(before)
        self.files.extendleft(reversed(taken))
        # An empty file may still have content that comes and goes before it is seen.
        file.caught_up = file.size > 0
        return True

    def drop_empty(self) -> bool:
        """Leave the first file, which has nothing, for the next one; False if there is none."""
        if len(self.files) > 1:
            self.files.popleft().close()
            return True
        return False

    def read(self, most: int) -> bytes:
        """Read the first file. Raises WasCut."""
        file = self.files[0]
        data = file.read(most)
        if file.generation < 0:
            self._generation += 1
            file.generation = self._generation
        return data

    def cut(self, file: OpenFile, doubtful: bytes, out: list[Item]) -> bool:
        """The file was truncated: read what a copy beside it has beyond the offset, then the file from its start.

        Returns False if that cannot be told now, while a rotation is under way; the file is as it was.
        """
        for _ in range(_TRIES):
            found = self._beside.listed()
            if (copy := self._beside.copy_of(file, found, (*self.files, *self._late.files))) is not None or is_listed(
                self._place.path, found
            ):
                break
        else:
            if self._doubts < _DOUBTS:
                self._doubts += 1
                return False
        self._doubts = 0
        if not file.caught_up or not (file.offset or doubtful):
            # Nothing was read of it: a copy is found, or missed, with all that came and went before the file.
            self._cut_unread = self._cut_unread or copy is None
            if copy is not None:
                copy.close()
        elif copy is not None:
            self.files.insert(self.files.index(file), copy)
            text = f"truncated after byte {file.offset:,}: what it had before is read from the copy beside it"
            out.append(Note("truncated", text))
        else:
            if doubtful:
                out.append(Chunk(doubtful, file.offset, file.generation))
            out.append(cut_without_copy(file.offset, len(doubtful)))
        file.restart()
        return True

    def position(self, back: int) -> Position | None:
        """Where reading stands, less ``back`` bytes; None without a file."""
        if not self.files:
            return None
        file = self.files[0]
        place = file.position(self._place.path, back)
        return place if file.generation >= 0 else replace(place, generation=self._generation + 1)

    def resume(self, position: Position, out: list[Item]) -> bool:
        """Go on from a position of an earlier run; False if there is nothing to read yet. Raises Unavailable."""
        found = self._beside.listed()
        try:
            current = self._place.open()
        except Unavailable as error:
            if error.kind != "waiting":
                raise
            current = None
        if current is not None and is_at(current, position, by_inode=True):
            own: OpenFile | None = current
            seen = found
        else:
            own, seen = beside(self._place.path, position, found)
        if own is None and current is not None and is_at(current, position, by_inode=False):
            # The same content under another inode: the file system was mounted anew.
            own, seen = current, found
        if own is None and current is None:
            return False
        self._generation = position.generation
        if own is None or not position.offset:
            seen = [sibling for sibling in found if sibling.modified_ns <= position.modified_ns]
        self._beside.know_only(seen)
        if own is None:
            out.append(not_found_again(position))
        else:
            own.move_to(position.offset)
            own.generation, own.caught_up = position.generation, position.offset > 0
            self.files.append(own)
            out.append(Note("resumed", f"goes on after byte {position.offset:,}, where reading stopped before"))
        if current is not None and own is not current:
            self._add_begun(current)
        return True

    def retire(self) -> None:
        """The first file is read to its end, and another one comes after it."""
        file = self.files.popleft()
        self._beside.know_read(file)
        self._late.add(file)

    def read_late(self, out: list[Item], most: int) -> None:
        """What was written to old files after their successors had begun."""
        self._late.read(out, most)

    def close(self) -> None:
        """Close all files."""
        while self.files:
            self.files.pop().close()
        self._late.close()

    def _add_begun(self, current: OpenFile) -> None:
        """Read the file at the path after the first one, unless its writer may still be at that."""
        if self.files and not os.fstat(current.fd).st_size:
            current.close()
        else:
            self.files.append(current)

    def _opened(self, found: list[Sibling]) -> list[OpenFile] | None:
        return opened_all(found, skip_renamed=self._doubts >= _DOUBTS)
