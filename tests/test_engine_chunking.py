"""However the bytes of a log arrive, the report is the same to the last byte; and its line numbers are those of grep -n."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from triage.engine import load, scan_inputs, scan_text
from triage.knowledge.compiled import Knowledge
from triage.model import Report
from triage.reading.source import Source
from triage.reporting.outlet import Outlet
from triage.reporting.render import render
from triage.safety.redact import Redactor

LOGS = Path(__file__).resolve().parent.parent / "fixtures" / "logs"
NAMES = sorted(path.parent.name for path in LOGS.glob("*/server.log"))
MIB = 1 << 20
FAST = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking a log takes minutes
SOURCE = "server.log"
LINES = re.compile(rb"[^\n]*\n|[^\n]+")

STAMP = b"[2026-03-01 10:00:41 TP0] "
OOM = (
    b"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 7.00 GiB. GPU 0 has a total capacity of 79.11 GiB."
)
CUDNN = b"ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory"
START = (
    STAMP
    + b"server_args=ServerArgs(model_path='/models/m', tp_size=2, mem_fraction_static=0.85, api_key='sk-0123456789')"
)
MESSAGES = (
    b"Decode batch. #running-req: 1, #token: 233, token usage: 0.00, gen throughput (token/s): 91.10, #queue-req: 0",
    b"Load weight begin. avail mem=77.40 GB",
    b"The server is fired up and ready to roll!",
    b"Scheduler hit an exception: Traceback (most recent call last):",
    b'  File "/srv/sglang/scheduler.py", line 10, in run',
    b"ValueError: Weight output_partition_size = 576 is not divisible by weight quantization block_n = 128.",
    b"OddError: nobody knows this one",
    b"NCCL watchdog thread terminated with exception: timeout",
    OOM,
    CUDNN,
)  # fmt: skip
OTHERS = (
    b"",
    START,
    b"\x00\x00 RuntimeError: after two NULs",
    b"\xff\xfe\xc3( RuntimeError: no UTF-8 " + OOM,
    b"caf\xc3\xa9 \xe2\x80\xa6 \xf0\x9f\x92\xa5 " + CUDNN,
    b"  0%|   | 0/4\r 50%|\xe2\x96\x88  | 2/4\r100%|\xe2\x96\x88\xe2\x96\x88| 4/4\r" + STAMP + OOM,
    b"line with carriage return \r",
    STAMP + b'Receive: obj=GenerateReqInput(text="one\ntwo ' + OOM + b"\nthree\", rid='5f0c')",
    STAMP + b"Receive: obj=GenerateReqInput(text='" + OOM + b"', rid='5f0c')",
    STAMP + b'Receive: obj=GenerateReqInput(text="never closed\n' + CUDNN,
)
WRAPS: tuple[tuple[bytes, bytes], ...] = (
    (b"", b""),
    (STAMP, b""),
    (b"\x1b[31m" + STAMP, b"\x1b[0m"),
    (b"\x1b[36mserver-1  |\x1b[0m ", b""),
    (b"2026-03-01T10:00:41.123456789Z stderr F ", b""),
    (b"2026-03-01T10:00:41.123456789Z stderr P ", b""),
    (b"2026-03-01T10:00:41.123456789Z " + STAMP, b""),
    (b"Mar 01 10:00:41 node-1 sglang[4711]: ", b""),
)


def docker_json(message: bytes) -> bytes:
    """The line as Docker's json-file driver stores it."""
    text = message.decode("utf-8", "replace") + "\n"
    return json.dumps(
        {"log": text, "stream": "stderr", "time": "2026-03-01T10:00:41.123456789Z"}, separators=(",", ":")
    ).encode()


@lru_cache(maxsize=1)
def knowledge() -> Knowledge:
    """The bundled knowledge; no fixture, since hypothesis would write it out with every example."""
    return load(environment=dict(os.environ))


def printed(report: Report) -> str:
    """Everything the report says, as JSON."""
    return "".join(render(report, "json", Outlet(Redactor(b"chunking"))))


