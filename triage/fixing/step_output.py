"""Raw output of a step to lines that may be shown and kept: decoded, cut, redacted, made visible."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from triage.safety.redact import Redactor
from triage.safety.visible import Safe, visible

TAIL = 64 << 10
"""Characters of output that are kept."""
_LINE_MOST = 8 << 10
_LINE_END = re.compile(r"\r*\n|\r+")
_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_END = re.compile(r"-----END [A-Z0-9 ]{1,40}-----")


class StepOutput:
    """Takes output as it comes, in pieces of any size, and gives whole lines.

    A carriage return ends a line too (progress bars); lines are split nowhere else. Equal bytes give equal lines, however
    they were cut.
    """

    def __init__(self, redactor: Redactor, *, in_key: bool = False) -> None:
        self._redactor = redactor
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._pieces: list[str] = []
        self._in_key = in_key

    def feed(self, data: bytes) -> list[Safe]:
        """The lines that ``data`` completes."""
        text = self._decoder.decode(data)
        # A return at the end may be half of a line's end. Anything else without an end is put aside unjoined, so that a long
        # line in small pieces stays cheap.
        held = bool(self._pieces) and self._pieces[-1].endswith("\r")
        if not held and "\n" not in text and "\r" not in text:
            self._pieces.append(text)
            return []
        whole = "".join((*self._pieces, text))
        lines, at = [], 0
        for end in _LINE_END.finditer(whole):
            if end.end() == len(whole) and whole.endswith("\r"):
                break
            if end[0].endswith("\n") or end.start() > at:
                lines.append(self._safe(whole[at : end.start()]))
            at = end.end()
        self._pieces = [whole[at:]]
        return lines

    def close(self) -> list[Safe]:
        """The last line, if it has no end."""
        rest = "".join((*self._pieces, self._decoder.decode(b"", final=True))).rstrip("\r")
        self._pieces = []
        return [self._safe(rest)] if rest else []

    def _safe(self, line: str) -> Safe:
        safe = visible(self._redacted(line))
        more = len(safe) - _LINE_MOST
        return Safe(f"{safe[:_LINE_MOST]} … {more} more characters") if more > 0 else safe

    def _redacted(self, line: str) -> str:
        """A key runs over many lines, of which the last is too short to look like one by itself."""
        begins, ends = _BEGIN.search(line), _END.search(line)
        if self._in_key and not ends and not begins:
            hidden = self._redactor.redact(f"-----BEGIN KEY-----\n{line}\n-----END KEY-----")
            return "".join(hidden.split("\n")[1:-1])
        if begins or ends:
            self._in_key = begins is not None and (ends is None or begins.start() > ends.start())
        return self._redactor.redact(line)


def tail_of(data: bytes, redactor: Redactor, *, whole: bool) -> str:
    """The last 64 KiB of characters of output as safe lines. Unless ``data`` is the ``whole`` output it begins somewhere: up to
    its first line end it is left out, since the second half of a secret looks like none."""
    if not whole:
        data = _from_next_line(data)
    end, begin = data.find(b"-----END "), data.find(b"-----BEGIN ")
    output = StepOutput(redactor, in_key=end >= 0 and (begin < 0 or end < begin))
    text = "\n".join(_lines(output, data))
    return text if len(text) <= TAIL else text[-TAIL:].partition("\n")[2] or text[-TAIL:]


def _lines(output: StepOutput, data: bytes) -> Iterator[Safe]:
    yield from output.feed(data)
    yield from output.close()


def _from_next_line(data: bytes) -> bytes:
    found = re.search(rb"[\r\n]+", data)
    rest = data[found.end() :] if found else b""
    return rest or b"(one long line)"
