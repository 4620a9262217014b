"""The rotated files beside a followed one: which of them did not come by yet, and which is a copy of what is read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from triage.reading.follow_file import OpenFile
from triage.reading.follow_siblings import Sibling, heads, holds, is_copy, is_known, opened, siblings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from triage.reading.follow_path import FollowedPath


class Beside:
    """Remembers which rotated files were there, or were read. Methods raise OSError as the file system does."""

    def __init__(self, place: FollowedPath) -> None:
        self._place = place
        self._known: dict[tuple[int, int], tuple[int, str]] = {}

    def listed(self) -> list[Sibling]:
        """The rotated files that are there now, oldest first."""
        return siblings(self._place.path)

    def know_only(self, found: Iterable[Sibling]) -> None:
        """These, and no others, were there already."""
        self._known = heads(found)

    def know(self, found: Iterable[Sibling]) -> None:
        """These were there too."""
        self._known.update(heads(found))

    def know_read(self, file: OpenFile) -> None:
        """This file was read to its end."""
        mark = file.position(self._place.path).fingerprint
        self._known[file.identity] = (mark.head_length, mark.head)

    def unseen(
        self, found: Iterable[Sibling], file: OpenFile, ours: Iterable[OpenFile], late: Sequence[OpenFile]
    ) -> list[Sibling]:
        """Those of ``found`` that have content which did not come by, and may be read. ``ours`` are open to be read, ``late``
        were read lately; ``file`` is the one that they are looked at for."""
        open_ones = {one.identity for one in (*ours, *late)}
        # A backup of what is being read, or was read last, brings nothing new.
        read = (file, *late)
        return [
            one
            for one in found
            if one.size > 0
            and one.identity not in open_ones
            and not is_known(one, self._known)
            and self._is_allowed(one, file)
            and not any(is_copy(one, other.fd) for other in read)
        ]

    def copy_of(self, file: OpenFile, found: Iterable[Sibling], ours: Iterable[OpenFile]) -> OpenFile | None:
        """A copy beside the file, and none of ``ours``, that has all that was read of it, at the same offset."""
        position = file.position(self._place.path)
        if not position.fingerprint.head_length:
            return None
        open_ones = {one.identity for one in ours}
        fit = [
            one
            for one in found
            if one.identity not in open_ones and self._is_allowed(one, file) and holds(one, position)
        ]
        fit.sort(key=lambda one: is_known(one, self._known))
        for sibling in fit:
            if (pair := opened(sibling)) is not None:
                copy = OpenFile(*pair, caught_up=True)
                copy.inherit(file)
                return copy
        return None

    def _is_allowed(self, sibling: Sibling, file: OpenFile) -> bool:
        # Who may rename files here must not make root read what is somebody else's.
        return not self._place.privileged or sibling.owner == file.owner


def older_than(file: OpenFile, found: list[Sibling], *, is_newest: bool) -> list[Sibling]:
    """The rotated files that were written before the file."""
    own = next((sibling for sibling in found if sibling.identity == file.identity), None)
    if own is not None:
        return [sibling for sibling in found if sibling.order < own.order]
    if is_newest:
        return found
    return [sibling for sibling in found if sibling.modified_ns < file.modified_ns]


def is_one_missing(last: OpenFile, file: OpenFile, found: list[Sibling], unseen: list[Sibling]) -> bool:
    """Whether files came after ``last``, which was read before, and before ``file``, that are not there any more."""
    numbers = {one.identity: one.number for one in found if one.number is not None}
    if last.identity in numbers:
        expected = range(numbers.get(file.identity, 0) + 1, numbers[last.identity])
        return not set(expected) <= set(numbers.values())
    # Had only the last one been rotated away, it would not be deleted while newer ones are kept.
    return bool(unseen) and os.fstat(last.fd).st_nlink == 0


def opened_all(found: Iterable[Sibling], *, skip_renamed: bool) -> list[OpenFile] | None:
    """The files, to be read from their beginnings; None if one has another name by now, unless such are to be skipped."""
    files: list[OpenFile] = []
    for sibling in found:
        if (pair := opened(sibling)) is not None:
            files.append(OpenFile(*pair, caught_up=True))
        elif not skip_renamed:
            for file in files:
                file.close()
            return None
    return files
