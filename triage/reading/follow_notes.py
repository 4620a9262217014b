"""What is said of a followed file: rotations, truncations and holes, and what is not known because of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.reading.live import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.reading.follow_file import OpenFile
    from triage.reading.follow_position import Position
    from triage.reading.follow_siblings import Sibling


def came_between(unseen: list[Sibling], missing: bool) -> Note:
    """For rotated files that came and went since the last look, and whether others did of which nothing is left."""
    names = ", ".join(sibling.path for sibling in unseen)
    text = (
        f"{len(unseen):,} more came and went since the last look and are read first: {names}" if unseen else "rotated"
    )
    if missing:
        text += "; others came and went of which nothing is left beside them: what was written there is not known"
    return Note("rotated", text, loss=missing)


def cut_without_copy(offset: int, doubtful: int) -> Note:
    """For a file that was truncated at ``offset``, after ``doubtful`` more bytes were read while that happened."""
    text = f"truncated after byte {offset + doubtful:,}, and no copy lies beside it: what was written between the last look and the truncation is not known"
    if doubtful:
        text += f"; the last {doubtful:,} bytes were read meanwhile and may be damaged or come again"
    return Note("truncated", text, loss=True)


def not_found_again(position: Position) -> Note:
    """The note for a position whose file is gone, or has other content."""
    text = (
        f"the content that an earlier run read up to byte {position.offset:,} is not found again: "
        "what was written to it after that is not known, and what is there now is read from its beginning"
    )
    return Note("rotated", text, loss=True)


def passed_over(file: OpenFile) -> Iterator[Note]:
    """What the last reads of a file passed over; said once."""
    if file.skipped:
        text = (
            f"{file.skipped:,} NUL bytes of a hole that was never written were passed over up to byte {file.offset:,}"
        )
        file.skipped = 0
        yield Note("hole", text)
    if file.shortened:
        file.shortened = False
        text = f"cut to a shorter length beyond byte {file.offset:,}, up to which it was read: what was cut off is not known"
        yield Note("truncated", text, loss=True)
