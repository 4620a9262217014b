"""Where values end."""

from __future__ import annotations

import pytest

from triage.safety.values import Span, bare_span, bracket_span, quoted_span, shell_span


def cut(text: str, span: Span | None) -> str | None:
    """The text of a span."""
    return None if span is None else text[span.start : span.end]


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("'ab' rest", "ab"),
        ('"A\'B" rest', "A'B"),
        (r"'a\'b' rest", r"a\'b"),
        (r"'a\\' rest", r"a\\"),
        (r"\"ab\" rest", "ab"),
        (r"\"a\\\"b\" rest", r"a\\\"b"),
        (r'\"cut" rest', "cut"),
        ("b'ab' rest", "ab"),
        ("Secret('ab') rest", "ab"),
        ("'open", "open"),
        ("bare", None),
    ],
)
def test_quoted(text: str, inside: str | None) -> None:
    """String literals of Python and JSON, of JSON inside JSON, and those that a cut line left open."""
    assert cut(text, quoted_span(text, 0, len(text))) == inside


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("[1, [2], 3] x", "1, [2], 3"),
        ("['a ] b'] x", "'a ] b'"),
        ("{'a': (1,)} x", "'a': (1,)"),
        ("[open", "open"),
        ("x", None),
    ],
)
def test_brackets(text: str, inside: str | None) -> None:
    """Nested brackets count, brackets in strings do not."""
    assert cut(text, bracket_span(text, 0, len(text))) == inside


@pytest.mark.parametrize(("text", "word"), [("ab, c", "ab"), ("ab)", "ab"), ("a=b&c", "a=b"), (" x", None)])
def test_bare(text: str, word: str | None) -> None:
    """In code a comma or a bracket ends a value."""
    assert cut(text, bare_span(text, 0, len(text))) == word


@pytest.mark.parametrize(
    ("text", "word"), [("a,b)c d", "a,b)c"), ("ab'", "ab"), ('ab","c"', "ab"), ("ab]", "ab"), ("", None)]
)
def test_shell_words(text: str, word: str | None) -> None:
    """In a shell only white space does, or the end of the string that holds the command."""
    assert cut(text, shell_span(text, 0, len(text))) == word
