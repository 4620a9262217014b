"""What candidate lines turn out to be: their patterns are asked, unless lines of their shape are known."""

from __future__ import annotations

from collections.abc import Sequence

from triage.matching.blocks import SlidingBuffer
from triage.matching.candidates import Candidate
from triage.matching.counted_lines import CountedLines
from triage.matching.counting import LineCounter
from triage.matching.inspect_line import WINDOW_BEFORE, CandidateLine, LineInspector, Seen
from triage.matching.markers import ERROR_PREFIX, FACT_PREFIX, PHASE_PREFIX
from triage.matching.record import SourceScan
from triage.matching.shapes import MAX_LENGTH, LineShapes, shape_of
from triage.matching.storm import TextBlock
from triage.model import Context


class Looker:
    """Looks at candidate lines of one source, whose bytes stand in ``buffer``, and notes in ``result`` what they are."""

    __slots__ = ("_buffer", "_counted", "_counter", "_inspector", "_result", "_shapes")

    def __init__(
        self,
        result: SourceScan,
        buffer: SlidingBuffer,
        inspector: LineInspector,
        shapes: LineShapes,
        counted: CountedLines,
        counter: LineCounter,
    ) -> None:
        self._result = result
        self._buffer = buffer
        self._inspector = inspector
        self._shapes = shapes
        self._counted = counted
        self._counter = counter

    def look(self, block: TextBlock, candidates: Sequence[Candidate]) -> None:
        """Look at every candidate line of ``block``: its patterns, or only its shape if that is known."""
        text, counted_to, feeds, raw_at, raw_line = block.text, block.base, 0, block.raw_start, 0
        position = 0
        while position < len(candidates):
            start = text.rfind(b"\n", block.base, candidates[position].end) + 1 or block.base
            stop = text.find(b"\n", candidates[position].end, block.end)
            stop = stop if stop >= 0 else block.end
            first = position
            while position < len(candidates) and candidates[position].end <= stop:
                position += 1
            position = max(position, first + 1)
            feeds += self._counter.feeds(text, counted_to, start)
            counted_to = start
            index = feeds if block.kept is None else block.kept[feeds]
            if not block.same_bytes:
                raw_at = self._counter.skip_lines(self._buffer.bytes, raw_at, block.raw_end, index - raw_line)
                raw_line = index
            raw_start = start if block.same_bytes else raw_at
            number = block.first_line + index + 1
            line = CandidateLine(text, start, stop, number, self._buffer.origin + raw_start, raw_start)
            self._look_at_line(line, candidates[first:position])

    def _look_at_line(self, line: CandidateLine, candidates: Sequence[Candidate]) -> None:
        shape = shape_of(bytes(line.text[line.start : line.end])) if line.end - line.start <= MAX_LENGTH else b""
        keys = self._shapes.known.get(shape) if shape else None
        if keys is not None:
            self._counted.add(keys, line)
            return
        short = line.end - line.start <= WINDOW_BEFORE
        tried: set[str] = set()
        matched: list[str] = []
        depends = False
        for candidate in candidates:
            if candidate.key in tried or candidate.key in self._result.muted:
                continue
            seen = self._inspector.inspect(candidate.key, candidate.end, line)
            if seen is not None or short:
                tried.add(candidate.key)  # a short line is looked at as a whole, so one look is enough
            if seen is not None:
                matched.append(candidate.key)
                depends = depends or not _stands_alone(seen)
            self.take(candidate.key, seen, line)
        if shape:
            self._shapes.note(shape, None if depends else tuple(matched))

    def take(self, key: str, seen: Seen | None, line: CandidateLine) -> None:
        """Note what a line is to a key; None: nothing."""
        if seen is None:
            self._result.add_refusal(key)
        elif key.startswith(FACT_PREFIX):
            self._result.add_fact_line(seen.hit, seen.message)
        elif key.startswith(PHASE_PREFIX):
            self._result.add_phase(seen.hit)
        elif not key.startswith(ERROR_PREFIX):
            self._result.add_hit(seen.hit, line.raw_start + line.end - line.start)
        elif seen.hit.context in (Context.NORMAL, Context.SUSPECT):
            self._result.add_error(seen.hit, seen.own, self._buffer.bytes, line.raw_start)


def _stands_alone(seen: Seen) -> bool:
    """May further lines like this one be counted unseen? Not where a line moves the server's life on, states facts, or
    was written by a client."""
    return not seen.hit.key.startswith((FACT_PREFIX, PHASE_PREFIX)) and seen.hit.context is Context.NORMAL
