"""The last line that shows requests at work. Not for the automaton: a healthy log is full of them."""

from __future__ import annotations

from triage.matching.normalize import normalize
from triage.records import dataclass

_HEAD = 1024
"""How far before its first number a line is looked at."""


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A line that begins at ``start`` of the bytes, as far as offset ``at`` in it; ``head``: that part, normalised."""

    start: int
    at: int
    head: bytes


def last_batch(raw: bytearray, start: int, end: int) -> BatchLine | None:
    """The last line of a decode or prefill batch in ``raw[start:end]``.

    Every such line counts something with a ``#``, and a single byte is found at the speed of memory.
    """
    while (at := raw.rfind(b"#", start, end)) >= 0:
        begin = raw.rfind(b"\n", start, at) + 1 or start
        head = normalize(bytes(memoryview(raw)[max(begin, at - _HEAD) : at]))
        if b"Decode batch" in head or b"Prefill batch" in head:
            return BatchLine(begin, at, head)
        end = begin
    return None
