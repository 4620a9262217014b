"""What a line belongs to, told by the lines before it: whose traceback, which rank, a request's text, a dump of settings.

Everything here depends only on the line and on at most LOOKBACK bytes before it, never on how the bytes arrived, so that
any chunking of a stream gives the same answer.
"""

from __future__ import annotations

import re

from triage.lazy_regex import lazy_regex
from triage.matching.normalize import normalize
from triage.matching.prefix import parse_prefix
from triage.model import Context, Prefix
from triage.records import dataclass, field

LOOKBACK = 1 << 16
MAX_LINES_BACK = 250
_NEAR = 16
"""How far above the next line of the same rank may stand when ranks interleave."""

_DUMP_HERE = lazy_regex(
    rb"(?:Receive|Finish|Received request|Finished request): obj=|obj=\w{0,60}ReqInput\(|\"event\": ?\"request\."
)
_DUMP_MARKS = (b"obj=", b'"event"')
"""Of which each match of _DUMP_HERE holds one."""
_CONFIG_HERE = (
    *(b"server_args=", b"benchmark_args=", b"port_args=", b"engine_args=", b"model_config=", b"non-default args: "),
    *(b"Namespace(", b"warmup with status 200, resp:"),
)
_BENIGN_HERE = (b"Ignore import error when loading ", b"Ignore import error when importing ")
_TRACEBACK = b"Traceback (most recent call last)"
_SPACES = (b" ", b"\t", b"\n", b"\r", b"\f", b"\v")
_FRAME = (*_SPACES, b'File "', b"Traceback (most recent", b"^")
_CONTINUATION = (*_SPACES, b"Traceback (most recent", b"During handling of the above", b"The above exception was")
_CONTINUING_ERROR = lazy_regex(rb"\[rank\d+\]:\s|[\w.]+(?:Error|Exception|Exit|Interrupt)\b")
_ERROR_MARKS = (b"Error", b"Exception", b"Exit", b"Interrupt", b"[rank")
"""Of which each match of _CONTINUING_ERROR holds one."""
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


@dataclass(frozen=True, slots=True)
class _LineAbove:
    """A line that ends where another begins: its offset, and what it says about those below it."""

    start: int
    prefix: Prefix
    begins: bool
    continues: bool
    is_frame: bool
    has_traceback: bool


@dataclass(slots=True)
class ContextReader:
    """Reads contexts in one buffer. What was read is kept for as long as the buffer does not move (``forget``)."""

    _prefixes: dict[int, Prefix] = field(default_factory=dict)
    _above: dict[int, _LineAbove] = field(default_factory=dict)
    _contexts: dict[int, LineContext] = field(default_factory=dict)

    def forget(self) -> None:
        """The buffer moved: offsets mean something else now."""
        self._prefixes.clear()
        self._above.clear()
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
        if prefixed and not _continues(line, own):
            return alone
        position, back, first_of_own = start, 0, True
        while position > floor and back < MAX_LINES_BACK:
            above = self._line_above(buffer, floor, position)
            position, back = above.start, back + 1
            prefix = above.prefix
            if prefixed and (not above.begins or (prefix.rank, prefix.pid) != (own.rank, own.pid)):
                if first_of_own and back >= _NEAR:
                    return alone
                continue  # another rank's line in between
            if prefixed and first_of_own and not above.is_frame:
                return alone  # no traceback above that repeats its prefix
            first_of_own = False
            if above.has_traceback:
                traceback_back = back
            if above.begins and not above.continues:
                return _Record(position, own if prefixed else prefix, back, traceback_back)
        return _Record(start, own, 0, traceback_back)

    def _line_above(self, buffer: bytes | bytearray, floor: int, position: int) -> _LineAbove:
        """The line that ends before ``position``, as far as it lies behind ``floor``. Lines below it ask for it again."""
        found = self._above.get(position)
        if found is None or found.start < floor:
            feed = buffer.rfind(b"\n", floor, position - 1)
            start = max(floor, feed + 1)
            text = normalize(bytes(buffer[start : position - 1]))
            prefix = self._prefix(start, text)
            found = _LineAbove(
                start,
                prefix,
                _begins_record(prefix),
                _continues(text, prefix),
                text.startswith(_FRAME, _message_start(text, prefix)),
                _TRACEBACK in text,
            )
            if feed >= 0:  # else it may begin further up
                self._above[position] = found
        return found

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
    if any(mark in line for mark in _DUMP_MARKS) and _DUMP_HERE.search(line):
        return Context.REQUEST_DUMP
    if any(mark in line for mark in _CONFIG_HERE):
        return Context.CONFIG_DUMP
    return Context.BENIGN if any(mark in line for mark in _BENIGN_HERE) else Context.NORMAL


def _begins_record(prefix: Prefix) -> bool:
    return prefix.time is not None or prefix.rank is not None or prefix.level is not None


def _continues(line: bytes, prefix: Prefix) -> bool:
    """Does the message behind ``prefix`` go on with what the lines above began? An empty one does."""
    start = _message_start(line, prefix)
    if start >= len(line) or line.startswith(_CONTINUATION, start):
        return True
    return any(mark in line for mark in _ERROR_MARKS) and _CONTINUING_ERROR.match(line, start) is not None


def _message_start(line: bytes, prefix: Prefix) -> int:
    """Where in the bytes of a line the message behind its ``prefix`` begins."""
    if prefix.end and not line.isascii():
        return len(line.decode("utf-8", "surrogateescape")[: prefix.end].encode("utf-8", "surrogateescape"))
    return prefix.end


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
