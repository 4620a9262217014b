"""One source, bytes in, findings out: the automaton finds candidate lines, and Python looks only at those.

The result depends on the bytes alone: not on how they were cut when they were fed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triage.knowledge.database import PatternDatabase
from triage.matching.blocks import Region, SlidingBuffer
from triage.matching.candidates import SUB_BLOCK, Candidate, CandidateFinder, parts
from triage.matching.confirm import Confirmer, Match
from triage.matching.context import LOOKBACK, ContextReader, LineContext
from triage.matching.counting import LineCounter
from triage.matching.markers import ERROR_PREFIX, FACT_PREFIX, PHASE_PREFIX
from triage.matching.normalize import normalize
from triage.matching.prefix import parse_prefix, parse_prefix_near
from triage.matching.record import SourceScan
from triage.model import Context, Hit, Place, Prefix

WINDOW_BEFORE, WINDOW_AFTER = 12 << 10, 4 << 10
"""Of a longer line only this much around a candidate's end is looked at."""
MAX_TEXT = 2048
_QUIET_LEVELS = ("trace", "debug")


@dataclass(frozen=True, slots=True)
class _Line:
    """A candidate's line, or its window of an overlong one: ``start``/``end`` in ``text``; ``number`` is 1-based."""

    start: int
    end: int
    number: int
    offset: int


