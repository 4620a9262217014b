"""Normalizing gives lines as the software wrote them and never moves a line."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from triage.matching.normalize import normalize, open_partial_start

_T = b"2026-03-01T10:00:00.000000001Z"
_PIECES = st.one_of(
    st.binary(max_size=8),
    st.sampled_from(
        [b"\n", b"\r", b" stdout P ", b"t stdout P ", b"t stderr P ", b"t stdout F ", b"t stderr F ", b"\x1b[", b"\x1b[31m",
         b'{"log":"', b'{"log":"a\\nb\\n","stream":"stderr","time":"t"}', b"\\n", b"\\ud800", b'"}', b"\x1b[\n", b"\xff"]
    ),
)  # fmt: skip


@given(st.lists(_PIECES, max_size=20).map(b"".join))
@example(b'{"log":"a\\nb","time":"x\\ny"}\n')
@example(b'{"log":"a","time":{"a":"\\n"}}\nb')
@settings(max_examples=600, deadline=None)
def test_line_feeds_stay(region: bytes) -> None:
    """Any bytes keep their number of line feeds: a line keeps its number."""
    assert normalize(region).count(b"\n") == region.count(b"\n")


@given(st.binary(max_size=200).filter(lambda text: b"\x1b[" not in text and b"{" not in text and b" P " not in text))
def test_plain_text_is_left_alone(region: bytes) -> None:
    """Bytes without colours and without a runtime's records come back unchanged."""
    assert normalize(region) == region


@pytest.mark.parametrize(
    ("coloured", "plain"),
    [
        (b"\x1b[31mred\x1b[0m", b"red"),
        (b"\x1b[1;38:5:1mred\x1b[m", b"red"),
        (b"a\x1b[2Kb\x1b[?25lc", b"abc"),
        (b"torch.\x1b[1mOutOfMemory\x1b[0mError", b"torch.OutOfMemoryError"),
        (b"ends in \x1b[", b"ends in \x1b["),
        (b"\x1b]0;title\x07 stays", b"\x1b]0;title\x07 stays"),
    ],
)
def test_colours(coloured: bytes, plain: bytes) -> None:
    """CSI sequences go, also inside a word; what is not one stays to be shown."""
    assert normalize(coloured) == plain


def test_partial_records_move_to_their_first_line() -> None:
    """The parts of one CRI record become one line; the lines of the others stay behind empty."""
    region = b"\n".join(
        [_T + b" stdout P CUDA out", _T + b" stdout P  of mem", _T + b" stdout F ory", _T + b" stdout F next", b""]
    )
    assert normalize(region).split(b"\n") == [
        _T + b" stdout P CUDA out of memory",
        b"",
        b"",
        _T + b" stdout F next",
        b"",
    ]


def test_streams_are_joined_apart() -> None:
    """stdout and stderr written side by side do not get into each other's records."""
    region = b"\n".join([_T + b" stdout P out", _T + b" stderr P er", _T + b" stdout F put", _T + b" stderr F ror"])
    assert normalize(region).split(b"\n") == [_T + b" stdout P output", _T + b" stderr P error", b"", b""]


def test_a_full_record_between_the_parts_of_the_other_stream() -> None:
    """A whole stderr line inside a stdout record stays where it is."""
    region = b"\n".join([_T + b" stdout P a", _T + b" stderr F whole", _T + b" stdout F b"])
    assert normalize(region).split(b"\n") == [_T + b" stdout P ab", _T + b" stderr F whole", b""]


def test_a_line_that_only_speaks_of_the_form_is_no_part() -> None:
    """`` stdout P `` in the middle of a line is text."""
    region = b"see kubelet: t stdout P x\nnext"
    assert normalize(region) == region


def test_docker_json() -> None:
    """The log field is unwrapped with its time in front; line feeds inside become carriage returns."""
    record = json.dumps(
        {"log": "Über\nzwei\n", "stream": "stderr", "time": "2026-03-01T10:00:00Z"}, separators=(",", ":")
    )
    assert normalize(record.encode() + b"\nplain").decode() == "2026-03-01T10:00:00Z Über\rzwei\nplain"


@pytest.mark.parametrize(
    "line", [b'{"log":"torn', b'{"log":"a"} trailing', b'x {"log":"a"}', b'{"log":"' + b"[" * 5000]
)
def test_damaged_docker_json_stays(line: bytes) -> None:
    """What is not one whole JSON record is left as it is."""
    assert normalize(line) == line


def test_docker_json_with_blanks() -> None:
    """A collector that wrote the records again puts a blank behind the colon."""
    assert normalize(b'{"log": "boom \\"x\\"\\n", "stream": "stderr"}\nb') == b'boom "x"\nb'


def test_deeply_nested_docker_json() -> None:
    """A record that nests too deep for the JSON reader is text like any other, not a crash."""
    line = b'{"log":"a","x":' + b"[" * 100_000
    assert normalize(line) == line


def test_a_surrogate_in_docker_json_does_not_raise() -> None:
    """An escaped lone surrogate is bytes again afterwards."""
    assert normalize(b'{"log":"a\\ud800b","time":"t"}').startswith(b"t a")


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ([b"plain", b"lines"], 0),
        ([b"t stdout F a", b"t stdout P b"], 1),
        ([b"t stdout P a", b"t stdout P b"], 2),
        ([b"t stdout P a", b"t stdout F b"], 0),
        ([b"t stdout P a", b"t stderr F b"], 2),
        ([b"t stdout P a", b"t stderr P b", b"t stdout F c"], 2),
        ([b"t stderr P a", b"t stdout P b", b"t stdout F c"], 3),
    ],
)
def test_where_an_open_record_begins(lines: list[bytes], left: int) -> None:
    """The lines from the first record on whose end is still to come wait for it."""
    text = b"".join(line + b"\n" for line in lines)
    start = open_partial_start(text, 0, len(text))
    assert text[start:].count(b"\n") == left
    assert start == 0 or text[start - 1 : start] == b"\n"


def test_typographic_quotes_are_plain() -> None:
    """What a chat made of the quotes of a pasted log is undone; other characters of that block stay."""
    pasted = "No module named ‘sgl_kernel’ … “quoted” – dash\n".encode()
    assert normalize(pasted) == "No module named 'sgl_kernel' … \"quoted\" – dash\n".encode()
