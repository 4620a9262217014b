"""What a line belongs to, told by the lines before it: whose traceback, which rank, a request's text, a dump of settings.

Everything here depends only on the line and on at most LOOKBACK bytes before it, never on how the bytes arrived, so that
any chunking of a stream gives the same answer.
"""

from __future__ import annotations

import re
from dataclasses import field

from triage.lazy_regex import lazy_regex
from triage.matching.normalize import normalize
from triage.matching.prefix import parse_prefix
from triage.model import Context, Prefix
from triage.records import dataclass

LOOKBACK = 1 << 16
MAX_LINES_BACK = 250
_NEAR = 16
"""How far above the next line of the same rank may stand when ranks interleave."""

_DUMP_HERE = lazy_regex(
    rb"(?:Receive|Finish|Received request|Finished request): obj=|obj=\w{0,60}ReqInput\(|\"event\": ?\"request\."
)
_CONFIG_HERE = lazy_regex(
    rb"(?:server_args|benchmark_args|port_args|engine_args|model_config)=|non-default args: |Namespace\(|"
    rb"warmup with status 200, resp:"
)
_BENIGN_HERE = lazy_regex(rb"Ignore import error when (?:loading|importing) ")
_TRACEBACK = b"Traceback (most recent call last)"
_FRAME = lazy_regex(rb"(?:\s|File \"|Traceback \(most recent|\^)")
_CONTINUATION = lazy_regex(
    rb"(?:\s|$|Traceback \(most recent|During handling of the above|The above exception was|\[rank\d+\]:\s|[\w.]+(?:Error|Exception|Exit|Interrupt)\b)"
)
_RECORD_END = lazy_regex(rb"[)}\]]\s*\n")
_STRING = lazy_regex(rb"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LineContext:
    """The prefix that holds for a line (its own, else that of the record it continues), its context and its block.

    ``block_back``: how many lines above the line its traceback or record begins (0: with the line itself).
    """

    prefix: Prefix
    context: Context
    block_back: int


@dataclass(frozen=True, slots=True)
class _Record:
    """Where a line's record begins: offset, the prefix that holds, lines above, and lines above to its first traceback."""

    offset: int
    prefix: Prefix
    back: int
    traceback_back: int | None


@dataclass(slots=True)
class ContextReader:
    """Reads contexts in one buffer. What was read is kept for as long as the buffer does not move (``forget``)."""

    _prefixes: dict[int, Prefix] = field(default_factory=dict)
    _contexts: dict[int, LineContext] = field(default_factory=dict)

    def forget(self) -> None:
        """The buffer moved: offsets mean something else now."""
        self._prefixes.clear()
        self._contexts.clear()

    def read(self, buffer: bytes | bytearray, start: int, line: bytes, own: Prefix) -> LineContext:
        """Context of ``line`` with the prefix ``own``, which begins at ``start`` in ``buffer``."""
        known = self._contexts.get(start)
        if known is None:
            known = self._contexts[start] = self._read(buffer, start, line, own)
        return known

    def _read(self, buffer: bytes | bytearray, start: int, line: bytes, own: Prefix) -> LineContext:
        here = _own_context(line)
        if here is not Context.NORMAL:
            return LineContext(own, here, 0)
        floor = max(0, start - LOOKBACK)
        record = self._record(buffer, floor, start, line, own)
        context = self._inherited_context(buffer, floor, start, record)
        if record.traceback_back is not None:
            return LineContext(record.prefix, context, record.traceback_back)
        return LineContext(record.prefix, context, record.back if context is not Context.NORMAL else 0)

    def _record(self, buffer: bytes | bytearray, floor: int, start: int, line: bytes, own: Prefix) -> _Record:
        traceback_back = 0 if _TRACEBACK in line else None
        alone = _Record(start, own, 0, traceback_back)
        prefixed = _begins_record(own)
        if prefixed and not _starts_with(_CONTINUATION, line, own):
            return alone
        position, back, first_of_own = start, 0, True
        while position > floor and back < MAX_LINES_BACK:
            previous = max(floor, buffer.rfind(b"\n", floor, position - 1) + 1)
            above = normalize(bytes(buffer[previous : position - 1]))
            prefix = self._prefix(previous, above)
            position, back = previous, back + 1
            begins = _begins_record(prefix)
            if prefixed and (not begins or (prefix.rank, prefix.pid) != (own.rank, own.pid)):
                if first_of_own and back >= _NEAR:
                    return alone
                continue  # another rank's line in between
            if prefixed and first_of_own and not _starts_with(_FRAME, above, prefix):
                return alone  # no traceback above that repeats its prefix
            first_of_own = False
            if _TRACEBACK in above:
                traceback_back = back
            if begins and not _starts_with(_CONTINUATION, above, prefix):
                return _Record(previous, own if prefixed else prefix, back, traceback_back)
        return _Record(start, own, 0, traceback_back)

    def _inherited_context(self, buffer: bytes | bytearray, floor: int, start: int, record: _Record) -> Context:
        """Is the line inside a request whose text was printed with raw line feeds? A line that looks like a new record
        of the server's own, not older than the request, ends the certainty but not the doubt."""
        opened = max(buffer.rfind(b": obj=", floor, start), buffer.rfind(b'"event": "request.', floor, start))
        if opened < 0:
            return Context.NORMAL
        text = bytes(buffer[opened:start])
        # Quotes in a prompt may close its string for the eye, but a record ends where a line does, with its last bracket.
        if _RECORD_END.search(text) is not None and not _string_is_open(text):
            return Context.NORMAL
        line_start = buffer.rfind(b"\n", 0, opened) + 1
        request = self._prefix(line_start, bytes(buffer[line_start : opened + 6]))
        written, asked = record.prefix.seconds, request.seconds
        if record.offset > opened and written is not None and asked is not None and written >= asked:
            return Context.SUSPECT
        return Context.REQUEST_DUMP

    def _prefix(self, offset: int, line: bytes) -> Prefix:
        found = self._prefixes.get(offset)
        if found is None:
            found = parse_prefix(normalize(line[:1024]).decode("utf-8", "surrogateescape"))
            self._prefixes[offset] = found
        return found


def _own_context(line: bytes) -> Context:
    if _DUMP_HERE.search(line):
        return Context.REQUEST_DUMP
    if _CONFIG_HERE.search(line):
        return Context.CONFIG_DUMP
    return Context.BENIGN if _BENIGN_HERE.search(line) else Context.NORMAL


def _begins_record(prefix: Prefix) -> bool:
    return prefix.time is not None or prefix.rank is not None or prefix.level is not None


def _starts_with(form: re.Pattern[bytes], line: bytes, prefix: Prefix) -> bool:
    """Does the message behind ``prefix`` begin like ``form``?"""
    if prefix.end and not line.isascii():
        head = line.decode("utf-8", "surrogateescape")[: prefix.end]
        return form.match(line, len(head.encode("utf-8", "surrogateescape"))) is not None
    return form.match(line, prefix.end) is not None


def _string_is_open(text: bytes) -> bool:
    """Does ``text`` end inside a quoted string? Linear: each string is consumed once."""
    position = 0
    while True:
        quotes = [found for found in (text.find(b"'", position), text.find(b'"', position)) if found >= 0]
        if not quotes:
            return False
        found = _STRING.match(text, min(quotes))
        if found is None:
            # An apostrophe in bare text is no string; only a double quote may span lines.
            if text[min(quotes) : min(quotes) + 1] == b'"':
                return True
            position = min(quotes) + 1
            continue
        position = found.end()
