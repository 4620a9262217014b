"""Raw output to safe lines: the same lines however the bytes come, and no secret in any of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.fixing.step_output import TAIL, StepOutput, tail_of
from triage.safety.redact import Redactor
from triage.safety.visible import visible

PIECES = st.one_of(
    st.binary(max_size=12), st.sampled_from([b"\r", b"\n", b"\r\n", b"\r\r\n", b"abc", "€".encode(), b"\x1b[2J"])
)
BODY = "".join("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ"[at % 50] for at in range(64))


def lines_of(*pieces: bytes) -> list[str]:
    """The lines of output that comes in these pieces."""
    output = StepOutput(Redactor(b"salt"))
    return [*(line for piece in pieces for line in output.feed(piece)), *output.close()]


@given(st.lists(PIECES, max_size=20))
def test_how_the_bytes_arrive_does_not_matter(pieces: list[bytes]) -> None:
    """In pieces, in one, or byte by byte: equal lines, each of which is harmless."""
    whole = b"".join(pieces)
    lines = lines_of(*pieces)
    assert lines == lines_of(whole) == lines_of(*(bytes([byte]) for byte in whole))
    assert all(visible(line) == line for line in lines)


@given(st.lists(st.text(alphabet="abc xyz", max_size=20), max_size=10))
def test_lines_are_what_stands_between_line_feeds(lines: list[str]) -> None:
    """Nothing is lost, nothing is split elsewhere."""
    assert lines_of("".join(f"{line}\n" for line in lines).encode()) == lines


def test_other_line_ends_end_nothing() -> None:
    """What Unicode and str.splitlines call line ends stays inside of its line, and is shown."""
    assert lines_of("a\x0bb\x0cc\x1cd\x85e\u2028f\n".encode()) == ["a␋b␌c␜d\\x85e<U+2028>f"]


def test_a_private_key_over_many_lines() -> None:
    """No line of its body is shown, not even the last and short one, in any way of cutting, and what follows is."""
    key = f"-----BEGIN PRIVATE KEY-----\n{BODY}\n{BODY}\nQxYz12==\n-----END PRIVATE KEY-----\nafter\n"
    for data in (key, key.replace("\n", "\r\n")):
        lines = lines_of(data.encode())
        assert lines[-1] == "after"
        assert not any("MII" in line or "QxYz" in line for line in lines)
    tail = tail_of(key.encode(), Redactor(), whole=True)
    assert "MII" not in tail
    assert "QxYz" not in tail
    assert tail.endswith("after")


def test_a_tail_that_begins_inside_a_private_key() -> None:
    """Its end tells that what stands before is a key."""
    tail = tail_of(f"{BODY}\nQxYz12==\n-----END PRIVATE KEY-----\nafter\n".encode(), Redactor(), whole=False)
    assert "QxYz" not in tail
    assert tail.endswith("after")


@pytest.mark.parametrize("whole", [True, False])
def test_the_tail_is_bounded_and_begins_with_a_line(whole: bool) -> None:
    """Control characters grow when they are shown; the bound is of what is kept."""
    data = b"cut\n" + b"\x9b\x9b\x9b\x9b\n" * 10_000
    tail = tail_of(data, Redactor(), whole=whole)
    assert TAIL - 17 <= len(tail) <= TAIL
    assert set(tail.split("\n")) == {"\\x9b\\x9b\\x9b\\x9b"}


def test_a_tail_that_is_not_the_whole_leaves_its_first_line_out() -> None:
    """It may be the second half of a secret."""
    assert tail_of(b"cret\nnext\n", Redactor(), whole=False) == "next"
    assert tail_of(b"secret\nnext\n", Redactor(), whole=True) == "secret\nnext"
    assert tail_of(b"", Redactor(), whole=True) == ""
