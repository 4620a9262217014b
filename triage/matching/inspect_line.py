"""The exact look at one candidate line: pattern, prefix, context; the hit it makes, if any."""

from __future__ import annotations

from itertools import islice

from triage.lazy_regex import lazy_regex
from triage.matching.confirm import Confirmer, Match
from triage.matching.context import ContextReader, LineContext
from triage.matching.markers import FACT_PREFIX, PHASE_PREFIX
from triage.matching.prefix import parse_prefix, parse_prefix_near
from triage.model import Context, Hit, Place, Prefix
from triage.records import dataclass

WINDOW_BEFORE, WINDOW_AFTER = 12 << 10, 4 << 10
"""Of a longer line only this much around a candidate's end is looked at."""
MAX_TEXT = 2048
_QUIET_LEVELS = ("trace", "debug")
_CONTEXT_BYTES = 4096
_GAP = lazy_regex(r"[^\x21-\x7e]+")
"""What no secret holds: white space, and whatever is not printable ASCII."""


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """A line of ``text`` (``start:end``) with its 1-based number, and its offset in the source and in the raw buffer."""

    text: bytes | bytearray
    start: int
    end: int
    number: int
    offset: int
    raw_start: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A hit with the prefix of its own line and the whole of the message behind it."""

    hit: Hit
    own: Prefix
    message: str


class LineInspector:
    """Confirms candidates of one source. ``long_line``: what the front of an overlong line said, while in its pieces."""

    def __init__(self, source: str, confirmer: Confirmer, buffer: bytearray) -> None:
        self._source = source
        self._confirmer = confirmer
        self._buffer = buffer
        self._contexts = ContextReader()
        self._parsed: tuple[str, Prefix] | None = None
        self.long_line: LineContext | None = None

    def twin(self, confirmer: Confirmer) -> LineInspector:
        """Another one at the same place, which remembers nothing of the lines that it looks at for this one."""
        other = LineInspector(self._source, confirmer, self._buffer)
        other.long_line = self.long_line
        return other

    def forget(self) -> None:
        """The buffer moved."""
        self._contexts.forget()

    def inspect(self, key: str, at: int, line: CandidateLine) -> Seen | None:
        """The hit of pattern ``key``, whose match ends about offset ``at`` of the line's text, or None."""
        segment, base = self._segment(key, at, line)
        match = self._match(key, segment, at - base)
        if match is None:
            return None
        shown = segment.decode("utf-8", "surrogateescape")
        own = self.long_line.prefix if self.long_line else self._prefix(shown)
        pattern = self._confirmer.pattern(key)
        if pattern.regex.startswith("^") and not self.long_line:
            # Only now is it known where the message begins.
            match = self._confirmer.match(key, segment, len(_bytes(shown[: own.end])))
            if match is None:
                return None
        if own.level in _QUIET_LEVELS if not pattern.levels else own.level not in pattern.levels:
            return None
        position = len(segment[: match.start].decode("utf-8", "surrogateescape"))
        if own.rank is None and position and not own.wrappers and not self.long_line:
            near = parse_prefix_near(shown, position)
            own = near if near.format else own
        context = self.long_line or self._contexts.read(
            self._buffer, line.raw_start, bytes(line.text[line.start : min(line.end, line.start + _CONTEXT_BYTES)]), own
        )
        kind = context.context
        if pattern.ignored_imports:
            if kind is not Context.BENIGN:
                return None
            kind = Context.NORMAL
        prefix = context.prefix
        place = Place(self._source, line.number, line.offset, prefix.time, prefix.seconds, prefix.rank, prefix.node)
        block = line.number - context.block_back
        text = _clip(
            shown, position, position + len(segment[match.start : match.end].decode("utf-8", "surrogateescape"))
        )
        hit = Hit(key, place, text, match.captures, kind, block)
        return Seen(hit, own, shown[own.end :])

    def place(self, line: CandidateLine) -> Place:
        """Where a line stands that is only counted, by its own prefix."""
        head = bytes(line.text[line.start : min(line.end, line.start + 1024)]).decode("utf-8", "surrogateescape")
        own = parse_prefix(head)
        return Place(self._source, line.number, line.offset, own.time, own.seconds, own.rank, own.node)

    def begin_long_line(self, head: bytes, raw_start: int) -> None:
        """The front of an overlong line is only in its first piece: keep what it says for the others."""
        own = parse_prefix(head[:1024].decode("utf-8", "surrogateescape"))
        self.long_line = self._contexts.read(self._buffer, raw_start, head, own)

    def _segment(self, key: str, at: int, line: CandidateLine) -> tuple[bytes, int]:
        """The part of the line to look at, and its offset. Between carriage returns each part is a line of its own; only
        a dump of settings is taken at any length."""
        low, high = line.start, line.end
        if high - low > WINDOW_BEFORE + WINDOW_AFTER and not key.startswith(FACT_PREFIX):
            low, high = max(low, at - WINDOW_BEFORE), min(high, at + WINDOW_AFTER)
        low = line.text.rfind(b"\r", low, max(low, at - 1)) + 1 or low
        stop = line.text.find(b"\r", at, high)
        return bytes(line.text[low : stop if stop >= 0 else high]), low

    def _match(self, key: str, segment: bytes, end: int) -> Match | None:
        if key.startswith((FACT_PREFIX, PHASE_PREFIX)):
            # The automaton is exact enough for these, and the reader of a fact looks again by itself.
            return Match(max(0, end - 1), end, ())
        return self._confirmer.match(key, segment)

    def _prefix(self, shown: str) -> Prefix:
        """Several patterns look at one line: its prefix is parsed once."""
        if self._parsed is None or self._parsed[0] != shown:
            self._parsed = (shown, parse_prefix(shown))
        return self._parsed[1]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _clip(text: str, start: int, end: int) -> str:
    """At most about MAX_TEXT characters of ``text`` around its match at ``start:end``, cut between words."""
    if len(text) <= MAX_TEXT:
        return text
    low = max(0, min(start - MAX_TEXT // 4, len(text) - MAX_TEXT))
    high = max(low + MAX_TEXT, min(end, low + 2 * MAX_TEXT))
    if low:
        low = _after_words(text, low, start)
    if high < len(text):
        gaps = [gap.start() for gap in _GAP.finditer(text, min(end, high), high)]
        high = gaps[-1] if gaps else min(end, high)
    return ("…" if low else "") + text[low:high] + ("…" if high < len(text) else "")


def _after_words(text: str, start: int, stop: int) -> int:
    """The front of the second whole word behind ``start``, or of the word that ``stop`` is in, or ``stop``.

    A secret is known by the name before it: what a cut parts from its name would be shown as if it were none.
    """
    gaps = [gap.end() for gap in islice(_GAP.finditer(text, start, stop), 2)]
    return gaps[-1] if gaps else stop
