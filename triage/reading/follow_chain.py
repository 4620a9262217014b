"""The files behind one path in the order in which they were written: those still to be read, and those read lately."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from triage.reading.follow_file import OpenFile
from triage.reading.follow_late import LateFiles
from triage.reading.follow_path import FollowedPath, Unavailable
from triage.reading.follow_resume import beside, is_at, not_found_again
from triage.reading.follow_siblings import (
    Sibling,
    heads,
    holds,
    is_copy,
    is_known,
    is_listed,
    opened,
    siblings,
)
from triage.reading.live import Chunk, Note

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
        self._known: dict[tuple[int, int], tuple[int, str]] = {}
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
        self._known = heads(siblings(self._place.path))

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
        found = siblings(self._place.path)
        own = next((sibling.order for sibling in found if sibling.identity == last.identity), None)
        newer = [one for one in found if own is None or one.order > own]
        unseen = [one for one in newer if self._is_unseen(one, last)]
        taken = self._opened(unseen)
        if taken is None or not is_listed(self._place.path, found):
            return
        if taken:
            out.append(_came_between(unseen, missing=False))
            self.files.extend(taken)
        # Not the older ones: if the last file was truncated, which is not asked here, its copies are among them.
        self._known.update(heads(newer))

    def catch_up(self, file: OpenFile, out: list[Item]) -> bool:
        """Put before ``file``, the first, which is not read yet, those that came and went unseen before it.

        Returns False if that cannot be told now, while a rotation is under way. Raises WasCut.
        """
        for _ in range(_TRIES):
            file.check()
            found = siblings(self._place.path)
            # Copies of what the file holds are told by comparing, so it must hold the same after the list was made.
            file.check()
            before = [one for one in self._older(found, file) if not is_copy(one, file.fd)]
            unseen = [one for one in before if self._is_unseen(one, file)]
            missing = self._is_one_missing(found, file, unseen)
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
            out.append(_came_between(unseen, missing))
        self._known.update(heads(before))
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
            found = siblings(self._place.path)
            if (copy := self._copy_of(file, found)) is not None or is_listed(self._place.path, found):
                break
        else:
            if self._doubts < _DOUBTS:
                self._doubts += 1
                return False
        self._doubts = 0
        if not file.caught_up:
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
            out.append(_cut_without_copy(file.offset, len(doubtful)))
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
        found = siblings(self._place.path)
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
        self._known = heads(seen)
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
        mark = file.position(self._place.path).fingerprint
        self._known[file.identity] = (mark.head_length, mark.head)
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

    def _older(self, found: list[Sibling], file: OpenFile) -> list[Sibling]:
        """The rotated files that were written before the file."""
        own = next((sibling for sibling in found if sibling.identity == file.identity), None)
        if own is not None:
            return [sibling for sibling in found if sibling.order < own.order]
        if file is self.newest:
            return found
        return [sibling for sibling in found if sibling.modified_ns < file.modified_ns]

    def _is_unseen(self, sibling: Sibling, file: OpenFile) -> bool:
        """Whether the rotated file has content that did not come by, and may be read."""
        ours = {one.identity for one in self.files} | {one.identity for one in self._late.files}
        unseen = sibling.size > 0 and sibling.identity not in ours and not is_known(sibling, self._known)
        # A backup of what is being read, or was read last, brings nothing new.
        read = [file, *self._late.files]
        return unseen and self._is_allowed(sibling, file) and not any(is_copy(sibling, one.fd) for one in read)

    def _is_allowed(self, sibling: Sibling, file: OpenFile) -> bool:
        # Who may rename files here must not make root read what is somebody else's.
        return not self._place.privileged or sibling.owner == file.owner

    def _is_one_missing(self, found: list[Sibling], file: OpenFile, unseen: list[Sibling]) -> bool:
        """Whether files came after the one that was read last, and before ``file``, that are not there any more."""
        if not self._late.files:
            return False
        last = self._late.files[-1]
        numbers = {one.identity: one.number for one in found if one.number is not None}
        if last.identity in numbers:
            expected = range(numbers.get(file.identity, 0) + 1, numbers[last.identity])
            return not set(expected) <= set(numbers.values())
        # Had only the last one been rotated away, it would not be deleted while newer ones are kept.
        return bool(unseen) and os.fstat(last.fd).st_nlink == 0

    def _opened(self, found: list[Sibling]) -> list[OpenFile] | None:
        """The files, to be read from their beginnings; None if one of them has another name by now."""
        files: list[OpenFile] = []
        for sibling in found:
            if (pair := opened(sibling)) is not None:
                files.append(OpenFile(*pair, caught_up=True))
            elif self._doubts < _DOUBTS:
                for file in files:
                    file.close()
                return None
        return files

    def _copy_of(self, file: OpenFile, found: list[Sibling]) -> OpenFile | None:
        """A copy beside the file that has all that was read of it, at the same offset."""
        position = file.position(self._place.path)
        if not position.fingerprint.head_length:
            return None
        ours = {one.identity for one in self.files} | {one.identity for one in self._late.files}
        fit = [
            one for one in found if one.identity not in ours and self._is_allowed(one, file) and holds(one, position)
        ]
        fit.sort(key=lambda one: is_known(one, self._known))
        for sibling in fit:
            if (pair := opened(sibling)) is not None:
                copy = OpenFile(*pair, caught_up=True)
                copy.inherit(file)
                return copy
        return None


def _came_between(unseen: list[Sibling], missing: bool) -> Note:
    names = ", ".join(sibling.path for sibling in unseen)
    text = (
        f"{len(unseen):,} more came and went since the last look and are read first: {names}" if unseen else "rotated"
    )
    if missing:
        text += "; others came and went of which nothing is left beside them: what was written there is not known"
    return Note("rotated", text, loss=missing)


def _cut_without_copy(offset: int, doubtful: int) -> Note:
    text = f"truncated after byte {offset + doubtful:,}, and no copy lies beside it: what was written between the last look and the truncation is not known"
    if doubtful:
        text += f"; the last {doubtful:,} bytes were read meanwhile and may be damaged or come again"
    return Note("truncated", text, loss=True)
