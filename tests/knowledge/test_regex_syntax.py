"""complaint and mandatory_literal: what a pattern may hold, and the text that it promises to contain."""

from __future__ import annotations

import time

import pytest
import regex

from triage.knowledge.regex_syntax import complaint, mandatory_literal

LINE_FEED = "a pattern sees one line and never a line feed; use a sequence"
NESTED = "an unbounded repeat inside another one: can take exponential time"
EMPTY = "the pattern matches an empty line"
ASCII_CLASS = "only ASCII may stand inside [...]: patterns work on bytes"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", EMPTY),
        ("a*", EMPTY),
        ("(?:abc)?", EMPTY),
        ("abc|", EMPTY),
        ("$", EMPTY),
        ("first\nsecond", LINE_FEED),
        (r"first\nsecond", LINE_FEED),
        (r"first[\n]second", LINE_FEED),
        ("(a+)+b", NESTED),
        ("(?:a*b*)*c", NESTED),
        ("(?:(?:x|y+)z?){2,}c", NESTED),
        ("(?:a{1,100}){1,100}c", NESTED),
        ("(?=(a+)+b)c", NESTED),
        ("(?:[^,]*,)+end", NESTED),
        ("[é]abc", ASCII_CLASS),
        ("[^–]abc", ASCII_CLASS),
    ],
)
def test_what_may_not_stand(source: str, expected: str) -> None:
    """Patterns that match nothing, cross lines, explode or misread bytes are refused in plain words."""
    assert complaint(source) == expected


@pytest.mark.parametrize("source", ["(", "a**", "[z-a]", "(?P<1>a)", "(?P=x)", r"\1", "a)", "(?<=a", "*a", r"(?P<a"])
def test_syntax_errors(source: str) -> None:
    """What does not compile is refused with the reason and the place in the pattern, on one line."""
    found = complaint(source)
    assert found is not None
    assert regex.fullmatch(r"not a regular expression: .+ \d+", found)


@pytest.mark.parametrize(
    "source",
    [
        "CUDA out of memory",
        r"port (?P<port>\d{1,5}) is in use",
        r"[^\n]{0,80}abc",
        r"[^)\n]{0,80}abc",
        r"[^,\n;]{0,80}abc",
        "a+b+c",
        "(?:ab)+c",
        "(?:a|b)*c",
        "(?:a{1,9}){1,9}b",
        "(?i)abc",
        "^abc$",
        "é… abc",
        r"C:\\new\\table",
        r"raise ValueError\(\\n",
        "a(?=b+)b",
        r"(?>a+)b",
        r"a++b",
    ],
)
def test_what_may_stand(source: str) -> None:
    """Harmless patterns are accepted; a backslash followed by the letter n is no line feed, and a class may leave it out anywhere."""
    assert complaint(source) is None


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"(?:frobnicator){e<=2}", b"frobnikator"),
        (r"code [[:digit:]]+ frobnicator", b"code 12 frobnicator"),
        (r"frobnicator\xe2\x80\xa6", "frobnicator…".encode()),
        (r"frobnicator\u2026", "frobnicator…".encode()),
        (r"frobnicator\N{BULLET}", "frobnicator•".encode()),
        ("frobnicator é{2}", "frobnicator éé".encode()),
        (r"\mfrobnicator", b"the frobnicator"),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_syntax_that_the_parts_read_differently(source: str, text: bytes) -> None:
    """What the regex module, the standard parser and Hyperscan do not read alike is refused, or works on what it is meant for."""
    if complaint(source) is None:
        assert regex.search(source.encode(), text, regex.ASCII)
        assert mandatory_literal(source).encode() in text


def test_nothing_is_printed_for_an_odd_class(recwarn: pytest.WarningsRecorder) -> None:
    """A class that a coming Python may read otherwise gives a complaint or nothing, never a warning on stderr."""
    assert complaint(r"[[:digit:]]+frobnicator") is None or recwarn.list == []
    assert [str(item.message) for item in recwarn.list] == []


def test_nested_repeats_that_pass_are_quick() -> None:
    """Nothing that is accepted takes more than a moment on the text that such patterns are slow on."""
    for source in ("(?:ab)+c", "(?:a|b)*c", "(?:a{1,9}){1,9}b", "a+b+c", "[^,]*,[^,]*,end"):
        began = time.monotonic()
        regex.search(source.encode(), b"ab" * 500, timeout=5)
        assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("source", "literal"),
    [
        ("CUDA out of memory", "CUDA out of memory"),
        (r"a\.b\(c\)", "a.b(c)"),
        (r"short \d+ much longer run", " much longer run"),
        ("(?:abc)def", "abcdef"),
        ("(abc)def", "abcdef"),
        ("(?P<x>abc)def", "abcdef"),
        ("(abc|abd)xyz", "xyz"),
        ("abcdef|ghijkl", ""),
        ("abc(?:def)?ghi", "abc"),
        ("abc(?:defgh)+ij", "defgh"),
        ("(?:abcdef){2}", "abcdef"),
        ("(?:abcdef){0,2}gh", "gh"),
        ("(?i)abcdef", ""),
        ("(?i:abcdef)gh", "gh"),
        ("((?i:abcdef)gh)", "gh"),
        ("abc(?=defghi)", "abc"),
        ("abc(?!defghi)jk", "abc"),
        ("(?<=abcdef)gh", "gh"),
        ("abc[d]ef", "abcdef"),
        ("abc.def", "abc"),
        ("^abcdef$", "abcdef"),
        ("é abc", "é abc"),
        ("(", ""),
        (r"(?P<a>x)(?(a)abcdef|ghijkl)mn", "mn"),
    ],
)
def test_mandatory_literal(source: str, literal: str) -> None:
    """The longest run that stands in every match: not from a branch, an optional part, look-around or a part that ignores case."""
    assert mandatory_literal(source) == literal
