"""A private file that holds what a pipe or a packed input gave, so that its lines can be looked at again."""

from __future__ import annotations

import os
import tempfile
import threading

from triage.reading.block_file import BlockFile
from triage.reading.line_index import LineIndex
from triage.reading.source import Remarks, Source

CAP = 2 << 30


class Spool:
    """Takes bytes in order into an unnamed file that only we can read and that goes when we do.

    Beyond ``cap`` bytes, or on a full disk, no more is kept and ``note`` says so: the scan goes on, only the view ends.
    """

    def __init__(self, cap: int = CAP) -> None:
        self._file = tempfile.TemporaryFile(prefix="sgltriage-", buffering=0)  # noqa: SIM115  (kept until close)
        self._room = cap
        self._lock = threading.Lock()
        self.note = ""

    def append(self, data: bytes | memoryview) -> None:
        """Keep ``data``; never raises because of the disk."""
        view = memoryview(data)
        with self._lock:
            if self._file.closed:
                return
            kept = view[: self._room]
            if len(kept) < len(view):
                self.note = "only the first part of this input is kept for looking at its lines"
            self._room -= len(kept)
            try:
                while kept:
                    kept = kept[self._file.write(kept) :]
            except OSError as error:
                self._room = 0
                self.note = f"lines beyond {self._file.tell():,} bytes are not kept: {error.strerror}"

    def lines(self) -> LineIndex:
        """The lines so far, and, after a refresh, those that came since."""
        return LineIndex(BlockFile(os.dup(self._file.fileno())))

    def close(self) -> None:
        """Give the file back; a second call does nothing."""
        with self._lock:
            self._file.close()


class SpooledSource(Source):
    """A source whose bytes are kept in ``spool`` as they are read."""

    def __init__(self, inner: Source, spool: Spool) -> None:
        super().__init__(inner.label, inner.readinto, remarks=Remarks(), close=inner.close, fill=False, size=inner.size)
        self._inner, self._spool = inner, spool

    def readinto(self, view: memoryview) -> int:
        """Read, and keep what was read."""
        count = super().readinto(view)
        self._spool.append(view[:count])
        return count

    @property
    def notes(self) -> list[str]:
        """Those of the inner source."""
        return self._inner.notes

    @property
    def truncated(self) -> bool:
        """That of the inner source."""
        return self._inner.truncated