class Pieces:
    """A source that hands out its bytes in given pieces, as far as the reader's room reaches."""

    label = SOURCE
    notes: tuple[str, ...] = ()
    truncated = False

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def __enter__(self) -> Pieces:  # noqa: PYI034  (Self is not in Python 3.10)
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def readinto(self, view: memoryview) -> int:
        """The next piece, or what is left of the last one; 0 at the end."""
        piece = self._rest or next(self._pieces, b"")
        count = min(len(view), len(piece))
        view[:count] = piece[:count]
        self._rest = piece[count:]
        return count


def report_on_pieces(pieces: Iterable[bytes]) -> Report:
    """The report on bytes that arrive in ``pieces``, none of them empty."""
    return scan_inputs([cast("Source", Pieces(pieces))], knowledge()).report


def cut(text: bytes, places: Iterable[int]) -> Iterator[bytes]:
    """``text`` in pieces that end at ``places``."""
    for start, end in pairwise(sorted({0, len(text), *(place for place in places if 0 < place < len(text))})):
        yield text[start:end]


def first_difference(one: str, other: str) -> str:
    """Where two outputs part, shortly: a diff of a megabyte takes longer than all the tests. Empty if they are equal."""
    if one == other:
        return ""
    at = next((index for index, (left, right) in enumerate(zip(one, other, strict=False)) if left != right), -1)
    return f"at {at}: {one[max(0, at - 60) : at + 60]!r} against {other[max(0, at - 60) : at + 60]!r}"


def same_however_cut(text: bytes, *ways: Iterable[int]) -> None:
    """The JSON of the whole, of lines, and of every way of cutting is the same."""
    whole = printed(scan_text(text, knowledge(), SOURCE))
    for way in ways:
        assert first_difference(whole, printed(report_on_pieces(cut(text, way)))) == ""
    assert first_difference(whole, printed(report_on_pieces(LINES.findall(text)))) == ""


@pytest.mark.parametrize("name", NAMES)
def test_fixture_in_pieces(name: str) -> None:
    """Every fixture: line by line, and in pieces that fit no line."""
    text = (LOGS / name / "server.log").read_bytes()
    same_however_cut(text, range(0, len(text), 97), range(0, len(text), 4096))


@settings(max_examples=15, deadline=None, phases=FAST)
@given(data=st.data(), name=st.sampled_from(NAMES))
def test_fixture_cut_anywhere(data: st.DataObject, name: str) -> None:
    """Every fixture, cut at any places."""
    text = (LOGS / name / "server.log").read_bytes()
    same_however_cut(text, data.draw(st.lists(st.integers(0, len(text)), max_size=30)))


messages = st.sampled_from(MESSAGES)
lines = st.one_of(
    st.builds(lambda wrap, text: wrap[0] + text + wrap[1], st.sampled_from(WRAPS), messages),
    st.sampled_from(OTHERS),
    messages.map(docker_json),
    st.binary(max_size=40),
)
logs = st.builds(
    lambda parts, end: b"\n".join(parts) + end,
    st.lists(lines, max_size=24),
    st.sampled_from([b"", b"\n", b"\r\n", b"\n\n"]),
)


@settings(max_examples=40, deadline=None, phases=FAST)
@given(text=logs, places=st.lists(st.integers(0, 4000), max_size=30))
def test_generated_log_cut_anywhere(text: bytes, places: list[int]) -> None:
    """Colours, partial records, JSON lines, progress bars, broken bytes, dumps and torn ends in any mixture."""
    same_however_cut(text, places)


@settings(max_examples=15, deadline=None, phases=FAST)
@given(text=logs)
def test_generated_log_byte_by_byte(text: bytes) -> None:
    """The smallest pieces there are."""
    short = text[:1500]
    same_however_cut(short, range(len(short)))


@pytest.fixture(name="deadline")
def deadline_fixture() -> Iterator[None]:
    """A scan that turns in a circle fails its test instead of hanging the run."""

    def give_up(*_: object) -> None:
        raise TimeoutError("the scan does not end")

    old = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 5.0)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, old)


def long_line(length: int, needle_at: int, head: bytes = STAMP) -> bytes:
    """A line of ``length`` bytes with an error in it and the same error on lines of its own around it."""
    fill = b"x" * max(0, needle_at - len(head)) + b" " + CUDNN + b" "
    body = head + fill
    return b"before\n" + body + b"y" * max(0, length - len(body)) + b"\n" + OOM + b"\nafter"