class Scanner:
    """Feed it bytes, then ``finish``. ``room``/``advance`` let a reader fill its buffer without a copy."""

    def __init__(self, source: str, database: PatternDatabase, confirmer: Confirmer) -> None:
        self._buffer = SlidingBuffer()
        self._confirmer = confirmer
        self._finder = CandidateFinder(database)
        self._contexts = ContextReader()
        self._counter = LineCounter()
        self._lines = 0  # line feeds before the next region
        self._long_line: LineContext | None = None
        self._long_start = 0
        self._parsed: tuple[str, Prefix] | None = None
        self.result = SourceScan(source)

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
            self.advance(part)
            rest = rest[part:]

    def finish(self) -> SourceScan:
        """Scan what is left (a last line without a line feed too) and hand out the result."""
        self._drain(final=True)
        self._rescan_tail()
        self.result.lines = self._lines + self._unterminated()
        self.result.limits.extend(self._confirmer.limits)
        return self.result

    def _rescan_tail(self) -> None:
        """Errors that stormed were no longer looked at one by one, but what a server prints last is what it died of."""
        stormed = {key for key in self.result.muted if key.startswith(ERROR_PREFIX)}
        if not stormed:
            return
        text, end = self._buffer.bytes, self._buffer.filled
        floor = max(0, end - LOOKBACK)
        base = text.find(b"\n", floor, end) + 1 if floor else 0
        lines = self._lines - self._counter.feeds(text, base, end)
        self.result.muted -= stormed
        for candidate in self._finder.find(text, base, end, self.result.muted).candidates:
            if candidate.key in stormed:
                start = text.rfind(b"\n", base, candidate.end) + 1 or base
                stop = text.find(b"\n", candidate.end, end)
                number = lines + self._counter.feeds(text, base, start) + 1
                line = _Line(start, stop if stop >= 0 else end, number, self._buffer.origin + start)
                self._look(candidate, text, line, start, Region(base, base, end))

    def _unterminated(self) -> int:
        last = self._buffer.last_byte()
        return 1 if last is not None and last != 0x0A else 0

    def _drain(self, *, final: bool) -> None:
        origin = self._buffer.origin
        for region in self._buffer.regions(final=final):
            self._scan(region)
        if self._buffer.origin != origin:
            self._contexts.forget()

    def _scan(self, region: Region) -> None:
        raw = self._buffer.bytes
        found = self._finder.find(raw, region.start, region.end, self.result.muted)
        text: bytes | bytearray = raw
        base, end = region.start, region.end
        clean = found.needs_normalizing
        if clean:
            text = normalize(bytes(memoryview(raw)[region.start : region.end]))
            base, end = 0, len(text)
            found = self._finder.find(text, base, end, self.result.muted)
        if found.too_many and not region.piece and region.end - region.start > SUB_BLOCK:
            for low, high in parts(raw, region.start, region.end, (region.end - region.start) // SUB_BLOCK + 1):
                self._scan(Region(low, low, high))
            return
        self.result.decode_errors += self._counter.decode_errors(raw, region.fresh, region.end)
        counted_to, feeds, raw_at = base, 0, region.start
        done: set[tuple[int, int]] = set()
        for candidate in found.candidates:
            if self.result.is_storming(candidate.key):
                continue
            if region.piece and not clean and candidate.end <= region.fresh and region.fresh != region.start:
                continue  # the piece before reported it
            start = text.rfind(b"\n", base, candidate.end) + 1 or base
            if (candidate.index, start) in done:
                continue
            new_feeds = self._counter.feeds(text, counted_to, start)
            if clean and new_feeds:
                raw_at = self._counter.skip_lines(raw, raw_at, region.end, new_feeds)
            feeds += new_feeds
            counted_to = start
            stop = text.find(b"\n", candidate.end, end)
            offset = self._buffer.origin + (raw_at if clean else start)
            if region.piece:
                offset = self._long_offset(region)
            line = _Line(start, stop if stop >= 0 else end, self._lines + feeds + 1, offset)
            if (
                self._look(candidate, text, line, raw_at if clean else start, region)
                or line.end - line.start <= WINDOW_BEFORE
            ):
                done.add((candidate.index, start))
            if self.result.is_storming(candidate.key):
                self.result.storm_from[candidate.key] = line.end + 1
        self._count_storms(text, base, end, region, clean=clean)
        self._note_batches(text, base, end)
        self._lines += feeds + self._counter.feeds(text, counted_to, end)
        self._track_long_line(region)

    def _look(self, candidate: Candidate, text: bytes | bytearray, line: _Line, raw_start: int, region: Region) -> bool:
        """Confirm the candidate on its line; take it up if it holds."""
        low, high = line.start, line.end
        if high - low > WINDOW_BEFORE + WINDOW_AFTER and not candidate.key.startswith(FACT_PREFIX):
            low, high = max(low, candidate.end - WINDOW_BEFORE), min(high, candidate.end + WINDOW_AFTER)
        # Between carriage returns each part is a line of its own (progress bars).
        low = text.rfind(b"\r", low, max(low, candidate.end - 1)) + 1 or low
        stop = text.find(b"\r", candidate.end, high)
        segment = bytes(text[low : stop if stop >= 0 else high])
        if candidate.key.startswith((FACT_PREFIX, PHASE_PREFIX)):
            # The automaton is exact enough for these, and the reader of a fact looks again by itself.
            match: Match | None = Match(max(0, candidate.end - low - 1), candidate.end - low, ())
        else:
            match = self._confirmer.match(candidate.key, segment)
        if match is None:
            self.result.add_refusal(candidate.key)
            return False
        pattern = self._confirmer.pattern(candidate.key)
        shown = segment.decode("utf-8", "surrogateescape")
        own = self._long_line.prefix if self._long_line and region.piece else self._prefix(shown)
        if pattern.regex.startswith("^") and not (region.piece and self._long_line):
            # Only now is it known where the message begins.
            match = self._confirmer.match(
                candidate.key, segment, len(shown[: own.end].encode("utf-8", "surrogateescape"))
            )
            if match is None:
                return False
        if own.level in _QUIET_LEVELS if not pattern.levels else own.level not in pattern.levels:
            return True
        if own.rank is None and match.start > 0 and not own.wrappers:
            near = parse_prefix_near(shown, len(segment[: match.start].decode("utf-8", "surrogateescape")))
            own = near if near.format else own
        context = (
            self._long_line
            if self._long_line and region.piece
            else self._contexts.read(
                self._buffer.bytes, raw_start, bytes(text[line.start : min(line.end, line.start + 4096)]), own
            )
        )
        hit = Hit(
            candidate.key,
            _place(self.result.source, line, context.prefix),
            _clip(shown, len(segment[: match.start].decode("utf-8", "surrogateescape"))),
            match.captures,
            context.context,
            line.number - context.block_back,
        )
        self._take(hit, own, shown, raw_start)
        return True

    def _prefix(self, shown: str) -> Prefix:
        """Several patterns look at one line: its prefix is parsed once."""
        if self._parsed is None or self._parsed[0] != shown:
            self._parsed = (shown, parse_prefix(shown))
        return self._parsed[1]

    def _take(self, hit: Hit, own: Prefix, shown: str, raw_start: int) -> None:
        if hit.key.startswith(FACT_PREFIX):
            self.result.add_fact_line(hit, shown[own.end :])
        elif hit.key.startswith(PHASE_PREFIX):
            self.result.add_phase(hit)
        elif hit.key.startswith(ERROR_PREFIX):
            if hit.context in (Context.NORMAL, Context.SUSPECT):
                self.result.add_error(hit, own, self._buffer.bytes, raw_start)
        else:
            self.result.add_hit(hit)

    def _count_storms(self, text: bytes | bytearray, base: int, end: int, region: Region, *, clean: bool) -> None:
        """Lines of storming expressions are counted by their literal, from where the storm was recognised."""
        fresh = base if clean else max(base, region.fresh)
        for key in self.result.muted:
            literal = self._finder.literal(key)
            if not literal or not self.result.is_counted(key):
                continue
            begin = min(max(fresh, self.result.storm_from.pop(key, fresh)), end)
            lines = text.count(literal, begin, end)
            if not lines:
                continue
            at = text.rfind(literal, begin, end)
            start = text.rfind(b"\n", base, at) + 1 or base
            stop = text.find(b"\n", at, end)
            feeds = self._counter.feeds(text, base, start)
            raw_start = (
                self._counter.skip_lines(self._buffer.bytes, region.start, region.end, feeds) if clean else start
            )
            shown = bytes(text[start : stop if stop >= 0 else end])[:1024].decode("utf-8", "surrogateescape")
            line = _Line(start, stop, self._lines + feeds + 1, self._buffer.origin + raw_start)
            self.result.add_uncounted(key, lines, _place(self.result.source, line, parse_prefix(shown)))

    def _note_batches(self, text: bytes | bytearray, base: int, end: int) -> None:
        """Remember the last line that shows requests at work. Not for the automaton: a healthy log is full of them."""
        at = text.find(b" batch", base, end)
        at = text.rfind(b" batch", at, end) if at >= 0 else at
        while at >= 0 and not (text.endswith(b"Decode", base, at) or text.endswith(b"Prefill", base, at)):
            at = text.rfind(b" batch", base, at)
        if at < 0:
            return
        start = text.rfind(b"\n", base, at) + 1 or base
        prefix = parse_prefix(bytes(text[start:at])[-1024:].decode("utf-8", "surrogateescape"))
        line = _Line(start, at, self._lines + self._counter.feeds(text, base, at) + 1, 0)
        self.result.last_batch = _place(self.result.source, line, prefix)

    def _long_offset(self, region: Region) -> int:
        return self._long_start if self._long_line else self._buffer.origin + region.start

    def _track_long_line(self, region: Region) -> None:
        """The front of an overlong line is only in its first piece: what it says is kept for the others."""
        if not region.piece or region.ends_line:
            self._long_line = None
        elif self._long_line is None:
            head = bytes(memoryview(self._buffer.bytes)[region.start : region.start + 4096])
            own = parse_prefix(head[:1024].decode("utf-8", "surrogateescape"))
            self._long_line = self._contexts.read(self._buffer.bytes, region.start, head, own)
            self._long_start = self._buffer.origin + region.start


def scan_bytes(source: str, chunks: Iterator[bytes], database: PatternDatabase, confirmer: Confirmer) -> SourceScan:
    """Scan a whole source that comes in ``chunks``."""
    scanner = Scanner(source, database, confirmer)
    for chunk in chunks:
        scanner.feed(chunk)
    return scanner.finish()


def _place(source: str, line: _Line, prefix: Prefix) -> Place:
    return Place(source, line.number, line.offset, prefix.time, prefix.seconds, prefix.rank, prefix.node)


def _clip(text: str, position: int) -> str:
    """At most MAX_TEXT characters of ``text``, with ``position`` among them."""
    if len(text) <= MAX_TEXT:
        return text
    start = max(0, min(position - MAX_TEXT // 4, len(text) - MAX_TEXT))
    return ("…" if start else "") + text[start : start + MAX_TEXT] + ("…" if start + MAX_TEXT < len(text) else "")
