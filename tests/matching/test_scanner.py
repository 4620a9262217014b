"""Bytes in, findings out: right lines, right counts, the same for any chunking, whatever the bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.knowledge.database import Expression, PatternDatabase
from triage.matching import blocks
from triage.matching.blocks import MAX_LINE
from triage.matching.confirm import CompiledPatterns, Confirmer
from triage.matching.markers import all_markers, marker_pattern
from triage.matching.observe import observe
from triage.matching.scanner import Scanner
from triage.model import Finding, Observation, Pattern

Scan = Callable[..., Observation]

OOM = b"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
_PATTERNS = {
    pattern.key: pattern
    for pattern in (
        Pattern("oom/line/0", r"OutOfMemoryError: CUDA out of memory", "OutOfMemoryError: CUDA out of memory"),
        Pattern("port/line/0", r"address already in use: (?P<port>\d+)", "address already in use: ", captures=(("port", "port"),)),
        Pattern("start/line/0", r"^Scheduler hit an exception", "Scheduler hit an exception"),
        Pattern("quiet/line/0", r"trying the fallback kernel", "trying the fallback kernel", levels=("debug",)),
        Pattern("unless/line/0", r"connection refused by peer", "connection refused by peer", unless=r"retrying"),
    )
}  # fmt: skip


def _pattern(key: str) -> Pattern:
    return marker_pattern(key) if key.startswith("@") else _PATTERNS[key]


@pytest.fixture(scope="module")
def database() -> PatternDatabase:
    """The patterns of this file and the engine's markers, compiled once."""
    return PatternDatabase.compile(
        [*(Expression(p.key, p.regex, p.literal) for p in _PATTERNS.values()), *all_markers()]
    )


@pytest.fixture(scope="module")
def scan(database: PatternDatabase) -> Scan:
    """Scan bytes that come in chunks of the given sizes, over and over (default: at once)."""

    def run(data: bytes, sizes: Iterable[int] = ()) -> Observation:
        scanner = Scanner("log", database, Confirmer(CompiledPatterns(_pattern)))
        steps, at = cycle(list(sizes) or [len(data) or 1]), 0
        while at < len(data):
            step = next(steps)
            scanner.feed(data[at : at + step])
            at += step
        return observe([scanner.finish()], [((), False)])

    return run


def _finding(seen: Observation, key: str) -> Finding:
    return next(item for item in seen.findings if item.key == key)


def _lines(seen: Observation, key: str) -> list[int]:
    return [hit.place.line for item in seen.findings if item.key == key for hit in item.hits]


_PIECES = st.sampled_from(
    [b"[2026-03-01 10:00:00 TP3] ", b"[2026-03-01 10:00:01] ", OOM, b"address already in use: 30000", b"\r", b"\r\n", b"\n", b"\n", b"\n\n",
     b"Traceback (most recent call last):\n", b'  File "/a.py", line 3, in f\n', b"ValueError: bad value\n", b"\x1b[31m", b"\x1b[0m", b"\0", b"\xff",
     "日本🚧".encode(), b"x" * 1700, b"y" * 6000, b"[2026-03-01 10:00:00] Receive: obj=GenerateReqInput(text='", b"')", b"t stdout P ", b"\nt stdout F ",
     b"\nt stderr P ", b"\nt stderr F ", b'\n{"log":"', b'\\n","time":"t"}\n', b"[2026-03-01 10:00:00] server_args=ServerArgs(tp_size=2)\n",
     b"[2026-03-01 10:00:00] The server is fired up and ready to roll!\n", b"Decode batch. #running-req: 1\n"]
)  # fmt: skip


@pytest.fixture(scope="module")
def narrow_scan(scan: Scan) -> Scan:
    """A scan whose blocks and longest lines are so short that small data crosses all borders."""

    def run(data: bytes, sizes: Iterable[int] = ()) -> Observation:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks, "BLOCK", 16384)
            patch.setattr(blocks, "MAX_LINE", 5000)  # more than what is read of a line to know its context
            patch.setattr(blocks, "OVERLAP", 256)
            return scan(data, sizes)

    return run


