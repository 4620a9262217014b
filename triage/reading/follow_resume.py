"""Finding again, in a later run, the file that a position stands in, whatever it is called by now."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from triage.reading.follow_file import OpenFile
from triage.reading.follow_siblings import Sibling, holds, opened, with_inode

if TYPE_CHECKING:
    from triage.reading.follow_position import Position


def beside(path: str, position: Position, found: list[Sibling]) -> tuple[OpenFile | None, list[Sibling]]:
    """The file of the position under another name, by its inode or else its content, and what was written before it."""
    own = with_inode(path, position)
    if own is None or not holds(own, position):
        marked = position.fingerprint.head_length > 0
        own = next((sibling for sibling in found if marked and holds(sibling, position)), None)
    if own is None or (pair := opened(own)) is None:
        return None, []
    return OpenFile(*pair), [sibling for sibling in found if sibling.order <= own.order]


def is_at(file: OpenFile, position: Position, *, by_inode: bool) -> bool:
    """Whether the file has the content that was read up to the position, and its inode or else enough of it."""
    if by_inode and file.identity != (position.device, position.inode):
        return False
    known = by_inode or position.fingerprint.head_length > 0
    long = os.fstat(file.fd).st_size >= position.offset
    return known and long and position.fingerprint.holds(file.fd, position.offset)
