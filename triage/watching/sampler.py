"""Samples of a growing source's batch lines, at a price that does not depend on how fast it grows."""

from __future__ import annotations

from collections import deque

from triage.matching.batch_lines import BATCH_WORD, BatchSample, last_samples
from triage.records import dataclass

_KEPT_BYTES = 64 << 10
_MOST = 32
"""At most so many lines of so many bytes are read a turn: enough for the ranks of a node, two to three milliseconds."""
_ANSWER = b'"POST /'
"""What the access log holds of every answered request, whichever release and whichever endpoint."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """``samples``: the last batch lines of a turn, oldest first; ``lines``: line feeds of the turn; ``answers``: requests
    logged as answered behind the last batch line."""

    samples: tuple[BatchSample, ...]
    lines: int
    answers: int


class BatchSampler:
    """Keeps the newest bytes of one source until they are asked for."""

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._told_lines = 0
        self._is_cut = False

    def take(self, data: bytes) -> None:
        """More bytes."""
        if len(data) > _KEPT_BYTES:
            data = data[-_KEPT_BYTES:]
            self._is_cut = True
        self._parts.append(data)
        self._size += len(data)
        while self._size - len(self._parts[0]) >= _KEPT_BYTES:
            self._size -= len(self._parts.popleft())
            self._is_cut = True

    def end_line(self) -> None:
        """The last line goes on no more."""
        self.take(b"\n")

    def drain(self, feeds: int) -> Sampled:
        """What came since the last call; a line without its end is left for the next. ``feeds``: line feeds of the source so
        far."""
        kept = b"".join(self._parts)
        begin = kept.find(b"\n") + 1 if self._is_cut else 0
        end = kept.rfind(b"\n") + 1
        if end:
            self._parts = deque([kept[end:]] if end < len(kept) else [])
            self._size = len(kept) - end
            # Where the only line feed is the end of a cut line, what follows it is whole.
            self._is_cut = False
        whole = kept[begin:end]
        found = tuple(last_samples(whole, _MOST))
        behind = max(whole.rfind(BATCH_WORD), 0)
        lines, self._told_lines = feeds - self._told_lines, feeds
        return Sampled(found, lines, whole.count(_ANSWER, behind))
