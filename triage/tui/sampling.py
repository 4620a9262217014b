"""What a log tells of the server's work, sampled beside the screen."""

from __future__ import annotations

import threading

from triage.matching.batch_lines import BatchSample, samples
from triage.reading.line_index import LineIndex


class Sampling:
    """Some 2,000 batch lines, evenly spread over a file of any size. ``found``: None while it is read."""

    def __init__(self, index: LineIndex) -> None:
        self.size = index.size
        self.found: tuple[BatchSample, ...] | None = None
        self._index = index
        self._stop = False
        threading.Thread(target=self._run, name="sampling", daemon=True).start()

    def close(self) -> None:
        """Read no further piece."""
        self._stop = True

    def _run(self) -> None:
        found = samples(self._read, self.size)
        if not self._stop:
            self.found = found

    def _read(self, offset: int, count: int) -> bytes:
        return b"" if self._stop else self._index.read(offset, min(count, self.size - offset))
