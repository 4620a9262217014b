"""The lines in which SGLang tells what its scheduler does: ``Prefill batch`` and ``Decode batch``, of releases 0.4.3 to 0.5.23.

Not for the automaton: a healthy log is full of them. Whoever wants samples takes a few lines, not all. What is read here is
shown and timed, never evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from triage.lazy_regex import lazy_regex
from triage.matching.normalize import normalize
from triage.matching.prefix import parse_prefix, segments
from triage.records import dataclass

BATCH_WORD = b"#running-req: "
"""What every batch line of every release holds, and few other lines: looked for with ``bytes.find`` and ``rfind``."""
MAX_LINE = 4096
"""A longer line is no batch line: the longest that SGLang prints has some 600 bytes."""

_SMALL = 8 << 20
"""A log up to this size is read at once."""
_PIECE, _LARGER, _BUDGET = 32 << 10, 8, 256 << 20
"""The bytes with which a stretch is begun, how much larger each next piece is, and what all pieces of one size may come to."""

_MESSAGE = lazy_regex(r"(?P<kind>Prefill|Decode) batch(?: \[\d{1,18}\])?[.,] ")
_KIND = lazy_regex(rb"(?:Prefill|Decode) batch")
_GAP = lazy_regex(r"[^\"'={}]{0,80}")
"""What may stand between a known prefix and the message: a prefix of an operator's own format, never quoted text."""
_FIELD = lazy_regex(
    r"(?P<name>#?[A-Za-z][A-Za-z .-]{0,30}(?:\(token/s\))?): (?P<value>-?\d{1,15}(?:\.\d{1,9})?(?![\w.])|True|False)"
)
_USAGES = ("token usage", "full token usage", "swa token usage", "mamba usage", "gpu token usage")
_ELSEWHERE = (
    "#prealloc-req", "#transfer-req", "#transferring-req", "#unbootstrapped-req", "#bootstrap-req", "#inflight-req",
    "#host-receive-req", "#retracted-req", "waiting-image-req",
)  # fmt: skip
_GRAPHS = ("cuda graph", "npu graph", "cpu graph")


@dataclass(frozen=True, slots=True)
class BatchSample:
    """One batch line. None: the line does not say.

    ``seconds``: the printed time (None without a full date); ``running``: requests being decoded, without those of a
    prefill (``new_requests``); ``queued``: waiting to be prefilled; ``elsewhere``: in the queues of a disaggregated server or
    waiting for an image; ``token_usage``: 0 to 1, that of the fullest pool; ``throughput``: tokens a second, generated ones of
    a decode batch and input ones of a prefill; ``graph``: did it run as a captured graph.
    """

    kind: Literal["prefill", "decode"]
    rank: str | None = None
    node: str | None = None
    seconds: float | None = None
    running: int | None = None
    queued: int | None = None
    elsewhere: int | None = None
    token_usage: float | None = None
    throughput: float | None = None
    accept_len: float | None = None
    graph: bool | None = None
    new_requests: int | None = None
    new_tokens: int | None = None
    cached_tokens: int | None = None


def read_batch_line(text: str) -> BatchSample | None:
    """The sample that one line holds, or None. ``text``: without its line feed; anything, nothing is raised."""
    if len(text) > MAX_LINE:
        return None
    for segment in reversed(segments(text)):
        prefix = parse_prefix(segment)
        gap = _GAP.match(segment, prefix.end)
        found = _MESSAGE.search(segment, prefix.end)
        if found is None or gap is None or found.start() > gap.end():
            continue
        fields = {item["name"].strip(): item["value"] for item in _FIELD.finditer(segment, found.end())}
        return _sample(found["kind"] == "Decode", prefix.rank, prefix.node, prefix.seconds, fields)
    return None


def last_samples(lines: bytes, most: int) -> list[BatchSample]:
    """The last samples of whole lines, oldest first; at most ``most`` lines that look like one are read."""
    found: list[BatchSample] = []
    end = len(lines)
    for _ in range(most):
        at = lines.rfind(BATCH_WORD, 0, end)
        if at < 0:
            break
        start = lines.rfind(b"\n", 0, at) + 1
        line = _candidate(lines, start, at)
        if line and (sample := _read(line)) is not None:
            found.append(sample)
        end = start
    found.reverse()
    return found


