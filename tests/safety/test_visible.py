"""What `visible` promises: nothing that acts on a terminal or misleads an eye gets through, and nothing is lost."""

from __future__ import annotations

import sys
import unicodedata
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.safety.visible import decode, strip_colour, visible

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@given(ANY_TEXT)
def test_output_holds_only_harmless_characters(text: str) -> None:
    """No control, format, surrogate or line-separating character survives, in any text."""
    assert {unicodedata.category(char) for char in visible(text)}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})


@given(ANY_TEXT)
def test_idempotent(text: str) -> None:
    """Text that was shown once is not changed by being shown again."""
    assert visible(visible(text)) == visible(text)


@given(ANY_TEXT)
def test_one_line_stays_one_line(text: str) -> None:
    """Whatever splits lines, for anybody, does not split the result."""
    assert len(visible(text).splitlines()) <= 1


def test_every_code_point() -> None:
    """All that has a meaning: only printable characters and spaces come out, and the rest encodes as UTF-8.

    Of the planes that are unassigned or private as a whole, every 61st character stands for the others.
    """
    blank = range(0x40000, 0xE0000), range(0xF0000, sys.maxunicode + 1)
    whole = range(0x40000), range(0xE0000, 0xF0000)
    text = "".join(map(chr, chain(*whole, *(plane[::61] for plane in blank))))
    shown = visible(text)
    strange = {char for char in set(shown) if not char.isprintable() and unicodedata.category(char) != "Zs"}
    assert strange == set()
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, 中文, é, 🚧", "plain text, 中文, é, 🚧"),
        ("\x1b]0;owned\x07", "␛]0;owned␇"),
        ("\x1b[2J\x1b[6n\x1b", "␛[2J␛[6n␛"),
        ("a\tb", "a b"),
        ("safe\rEVIL\n", "safe␍EVIL␊"),
        ("\x7f\x00", "␡␀"),
        ("\x9b2J\x90", "\\x9b2J\\x90"),
        ("\u202eabc\u2066", "<U+202E>abc<U+2066>"),
        ("a\u200bb\ufeffc\u2028d\u2029e\u0085f", "a<U+200B>b<U+FEFF>c<U+2028>d<U+2029>e\\x85f"),
        ("\U000e0041\u00ad\u2063", "<U+E0041><U+00AD><U+2063>"),
        ("\u3164\u034f\U000e0100", "<U+3164><U+034F><U+E0100>"),
        ("\ud800", "\\ud800"),
        ("no-break\u00a0space", "no-break\u00a0space"),
    ],
)
def test_forms(text: str, shown: str) -> None:
    """Each kind of character has its form."""
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("raw", "shown"),
    [(b"\x9b2J", "\\x9b2J"), (b"a\xffb", "a\\xffb"), (b"\xc0\xaf", "\\xc0\\xaf"), ("é".encode("latin-1"), "\\xe9")],
)
def test_bytes_that_are_not_utf8(raw: bytes, shown: str) -> None:
    """A byte that cannot be decoded, raw C1 and overlong forms included, is shown as its value."""
    assert visible(decode(raw)) == shown


@given(st.binary())
def test_decode_loses_nothing(raw: bytes) -> None:
    """Decoding is total and can be undone."""
    assert decode(raw).encode("utf-8", "surrogateescape") == raw


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;2;1;2;3mrgb\x1b[m", "rgb"),
        ("\x1b[01;31m\x1b[Kgrep\x1b[m\x1b[K", "grep"),
        ("\x9b1mC1\x9b0m", "C1"),
        ("\x1b[2J", "\x1b[2J"),
    ],
)
def test_colours_are_removed(text: str, bare: str) -> None:
    """Colours go, other sequences stay for `visible` to show."""
    assert strip_colour(text) == bare


@given(st.lists(st.sampled_from(["\x1b[", "\x1b", "[", "m", "K", "0", ";", "\x9b", "a"])).map("".join))
def test_removing_colours_is_idempotent(text: str) -> None:
    """Sequences nested to survive one pass do not become sequences."""
    assert strip_colour(strip_colour(text)) == strip_colour(text)