@pytest.mark.usefixtures("deadline")
@pytest.mark.parametrize("length", [MIB - 1, MIB, MIB + 1, MIB + 3, 2 * MIB + 17, 5 * MIB])
@pytest.mark.parametrize("needle_at", [100, MIB - 60])
def test_overlong_line(length: int, needle_at: int) -> None:
    """A line about as long as what is looked at in one piece, with an error at its front or on the seam."""
    text = long_line(length, needle_at)
    same_however_cut(text, range(0, len(text), 65_536), range(0, len(text), MIB + 1), [8, MIB, MIB + 7])


def test_overlong_dump_stays_a_dump() -> None:
    """What stands deep in a request of several megabytes is still text that a client sent."""
    text = long_line(3 * MIB, 2 * MIB, STAMP + b"Receive: obj=GenerateReqInput(text='").replace(OOM, b"calm")
    report = scan_text(text, knowledge(), SOURCE)
    assert [item.id for item in (*report.diagnoses, *report.recovered)] == []
    same_however_cut(text, range(0, len(text), 300_000))


def test_log_longer_than_the_buffer() -> None:
    """The buffer slides: nothing is seen twice or missed, and places are those in the whole."""
    noise = b"".join(STAMP + MESSAGES[0] + b" %d\n" % number for number in range(80_000))
    text = START + b"\n" + noise + STAMP + OOM + b"\n" + noise[: len(noise) // 8] + CUDNN
    assert len(text) > 10 * MIB
    same_however_cut(text, range(0, len(text), 777_777), range(0, len(text), 3 * MIB + 1))


@pytest.mark.parametrize(
    "text", [OOM, CUDNN, b"OddError: nobody knows this one"], ids=["known", "known-too", "unknown"]
)
def test_storm(text: bytes) -> None:
    """Thousands of equal errors are counted the same, however they arrive."""
    storm = b"".join(STAMP + text + b" %d\n" % number for number in range(6_000))
    same_however_cut(START + b"\n" + storm, range(0, len(storm), 50_000), range(0, len(storm), 9_973))


def places(node: Any) -> Iterator[dict[str, Any]]:
    """Every place in the JSON of a report that names a line and an offset."""
    if isinstance(node, dict):
        if node.get("line") and node.get("offset") is not None and node.get("text"):
            yield node
        for value in node.values():
            yield from places(value)
    elif isinstance(node, list):
        for value in node:
            yield from places(value)


def numbered_by_grep(path: Path) -> dict[int, bytes]:
    """Line number -> line, as grep counts them."""
    done = subprocess.run(["grep", "-n", "-a", "", str(path)], capture_output=True, check=True, env={"LC_ALL": "C"})
    rows = (row.partition(b":") for row in done.stdout.split(b"\n") if row)
    return {int(number): line for number, _, line in rows}


@pytest.mark.parametrize("name", NAMES)
def test_line_numbers_are_those_of_grep(name: str) -> None:
    """Whoever looks a place up finds the line there, by its number and by its byte offset."""
    path = LOGS / name / "server.log"
    text = path.read_bytes()
    starts = [0, *accumulate(len(line) + 1 for line in text.split(b"\n"))]
    rows = numbered_by_grep(path)
    report = scan_text(text, knowledge(), SOURCE)
    found = list(places(json.loads(printed(report))))
    assert found or not report.diagnoses
    for place in found:
        raw = re.sub(rb"\x1b\[[0-9;]*m", b"", rows[place["line"]]).decode("utf-8", "replace")
        words = max(re.split(r"[^ -~]|‹[^›]*›", str(place["text"])), key=len).strip()[:60]
        assert words in raw, place
        assert bisect_right(starts, place["offset"]) == place["line"], place


def test_input_counts_are_those_of_wc() -> None:
    """Bytes and lines of an input, a last line without a line feed included."""
    for name in NAMES:
        text = (LOGS / name / "server.log").read_bytes()
        (source,) = scan_text(text, knowledge(), SOURCE).observation.inputs
        assert source.bytes == len(text)
        assert source.lines == text.count(b"\n") + (not text.endswith(b"\n"))
