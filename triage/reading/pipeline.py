"""From raw bytes to a `Source`: look at the first bytes, then unpack, transcode, drop leading NULs or refuse."""

from __future__ import annotations

from triage.reading.encoding import binary_reason, detect, transcode
from triage.reading.own_file import own_file
from triage.reading.source import Limits, ReadError, Remarks, Source
from triage.reading.unpack import DecodeError, refused, sniff, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    class Raw(Protocol):
        """Where bytes come from: `RawFile` or `RawStream`."""

        def readinto(self, view: memoryview) -> int:
            """Read once into ``view``; 0 at the end."""

        def close(self) -> None:
            """Give the descriptor back."""


_HEAD = 64 * 1024
_PIECE = 256 * 1024


def assemble(
    label: str,
    raw: Raw,
    remarks: Remarks,
    *,
    limits: Limits,
    first: bytes = b"",
    size: int | None = None,
    at_hand: bool = False,
    binary_as_text: bool = False,
) -> Source:
    """Make the Source of ``raw``, whose beginning ``first`` was already taken.

    ``at_hand``: nobody has to be waited for (a file), so that views and the head are filled. Closes ``raw`` and raises
    `ReadError` when the input is binary or nothing of it can be decoded.
    """
    feed = _Feed(raw.readinto, at_hand, first)
    try:
        feed = _decoded(feed, remarks, limits)
        if not binary_as_text and (reason := binary_reason(feed.head)):
            raise DecodeError(f"looks binary: {reason}")
        if not binary_as_text and (reason := own_file(bytes(feed.head))):
            raise ReadError(label, f"no log, but {reason}", harmless=True)
    except DecodeError as error:
        raw.close()
        raise ReadError(label, str(error), harmless=str(error).startswith("looks binary")) from None
    except BaseException:
        raw.close()
        raise
    return Source(label, feed.readinto, remarks=remarks, close=raw.close, fill=at_hand, size=size)


def _decoded(feed: _Feed, remarks: Remarks, limits: Limits) -> _Feed:
    """Put the stages after ``feed`` that its first bytes ask for; the result's head is filled."""
    feed.fill()
    kind = sniff(feed.head)
    if kind:
        feed = feed.then(lambda pieces: unpack(kind, pieces, limits, remarks))
        feed.fill()
        if sniff(feed.head):
            raise DecodeError(f"compressed twice ({kind}, then {sniff(feed.head)}): only one layer is unpacked")
    if packed := refused(feed.head):
        raise DecodeError(f"looks binary: {packed}, which is not unpacked here")
    encoding, mark = detect(feed.head)
    del feed.head[:mark]
    if encoding in ("", "utf-8"):
        _skip_leading_nuls(feed, remarks, limits)
        return feed
    remarks.notes.append(f"read as {encoding.upper()}; offsets refer to the UTF-8 text made of it")
    feed = feed.then(lambda pieces: transcode(pieces, encoding))
    feed.fill()
    return feed


def _skip_leading_nuls(feed: _Feed, remarks: Remarks, limits: Limits) -> None:
    """Drop NULs before the first line: the copy or archive of a file with a hole begins with as many as the hole was long."""
    skipped = 0
    while feed.head.startswith(b"\0"):
        if feed.head.count(0) == len(feed.head) and (skipped > limits.max_output or not feed.has_more()):
            break
        # Of nothing but NUL the last byte stays, so that the end of such an input is still judged as binary.
        text = feed.head.lstrip(b"\0") or feed.head[-1:]
        skipped += len(feed.head) - len(text)
        feed.head[:] = text
        feed.fill()
    if skipped:
        remarks.notes.append(f"skipped {skipped:,} NUL bytes at the beginning; offsets do not count them")


class _Feed:
    """A stream with a look-ahead of 64 KiB: ``head`` is what will be handed out next."""

    def __init__(self, read: Callable[[memoryview], int], at_hand: bool, first: bytes = b"") -> None:
        self.head = bytearray(first)
        self._read = read
        self._at_hand = at_hand
        self._ended = False

    def fill(self) -> None:
        """Fill the head: 64 KiB of a file; of a pipe enough to judge it, which a line or a magic number is."""
        while len(self.head) < _HEAD and not self._ended:
            # No magic number holds a line feed, so one of the two comes first.
            if not self._at_hand and (b"\n" in self.head or sniff(self.head)):
                return
            self._pull(_HEAD - len(self.head))

    def has_more(self) -> bool:
        """True when a byte follows the head; reads on, and appends to the head, to find out."""
        before = len(self.head)
        if not self._ended:
            self._pull(_PIECE)
        return len(self.head) > before

    def readinto(self, view: memoryview) -> int:
        """Hand out the head, then read straight into ``view``."""
        if not self.head:
            return 0 if self._ended else self._read(view)
        count = min(len(view), len(self.head))
        view[:count] = self.head[:count]
        del self.head[:count]
        return count

    def then(self, stage: Callable[[Iterator[bytes]], Iterator[bytes]]) -> _Feed:
        """The stream that ``stage`` makes of this one."""
        return _Feed(_PieceReader(stage(self._pieces())).readinto, self._at_hand)

    def _pieces(self) -> Iterator[bytes]:
        buffer = bytearray(_PIECE)
        view = memoryview(buffer)
        while count := self.readinto(view):
            yield bytes(view[:count])

    def _pull(self, size: int) -> None:
        buffer = bytearray(size)
        count = self._read(memoryview(buffer))
        self._ended = count == 0
        self.head += buffer[:count]


class _PieceReader:
    """Pieces of any size as a stream to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readinto(self, view: memoryview) -> int:
        """Hand out the rest of the current piece, or of the next one; 0 at the end."""
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
