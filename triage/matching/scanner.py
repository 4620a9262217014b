"""One source, bytes in, findings out: the automaton finds candidate lines, and Python looks only at those.

The result depends on the bytes alone: not on how they were cut when they were fed.
"""

from __future__ import annotations

from collections.abc import Sequence

from triage.knowledge.database import PatternDatabase
from triage.matching.blocks import Region, SlidingBuffer
from triage.matching.candidates import Candidate, CandidateFinder, parts
from triage.matching.confirm import Confirmer
from triage.matching.context import LOOKBACK
from triage.matching.counted_lines import CountedLines
from triage.matching.counting import LineCounter
from triage.matching.inspect_line import CandidateLine, LineInspector
from triage.matching.last_batch import last_batch
from triage.matching.looker import Looker
from triage.matching.markers import ERROR_PREFIX
from triage.matching.normalize import normalize
from triage.matching.record import SourceScan
from triage.matching.shapes import LineShapes
from triage.matching.storm import Split, StormSplitter, TextBlock

_FIRST_DENSE_PART = 64 << 10
_DENSE_PART = 1 << 20
"""In what parts a storm is taken: small ones until its shapes are known."""
_DENSE_SHARE = 0.05
"""Below this share of known lines in a part, a storm is taken to be over."""


class Scanner:
    """Feed it bytes, then ``finish``. ``room``/``advance`` let a reader fill its buffer without a copy; ``lanes`` is how
    many threads the automaton may run in; ``live``: the source grows, in pieces, for as long as the process lives."""

    def __init__(
        self, source: str, database: PatternDatabase, confirmer: Confirmer, lanes: int = 1, *, live: bool = False
    ) -> None:
        self._buffer = SlidingBuffer()
        self._confirmer = confirmer
        self._finder = CandidateFinder(database, lanes, narrows=not live)
        self._inspector = LineInspector(source, confirmer, self._buffer.bytes)
        self._counter = LineCounter(live=live)
        self._shapes = LineShapes()
        self._splitter = StormSplitter(self._counter)
        self._lines = 0  # line feeds before the next region
        self._dense = False
        self._wrapped = False
        self._long_start = 0
        self.result = SourceScan(source, database.shared)
        self._join()

    def room(self) -> memoryview:
        """Where a reader may write next."""
        return self._buffer.room()

    def advance(self, count: int) -> None:
        """``count`` bytes were written into ``room``."""
        self._buffer.advance(count)
        self.result.size += count
        self._drain(final=False)

    def feed(self, data: bytes | memoryview) -> None:
        """Take ``data``, of any size."""
        rest = memoryview(data)
        while len(rest):
            room = self.room()
            part = min(len(room), len(rest))
            room[:part] = rest[:part]
            room.release()
            self.advance(part)
            rest = rest[part:]

    @property
    def feeds(self) -> int:
        """Line feeds taken in so far, those in what waits for its end included."""
        waiting = self._buffer.waiting()
        return self._lines + self._buffer.bytes.count(b"\n", *waiting)

    def finish(self) -> SourceScan:
        """Scan what is left (a last line without a line feed too) and hand out the result."""
        self._drain(final=True)
        self._look_at_end_again()
        self.result.lines = self._lines + self._unterminated()
        self.result.limits.extend(self._confirmer.limits)
        return self.result

    def peek(self) -> SourceScan:
        """What ``finish`` would hand out if nothing more came: the unfinished last line is looked at too.

        The scanner is as it was and may be fed on: the line is looked at again once it is complete, so that the result in the
        end does not depend on who peeked. Costs as much as the unfinished line, plus about a millisecond.
        """
        from copy import copy  # here: only a log that is still written is peeked at

        kept = dict(vars(self))
        self._buffer = copy(self._buffer)  # the bytes are shared: the end of a source moves none of them
        self._confirmer = self._confirmer.twin()
        self._inspector = self._inspector.twin(self._confirmer)
        self._shapes = self._shapes.twin()
        self._splitter = StormSplitter(self._counter)
        self.result = self.result.twin()
        self._join()
        try:
            return self.finish()
        finally:
            vars(self).update(kept)

    def _join(self) -> None:
        """Make what works on the result and the other parts together."""
        self._counted = CountedLines(self.result, self._inspector, self._counter, self._finder.literal)
        self._looker = Looker(self.result, self._buffer, self._inspector, self._shapes, self._counted, self._counter)

    def _unterminated(self) -> int:
        last = self._buffer.last_byte()
        return 1 if last is not None and last != 0x0A else 0

    def _drain(self, *, final: bool) -> None:
        origin = self._buffer.origin
        for region in self._buffer.regions(final=final):
            self._scan(region)
        if self._buffer.origin != origin:
            self._inspector.forget()

    def _scan(self, region: Region) -> None:
        raw = self._buffer.bytes
        feeds, is_ascii = None, False
        if not region.piece:
            self.result.clock.look(raw, region.start, region.end, self._buffer.origin, self._lines)
        if region.piece:
            self._scan_piece(region)
        elif self._dense:
            feeds, is_ascii = self._scan_dense(region)
        else:
            found = self._finder.find(raw, region.start, region.end, self.result.muted, counter=self._counter)
            feeds, is_ascii = found.feeds, found.is_ascii
            if found.too_many:
                self._dense = True
                feeds, is_ascii = self._scan_dense(region)
            elif found.needs_normalizing:
                block = self._normalized(region.start, region.end)
                self._looker.look(block, self._find(block))
            else:
                self._looker.look(self._raw_block(region.start, region.end), found.candidates)
        if not is_ascii:
            self.result.decode_errors += self._counter.decode_errors(raw, region.fresh, region.end)
        self._counted.add_muted(raw, region, self._buffer.origin, self._lines)
        if feeds is None:
            feeds = self._counter.feeds(raw, region.start, region.end)
        self._counted.settle()
        self._note_batches(raw, region, feeds)
        if not region.piece or region.ends_line:
            self._lines += feeds

    def _raw_block(self, start: int, end: int, lines: int = 0) -> TextBlock:
        return TextBlock(self._buffer.bytes, start, end, self._lines + lines, start, end, same_bytes=True)

    def _normalized(self, start: int, end: int, lines: int = 0) -> TextBlock:
        text = normalize(bytes(memoryview(self._buffer.bytes)[start:end]))
        return TextBlock(text, 0, len(text), self._lines + lines, start, end, same_bytes=False)

    def _find(self, block: TextBlock) -> tuple[Candidate, ...]:
        return self._finder.find(block.text, block.base, block.end, self.result.muted, limited=False).candidates

    def _scan_piece(self, region: Region) -> None:
        """A piece of an overlong line: its candidates all belong to one line."""
        raw = self._buffer.bytes
        if self._inspector.long_line is None:
            self._long_start = self._buffer.origin + region.start
        found = self._finder.find(raw, region.start, region.end, self.result.muted, limited=False)
        for candidate in found.candidates:
            if candidate.end > region.fresh or region.fresh == region.start:
                line = CandidateLine(raw, region.start, region.end, self._lines + 1, self._long_start, region.start)
                self._looker.take(candidate.key, self._inspector.inspect(candidate.key, candidate.end, line), line)
        if region.ends_line:
            self._inspector.long_line = None
        elif self._inspector.long_line is None:
            self._inspector.begin_long_line(bytes(memoryview(raw)[region.start : region.start + 4096]), region.start)

    def _scan_dense(self, region: Region) -> tuple[int, bool]:
        """In a storm, lines of a known shape are counted first; the automaton sees only the others. Returns the line feeds, and
        whether all is known to be ASCII."""
        known = total = 0
        is_ascii = True
        size = _DENSE_PART if self._shapes.known else _FIRST_DENSE_PART
        count = (region.end - region.start) // size + 1
        for start, end in parts(self._buffer.bytes, region.start, region.end, count):
            make = self._normalized if self._wrapped else self._raw_block
            block = make(start, end, total)
            split, found = self._unknown(block)
            known += split.lines - len(split.kept)
            total += split.lines
            is_ascii = is_ascii and split.is_ascii and not self._wrapped
            if found is not None:
                self._looker.look(*found)
        self._dense = known >= total * _DENSE_SHARE
        return total - (self._buffer.bytes[region.end - 1] != 0x0A), is_ascii

    def _unknown(self, block: TextBlock) -> tuple[Split, tuple[TextBlock, Sequence[Candidate]] | None]:
        """How the block's lines were split, and those of unknown shape as a block with its candidates; the known ones are
        counted."""
        split = self._splitter.split(block.text, block.base, block.end, self._shapes.known)
        found: tuple[TextBlock, Sequence[Candidate]] | None = None
        if split.kept:
            rest = block.of_lines(split.rest, split.kept)
            hits = self._finder.find(rest.text, 0, rest.end, self.result.muted, limited=False)
            if hits.needs_normalizing and block.same_bytes:
                self._wrapped = True
                return self._unknown(self._normalized(block.raw_start, block.raw_end, block.first_line - self._lines))
            found = (rest, hits.candidates)
        raw = self._buffer.bytes
        for storm in split.storms:
            start = self._counter.line_start(block.text, block.base, block.end, storm.last, split.lines)
            stop = block.text.find(b"\n", start, block.end)
            raw_start = start
            if not block.same_bytes:
                raw_start = self._counter.line_start(raw, block.raw_start, block.raw_end, storm.last, split.lines)
            number = block.first_line + storm.last + 1
            offset = self._buffer.origin + raw_start
            line = CandidateLine(block.text, start, stop if stop >= 0 else block.end, number, offset, raw_start)
            self._counted.add(storm.keys, line, storm.lines)
        return split, found

    def _note_batches(self, raw: bytearray, region: Region, feeds: int) -> None:
        found = last_batch(raw, region.start, region.end)
        if found is not None:
            number = self._lines + feeds - self._counter.feeds(raw, found.at, region.end) + 1
            line = CandidateLine(found.head, 0, len(found.head), number, 0, found.start)
            self.result.last_batch = self._inspector.place(line)

    def _look_at_end_again(self) -> None:
        """After a storm of errors the last lines are looked at all the same: what is printed last is what it died of."""
        stormed = {key for key in self.result.muted if key.startswith(ERROR_PREFIX)}
        if not stormed:
            return
        raw, end = self._buffer.bytes, self._buffer.filled
        start = max(0, end - LOOKBACK)
        start = raw.find(b"\n", start, end) + 1 if start else 0
        self.result.muted -= stormed
        lines = -self._counter.feeds(raw, start, end)
        block = self._normalized(start, end, lines)
        self._looker.look(block, [candidate for candidate in self._find(block) if candidate.key in stormed])