@given(
    data=st.lists(_PIECES, max_size=60).map(b"".join), sizes=st.lists(st.integers(1, 20_000), min_size=1, max_size=8)
)
@settings(max_examples=150, deadline=None)
def test_any_chunking_gives_the_same(narrow_scan: Scan, data: bytes, sizes: list[int]) -> None:
    """However a source is cut when it is fed, everything that was seen is equal."""
    assert narrow_scan(data, sizes) == narrow_scan(data)


@given(data=st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_any_bytes(scan: Scan, data: bytes) -> None:
    """Random bytes never raise; bytes and lines are counted as wc and grep do."""
    seen = scan(data)
    assert seen.inputs[0].bytes == len(data)
    assert seen.inputs[0].lines == data.count(b"\n") + (bool(data) and not data.endswith(b"\n"))


def test_a_record_in_parts_is_joined_for_any_chunking(scan: Scan) -> None:
    """A line of another writer between the parts of a CRI record does not make the result depend on the reads."""
    data = b"t stdout P torch.OutOfMemoryError: CUDA out\nfrom elsewhere\nt stdout F  of memory\n"
    cuts = [scan(data, [at, len(data)]) for at in range(1, len(data))]
    assert all(seen == scan(data) for seen in cuts)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("colour", [b"", b"\x1b[31m"], ids=["plain", "colour"])
def test_lines_and_offsets_across_blocks(scan: Scan, ending: bytes, colour: bytes) -> None:
    """Line numbers are those of grep -n and offsets those of the line's first byte, over several blocks."""
    needles = {1, 2, 44_000, 100_001, 150_000}
    filler = (
        b"[2026-03-01 10:00:00] Decode batch. #running-req: 1, #token: 100, token usage: 0.01, gen throughput: 1.00"
    )
    lines = [colour + OOM if number in needles else filler for number in range(1, 150_001)]
    data = ending.join(lines)
    places = [hit.place for hit in _finding(scan(data, [1_000_003]), "oom/line/0").hits]
    assert {place.line for place in places} == needles
    for place in places:
        assert data[: place.offset].count(b"\n") + 1 == place.line
        assert data[place.offset :].startswith(colour + OOM)


@pytest.mark.parametrize(
    "at",
    [0, 5_000_000, 10_000_000, MAX_LINE - 40, MAX_LINE - 20, MAX_LINE - 1, MAX_LINE, 2 * MAX_LINE - 30, 9 * MAX_LINE - 16],
    ids=["start", "middle", "end", "border-40", "border-20", "border-1", "border", "second", "ninth"],
)  # fmt: skip
def test_a_line_of_ten_megabytes(scan: Scan, at: int) -> None:
    """A match anywhere in an overlong line is found once, on that line, with the text around it."""
    data = b"before\n" + b"x" * at + OOM + b"y" * (10_000_000 - at) + b"\nafter\n" + OOM + b"\n"
    finding = _finding(scan(data, [700_001]), "oom/line/0")
    assert [(hit.place.line, hit.place.offset) for hit in finding.hits] == [(2, 7), (4, data.rindex(OOM))]
    assert all("OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00" in hit.text for hit in finding.hits)
    assert finding.count == 2


@pytest.mark.parametrize("extra", range(-1, 6))
def test_a_line_just_longer_than_the_limit_ends(scan: Scan, extra: int) -> None:
    """The border length of a line does not stop the scan, wherever the read ends."""
    data = b"x" * (MAX_LINE + extra) + b"\n"
    assert scan(data).inputs[0].lines == 1


def test_the_front_of_an_overlong_line_holds_for_all_of_it(scan: Scan) -> None:
    """Time and rank of a line of megabytes are known at its end too, and a dumped request stays one."""
    line = b"[2026-03-01 10:00:00 TP3] " + b"x" * (3 * MAX_LINE) + OOM + b"\n"
    place = _finding(scan(line), "oom/line/0").first.place
    assert (place.rank, place.time) == ("TP3", "2026-03-01 10:00:00")
    dump = b"[2026-03-01 10:00:00] Receive: obj=GenerateReqInput(text='" + b"x" * (3 * MAX_LINE) + OOM + b"')\n"
    assert scan(dump).findings == ()


def test_many_matches_in_one_line_are_one_hit(scan: Scan) -> None:
    """A line that repeats a message is one line."""
    assert _finding(scan((OOM + b" ") * 10 + b"\n"), "oom/line/0").count == 1


def test_progress_bars(scan: Scan) -> None:
    """Between carriage returns each part is a line of its own: found in an earlier one, and only that part is shown."""
    data = b"Loading: 10%|#|\r" + OOM + b"\rLoading: 100%|###|\r\nnext\n"
    finding = _finding(scan(data), "oom/line/0")
    assert [(hit.place.line, hit.text) for hit in finding.hits] == [(1, OOM.decode())]


def test_overwritten_text_is_still_seen(scan: Scan) -> None:
    """Text that a carriage return lets a terminal overwrite counts, and so does what overwrites it."""
    seen = scan(b"address already in use: 8000\raddress already in use: 9000\n")
    assert _finding(seen, "port/line/0").first.captures == (("port", 8000),)


@pytest.mark.parametrize("junk", [b"\0", b"\0" * 5000, b"\xff\xfe\x9b", b"\x1b]0;t\x07", "🚧".encode()], ids=range(5))
def test_junk_beside_a_message(scan: Scan, junk: bytes) -> None:
    """NUL and undecodable bytes before, behind and between lines hide nothing and move no line."""
    data = junk + b"\n" + junk + OOM + junk + b"\n" + junk + b"\naddress already in use: 30000" + junk
    seen = scan(data)
    assert _lines(seen, "oom/line/0") == [2]
    assert _lines(seen, "port/line/0") == [4]


@pytest.mark.parametrize("before", [0, 1, 2, 3, 12_285, 12_286, 12_287, 12_288, 12_289, 30_000])
@pytest.mark.parametrize("after", [0, 1500, 4095, 4096, 4097, 20_000])
def test_characters_around_the_window_stay_whole(scan: Scan, before: int, after: int) -> None:
    """What is shown of a long line of multi-byte characters is valid text with the match in it."""
    data = ("a" * (before % 3) + "日" * (before // 3)).encode() + OOM + ("é" * after).encode() + b"\n"
    hit = _finding(scan(data), "oom/line/0").first
    assert OOM.decode() in hit.text
    hit.text.encode("utf-8")
    assert len(hit.text) <= 2050


def test_undecodable_bytes_are_counted(scan: Scan) -> None:
    """Bytes that are not UTF-8 are counted over block borders and pieces; valid text has none."""
    assert scan(b"a\xff\xfe\n\x9b\n").inputs[0].decode_errors == 3
    assert scan("日本🚧".encode() * 400_000, [100_001]).inputs[0].decode_errors == 0


@pytest.mark.parametrize("dress", ["plain", "crlf", "colour", "cri", "docker"])
def test_a_storm_is_counted(scan: Scan, dress: str) -> None:
    """A million equal lines would not be collected: the count is right and no longer called exact, the last place is
    right, and what comes after is found."""
    storm = 15_000
    line = {
        "plain": b"[2026-03-01 10:00:00 TP3] " + OOM,
        "crlf": b"[2026-03-01 10:00:00 TP3] " + OOM + b"\r",
        "colour": b"[2026-03-01 10:00:00 TP3] \x1b[31m" + OOM + b"\x1b[0m",
        "cri": b"2026-03-01T10:00:00.0Z stderr F " + OOM,
        "docker": b'{"log":"' + OOM + b'\\n","stream":"stderr","time":"2026-03-01T10:00:00Z"}',
    }[dress]
    data = b"first\n" + (line + b"\n") * storm + b"address already in use: 30000\nend\n"
    seen = scan(data, [300_001])
    finding = _finding(seen, "oom/line/0")
    assert (finding.count, finding.count_exact) == (storm, False)
    assert finding.last.line == storm + 1
    assert data[: finding.last.offset].count(b"\n") == storm
    assert len(finding.hits) < 400
    assert _lines(seen, "port/line/0") == [storm + 2]


def test_findings_inside_a_storm(scan: Scan) -> None:
    """Something else that happens once, in the middle of a storm, is found in its line."""
    lines = [OOM] * 15_000
    lines[9_000] = b"address already in use: 30000"
    assert _lines(scan(b"\n".join(lines)), "port/line/0") == [9_001]


def test_storms_of_two(scan: Scan) -> None:
    """Two storms at once are counted each."""
    data = (
        b"[2026-03-01 10:00:00 TP3] " + OOM + b"\n[2026-03-01 10:00:00 TP3] address already in use: 30000\n"
    ) * 8_000
    seen = scan(data)
    assert [_finding(seen, key).count for key in ("oom/line/0", "port/line/0")] == [8_000, 8_000]


def test_a_storm_does_not_depend_on_the_reads(scan: Scan) -> None:
    """A storm that crosses blocks is the same in small chunks and at once."""
    data = b"a\n" + (b"[2026-03-01 10:00:00 TP3] " + OOM + b"\n") * 15_000 + b"b\n" + OOM
    assert scan(data, [65_537]) == scan(data)


@pytest.mark.parametrize("chunk", [65_537, 1 << 30])
def test_a_storm_of_a_large_log(scan: Scan, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """The faster ways that a large input is worth give what the plain ones give."""
    storm = [
        b"[2026-03-01 10:%02d:%02d TP%d] %b object at 0x%012x"
        % (step // 60 % 60, step % 60, step % 9, text, step * 7919**3)
        for step, text in enumerate([OOM, b"address already in use: 30000", OOM] * 12_000)
    ]
    storm[17_000] = b"[2026-03-01 10:00:00 TP3] gr\xc3\xbc\xc3\x9fe, \xff"
    storm[30_001:30_001] = [b"1.2.3.4 - " + OOM, b"", b"1.2.3.5 - " + OOM]
    data = b"first\n" + b"\n".join(storm)
    plain = scan(data)
    monkeypatch.setattr("triage.matching.counting.LARGE", 0)
    assert scan(data, [chunk]) == plain
    assert plain.inputs[0].decode_errors == 1
    assert _finding(plain, "oom/line/0").count == 24_001


def test_a_storm_in_ever_new_shapes(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out of the automaton is counted all the same, and what comes in between is found."""
    words = ("alpha", "bravo", "golf", "hotel", "kilo", "lima", "mike", "oscar", "tango", "uniform", "victor", "zulu")
    storm = [
        b" ".join([words[step >> shift & 7].encode() for shift in (0, 3, 6, 9, 12)]) + b" " + OOM
        for step in range(30_000)
    ]
    storm[25_000] = b"address already in use: 30000"
    data = b"\n".join(storm)
    plain = scan(data)
    assert _finding(plain, "oom/line/0").count == 29_999
    assert _lines(plain, "port/line/0") == [25_001]
    monkeypatch.setattr("triage.matching.candidates.WORTH_NARROWING", 1000)
    for chunk in (65_537, 1 << 30):
        assert scan(data, [chunk]) == plain


def test_a_storm_inside_request_dumps_is_no_finding(scan: Scan) -> None:
    """A client that sends the same text in every request makes no finding of it, however often."""
    data = (b"[2026-03-01 10:00:00] Receive: obj=GenerateReqInput(text='" + OOM + b"')\n") * 5_000
    assert scan(data).findings == ()


def test_errors_at_the_end_of_an_error_storm(scan: Scan) -> None:
    """What a server prints last is listed although errors of that kind were no longer looked at."""
    data = b"[2026-03-01 10:00:00] RuntimeError: boom 17\n" * 12_000 + b"ValueError: the very last words\n"
    seen = scan(data, [100_001])
    last = [error for error in seen.errors if "very last words" in error.text]
    assert [error.place.line for error in last] == [12_001]
    assert len(seen.errors) <= 300


def test_error_lines_of_a_storm_count_once(scan: Scan) -> None:
    """The look at the end of a source does not count what was counted before."""
    data = b"[2026-03-01 10:00:00] RuntimeError: boom 17\n" * 12_000 + b"ValueError: the very last words\n"
    assert scan(data).error_count == 12_001


def test_errors_at_the_end_with_lines_behind(scan: Scan) -> None:
    """The same when healthy lines follow and the last read is short."""
    data = (
        b"[2026-03-01 10:00:00] RuntimeError: boom 17\n" * 12_000
        + b"ValueError: the very last words\n"
        + b"goodbye\n" * 20
    )
    assert [e.place.line for e in scan(data, [100_001, 3]).errors if "very last words" in e.text] == [12_001]


def test_healthy_lines_behind_an_error_storm_are_no_error_lines(scan: Scan) -> None:
    """When errors are only counted, what is counted are errors and not every line with a colon in it."""
    data = (
        b"[2026-03-01 10:00:00] RuntimeError: boom 17\n" * 3_000
        + b"[2026-03-01 10:00:01] Decode batch: fine: 1, usage: 0.1\n" * 50_000
    )
    assert scan(data, [100_001]).error_count == 3_000


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"Scheduler hit an exception: boom", True),
        (b"[2026-03-01 10:00:00 TP3] Scheduler hit an exception: boom", True),
        (b"2026-03-01T10:00:00Z [2026-03-01 10:00:00 TP3] Scheduler hit an exception: boom", True),
        (b"[2026-03-01 10:00:00 TP3] The user wrote: Scheduler hit an exception: boom", False),
        (b"docs say Scheduler hit an exception", False),
    ],
)
def test_a_leading_caret_means_the_message(scan: Scan, line: bytes, found: bool) -> None:
    """``^`` is the beginning of the message behind the prefix, not of the line."""
    assert bool(_lines(scan(line + b"\n"), "start/line/0")) is found


@pytest.mark.parametrize(
    ("line", "key", "found"),
    [
        (b"[2026-03-01 10:00:00] DEBUG:    connection refused by peer", "unless/line/0", False),
        (b"[2026-03-01 10:00:00] ERROR:    connection refused by peer", "unless/line/0", True),
        (b"connection refused by peer, retrying", "unless/line/0", False),
        (b"connection refused by peer", "unless/line/0", True),
        (b"[2026-03-01 10:00:00] trying the fallback kernel", "quiet/line/0", False),
    ],
)
def test_levels_and_unless(scan: Scan, line: bytes, key: str, found: bool) -> None:
    """Debug lines do not count unless a pattern asks for them; a line that ``unless`` matches is not counted."""
    assert bool(_lines(scan(line + b"\n"), key)) is found


def test_room_and_advance(scan: Scan, database: PatternDatabase) -> None:
    """A reader that fills the buffer itself gets what feeding gives."""
    data = b"a\n" * 3_000_000 + OOM
    scanner, at = Scanner("log", database, Confirmer(CompiledPatterns(_pattern))), 0
    while at < len(data):
        room = scanner.room()
        count = min(len(room), 300_000, len(data) - at)
        room[:count] = data[at : at + count]
        room.release()
        scanner.advance(count)
        at += count
    assert observe([scanner.finish()], [((), False)]) == scan(data)


def test_nothing() -> None:
    """An empty source has no lines and no findings."""
    seen = observe(
        [Scanner("log", PatternDatabase.compile(all_markers()), Confirmer(CompiledPatterns(_pattern))).finish()],
        [((), False)],
    )
    assert (seen.inputs[0].lines, seen.inputs[0].bytes, seen.findings, seen.errors) == (0, 0, (), ())
