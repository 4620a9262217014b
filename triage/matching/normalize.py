"""Lines as the software wrote them: colour codes gone, records that a container runtime cut or quoted put together.

The number of line feeds never changes, so a line keeps its number; only its bytes differ.
"""

from __future__ import annotations

import json

from triage.lazy_regex import lazy_regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

_ANSI = lazy_regex(rb"\x1b\[[0-9;:?]*[ -/]*[@-~]")
_TYPOGRAPHIC_QUOTE = lazy_regex(rb"\xe2\x80(?:(?P<single>[\x98-\x9b])|[\x9c-\x9f])")
_CRI = lazy_regex(rb"(?P<time>\S+) (?P<stream>stdout|stderr) (?P<kind>[FP]) ")
_PARTIAL = {b"stdout": b" stdout P ", b"stderr": b" stderr P "}
# The engine writes no blank; what ships its files (a log collector, a script) may.
_DOCKER = (b'{"log":"', b'{"log": "')
MAX_JOINED = 1 << 20


def normalize(region: bytes) -> bytes:
    """``region`` (whole lines) with docker's JSON unwrapped, CRI's partial records joined, colour codes removed and typographic
    quotes made plain."""
    if any(front in region for front in _DOCKER):
        region = b"\n".join(_docker_line(line) for line in region.split(b"\n"))
    if b" stdout P " in region or b" stderr P " in region:
        region = _join_partial(region)
    if b"\xe2\x80" in region:
        # Chats and word processors turn the quotes of a pasted log into these; compilers print them in UTF-8 locales.
        region = _TYPOGRAPHIC_QUOTE.sub(_plain_quote, region)
    return _ANSI.sub(b"", region) if b"\x1b[" in region else region


def _plain_quote(found: re.Match[bytes]) -> bytes:
    return b"'" if found["single"] else b'"'


def open_partial_start(lines: bytes | bytearray, start: int, end: int) -> int:
    """Where in ``lines[start:end]`` (whole lines) the first CRI record begins whose end has not come yet; else ``end``.

    Only looked for when the last line has the CRI form. A record longer than MAX_JOINED is not waited for.
    """
    floor = max(start, end - MAX_JOINED)
    if floor > start:
        floor = lines.find(b"\n", floor, end) + 1 or end  # never inside a line
    last = lines.rfind(b"\n", start, end - 1) + 1 or start
    if _CRI.match(lines, last, end) is None or all(lines.find(mark, floor, end) < 0 for mark in _PARTIAL.values()):
        return end
    run = last
    while run > floor:
        above = lines.rfind(b"\n", floor, run - 1) + 1 or floor
        if _CRI.match(lines, above, run) is None:
            break  # a line of another form ends every open record
        run = above
    return min(_open_record(lines, run, end, stream) for stream in _PARTIAL)


def _open_record(lines: bytes | bytearray, floor: int, end: int, stream: bytes) -> int:
    closed = lines.rfind(b" " + stream + b" F ", floor, end)
    opened = lines.find(_PARTIAL[stream], max(closed, floor), end)
    if opened < 0:
        return end
    return lines.rfind(b"\n", floor, opened) + 1 or floor


def _join_partial(region: bytes) -> bytes:
    """The parts move to the line of the first one; the lines of the others stay behind empty.

    stdout and stderr are written side by side, so each stream has its own open record; a line of another form ends both.
    """
    lines = region.split(b"\n")
    open_line: dict[bytes, int] = {}
    for number, line in enumerate(lines):
        found = _CRI.match(line)
        if found is None:
            if line or number + 1 < len(lines):
                open_line.clear()  # a line of another form ends every open record
            continue
        first = open_line.get(found["stream"])
        if first is not None:
            lines[first] += line[found.end() :]
            lines[number] = b""
            if found["kind"] == b"F" or len(lines[first]) > MAX_JOINED:
                del open_line[found["stream"]]
        elif found["kind"] == b"P":
            open_line[found["stream"]] = number
    return b"\n".join(lines)


def _docker_line(line: bytes) -> bytes:
    if not line.startswith(_DOCKER):
        return line
    try:
        record = json.loads(line)
        text = str(record["log"]).rstrip("\n").replace("\n", "\r")
        stamp = str(record.get("time", "")).replace("\n", " ")
    except (ValueError, KeyError, TypeError, RecursionError):
        return line
    return f"{stamp} {text}".strip().encode("utf-8", "surrogatepass")
