"""A source of log bytes as the rest of the program sees it, the error for what cannot be read, and the caps."""

from __future__ import annotations

from triage.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class ReadError(Exception):
    """An input that cannot be read: ``path`` as it was given and one plain line of ``reason``.

    ``harmless`` is true for a file that nobody named (it was met inside a directory) and that is no log: worth a
    remark, not a failed run.
    """

    def __init__(self, path: str, reason: str, *, harmless: bool = False) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason
        self.harmless = harmless

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on what one input may cost. Sizes are bytes.

    ``max_output`` and ``max_ratio`` hold for compressed inputs only: a plain file may be of any size. The ratio counts
    once ``ratio_grace`` bytes were unpacked, and only while no line feed comes: an honest storm of equal lines has been
    seen to shrink 300-fold by gzip and 10,000-fold by zstd, and memory does not grow with either. ``max_depth`` and ``max_files`` hold for each directory that is given.
    """

    max_output: int = 8 << 30
    max_ratio: float = 200.0
    ratio_grace: int = 1 << 20
    max_window: int = 128 << 20
    max_depth: int = 8
    max_files: int = 10_000
    fifo_wait_s: float = 10.0


@dataclass(slots=True)
class Remarks:
    """What the stages of one source have to say about it. ``truncated``: bytes that exist were not handed out."""

    notes: list[str] = field(default_factory=list)
    truncated: bool = False

    def cut(self, note: str) -> None:
        """Say that the source ends early, and why."""
        self.notes.append(note)
        self.truncated = True


class Source:
    """One input, opened and decoded: a stream of UTF-8-like bytes to be read once from its beginning.

    ``label`` is the path as given (stdin: its name), undecodable bytes as surrogate escapes. ``bytes_read`` counts the
    bytes handed out, and every offset derived from them refers to this decoded stream: after decompression and
    transcoding, without a byte order mark, without holes and leading NUL bytes. ``size`` is the size on disk, None for a
    pipe. ``notes`` and ``truncated`` are complete when `readinto` has returned 0.
    """

    def __init__(
        self,
        label: str,
        stage: Callable[[memoryview], int],
        *,
        remarks: Remarks,
        close: Callable[[], None],
        fill: bool,
        size: int | None = None,
    ) -> None:
        self.label = label
        self.size = size
        self.bytes_read = 0
        self._stage = stage
        self._remarks = remarks
        self._close: Callable[[], None] | None = close
        self._fill = fill

    def readinto(self, view: memoryview) -> int:
        """Put the next bytes into ``view`` and return their number, 0 at the end.

        A file fills the view; a pipe gives what is at hand, so that a live log is seen without delay. An I/O error
        after the opening ends the stream with a note and ``truncated``.
        """
        if not view or self._close is None:
            return 0
        count = self._stage(view)
        while self._fill and 0 < count < len(view):
            more = self._stage(view[count:])
            if not more:
                break
            count += more
        self.bytes_read += count
        return count

    @property
    def notes(self) -> list[str]:
        """Plain sentences about what was decoded, skipped or cut."""
        return self._remarks.notes

    @property
    def truncated(self) -> bool:
        """True when the input held more than was handed out."""
        return self._remarks.truncated

    def close(self) -> None:
        """Give the descriptor back; a second call does nothing."""
        if self._close is not None:
            close, self._close = self._close, None
            close()

    def __enter__(self) -> Source:  # noqa: PYI034  (Self is not in Python 3.10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