def samples(read: Callable[[int, int], bytes], size: int, most: int = 2000) -> tuple[BatchSample, ...]:
    """Evenly spread samples of a log of any size, in order: all of a short log that has no more than ``most``, otherwise about
    so many.

    ``read(offset, count)`` gives ``count`` bytes from ``offset`` on, fewer at the end, which is at ``size``. Of a long log
    little is read: the first batch line of each of ``most`` equal stretches, as long as they are dense.
    """
    if size <= _SMALL:
        lines = [line for _, line in _candidates(read(0, size), 0)]
        lines = lines[:: -(-len(lines) // max(1, most)) or 1]
    else:
        lines = _first_of_stretches(read, size, max(1, most))
    return tuple(sample for line in lines if (sample := _read(line)) is not None)


def _first_of_stretches(read: Callable[[int, int], bytes], size: int, most: int) -> list[bytes]:
    """The first batch line that begins in each stretch. Where there is none in a piece of it, larger ones are searched, and
    fewer stretches as soon as these would come to more than the budget."""
    stretch = -(-size // most)
    found: dict[int, bytes] = {}
    empty = [*range(0, size, stretch)]
    done, piece = 0, _PIECE
    while empty and done < stretch:
        for start in empty[:: -(-len(empty) * min(piece, stretch - done) // _BUDGET)]:
            line = _first_between(read, start + done, min(start + done + piece, start + stretch, size))
            if line:
                found[start] = line
        empty = [start for start in empty if start not in found]
        done, piece = done + piece, piece * _LARGER
    return [found[start] for start in sorted(found)]


def _first_between(read: Callable[[int, int], bytes], start: int, stop: int) -> bytes:
    """The first batch line that begins from ``start`` on and before ``stop``; nothing if there is none."""
    # From the byte before, which tells whether a line begins at the start, to behind the longest line that begins in time.
    origin = max(0, start - 1)
    lines = read(origin, stop - origin + MAX_LINE)
    first = lines.find(b"\n") + 1 if start else 0
    if start and not first:
        return b""
    begin, line = next(_candidates(lines, first), (len(lines), b""))
    return line if begin < stop - origin else b""


def _candidates(lines: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """(begin, line) of what can be a batch line, from ``at`` on, where a line begins."""
    while (word := lines.find(BATCH_WORD, at)) >= 0:
        begin = lines.rfind(b"\n", 0, word) + 1
        if line := _candidate(lines, begin, word):
            yield begin, line
        at = lines.find(b"\n", word) + 1
        if not at:
            return


def _candidate(lines: bytes, start: int, word: int) -> bytes:
    """The line from ``start`` on that holds ``word``, if it can be a batch line; else nothing."""
    stop = lines.find(b"\n", word)
    stop = stop if stop >= 0 else len(lines)
    return lines[start:stop] if stop - start <= MAX_LINE and _KIND.search(lines, start, word) else b""


def _read(line: bytes) -> BatchSample | None:
    return read_batch_line(normalize(line).decode("utf-8", "surrogateescape"))


def _sample(
    is_decode: bool, rank: str | None, node: str | None, seconds: float | None, fields: dict[str, str]
) -> BatchSample:
    usages = [usage for name in _USAGES if (usage := _number(fields.get(name))) is not None]
    elsewhere = [count for name in _ELSEWHERE if (count := _count(fields.get(name))) is not None]
    graphs = [fields[name] == "True" for name in _GRAPHS if fields.get(name) in ("True", "False")]
    return BatchSample(
        "decode" if is_decode else "prefill",
        rank,
        node,
        seconds,
        running=_count(fields.get("#running-req")),
        queued=_count(fields.get("#queue-req")),
        elsewhere=sum(elsewhere) if elsewhere else None,
        token_usage=max(usages, default=None),
        throughput=_number(fields.get(("gen" if is_decode else "input") + " throughput (token/s)")),
        accept_len=_number(fields.get("accept len")),
        graph=graphs[0] if graphs else None,
        new_requests=_count(fields.get("#new-seq")),
        new_tokens=_count(fields.get("#new-token")),
        cached_tokens=_count(fields.get("#cached-token")),
    )


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _number(text: str | None) -> float | None:
    """Not below zero; None for what is no number."""
    return float(text) if text is not None and text[0].isdecimal() else None
