"""What live sources hand out: bytes with their place, and notes in between that say what happened to the source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from triage.records import dataclass

if TYPE_CHECKING:
    from typing import TypeAlias

NoteKind: TypeAlias = Literal[
    "waiting",  # there is nothing to read yet
    "refused",  # there is something that will not, or cannot, be read
    "back",  # what was waited for or refused can be read
    "rotated",  # another file took the place of the one that was read
    "truncated",  # the file was cut short and is read from its beginning
    "gone",  # the path leads nowhere while the open file is read on
    "late",  # bytes came to a file after its successor had begun
    "hole",  # NUL bytes that were never written were passed over
    "resumed",  # reading went on where an earlier run stopped
    "stale",  # the file system forgot the open file
    "dropped",  # bytes went by unread
    "output",  # what was to be passed through could not be written
    "ended",  # the source is at its end, or its client ended
    "restarted",  # a client was started again
    "said",  # a client has something to say besides the log
    "state",  # the positions could not be stored or read
]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes as they were written, never empty.

    ``generation`` counts the files (after a rotation or a truncation) or runs of a client that the source has had, from 0;
    a line never goes on from one to the next. ``offset`` is that of the first byte within its generation: it leaves out
    nothing but what a ``hole`` or ``dropped`` note tells.
    """

    data: bytes
    offset: int
    generation: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened to a source, in order with its bytes. ``text`` is one plain line, and may quote file names and
    what a client printed: hostile text, to be made visible before it is shown.

    ``loss``: bytes may be missing or come twice, and ``text`` says which. ``run_over``: the server ended; what comes next is
    another run of it.
    """

    kind: NoteKind
    text: str
    loss: bool = False
    run_over: bool = False


Item: TypeAlias = "Chunk | Note"
"""What a source hands out."""


class LiveSource(Protocol):
    """A source that can be asked at any time, never waits and never raises because of what it reads."""

    def poll(self, most: int = ...) -> list[Item]:
        """What came since the last call, up to about ``most`` bytes; empty if nothing did."""

    def fileno(self) -> int | None:
        """A descriptor that is readable when there is something; None for a source that has to be asked."""

    @property
    def ended(self) -> bool:
        """True once nothing can come any more."""

    def close(self) -> None:
        """Give everything back; a second call does nothing."""
