"""Counting agrees with Python's own counting, with and without numpy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.matching import counting
from triage.matching.counting import LineCounter

_BYTES = st.one_of(st.binary(max_size=300), st.text("a\né日🚧", max_size=100).map(str.encode))


@pytest.fixture(scope="module", params=["python", "numpy"], autouse=True)
def _path(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test runs the way of small inputs and that of large ones."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "numpy":
            patch.setattr(counting, "LARGE", 0)
            patch.setattr(counting, "_STEP", 1)
        yield


@given(_BYTES, st.integers(0, 320), st.integers(0, 320))
@settings(deadline=None)
def test_feeds(text: bytes, start: int, end: int) -> None:
    """Line feeds of any part, an empty or reversed one included."""
    end = min(end, len(text))
    assert LineCounter().feeds(bytearray(text), start, end) == text[start:end].count(b"\n") * (end > start)


@given(_BYTES, st.integers(0, 20), st.integers(0, 12))
@settings(deadline=None)
def test_skip_lines(text: bytes, start: int, lines: int) -> None:
    """The offset behind the n-th line feed from the start; the end when there are fewer."""
    start = min(start, len(text))
    expected = start
    for _ in range(lines):
        feed = text.find(b"\n", expected)
        expected = feed + 1 if feed >= 0 else len(text)
        if feed < 0:
            break
    assert LineCounter().skip_lines(text, start, len(text), lines) == expected


@given(_BYTES)
@settings(deadline=None)
def test_decode_errors(text: bytes) -> None:
    """Bytes that are not UTF-8, as many as Python leaves undecoded; none in valid text, whatever its characters."""
    expected = sum("\udc80" <= char <= "\udcff" for char in text.decode("utf-8", "surrogateescape"))
    assert LineCounter().decode_errors(bytearray(text), 0, len(text)) == expected


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        (b"plain", 0),
        ("日本🚧\udbff".encode("utf-8", "surrogatepass"), 3),
        (b"\x9b2J", 1),
        (b"\xc0\xaf", 2),
        (b"a\xff\xfeb", 2),
    ],
)
def test_known_errors(text: bytes, errors: int) -> None:
    """C1 bytes, overlong forms and encoded surrogates are errors, one a byte."""
    assert LineCounter().decode_errors(text, 0, len(text)) == errors


def test_a_part_is_counted_and_not_the_rest() -> None:
    """Bytes outside the part do not count."""
    assert LineCounter().decode_errors(b"\xff\xffabc\xff", 2, 5) == 0


def test_large_parts_agree() -> None:
    """A part above the step is counted the same on both ways."""
    text = bytearray(b"line of text \xff\n" * 20_000)
    counter = LineCounter()
    assert counter.feeds(text, 5, len(text) - 5) == 20_000 - 1
    assert counter.decode_errors(text, 0, len(text)) == 20_000


def test_numpy_waits_for_a_large_input() -> None:
    """A small input is counted without the seventy milliseconds that importing numpy takes."""
    code = "import sys; from triage.matching.counting import LineCounter as C; C().feeds(b'a\\n' * 99_999, 0, 199_998); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0


def test_a_source_that_grows_does_without_numpy() -> None:
    """Its pieces are small for days: the import would hold up events, and take memory for nothing."""
    counter = LineCounter(live=True)
    text = bytearray(b"line\n" * 30_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LineCounter, "_load", lambda _: pytest.fail("numpy is imported"))
        patch.setattr(counting, "LARGE", 0)
        assert counter.feeds(text, 0, len(text)) == 30_000
        assert counter.survey(text, 0, len(text), 0) == (30_000, True)
        assert counter.decode_errors(text, 0, len(text)) == 0
