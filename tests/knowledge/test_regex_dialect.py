"""The dialect: what all three readers of a pattern read alike passes as it means, everything else is told in plain words."""

from __future__ import annotations

import re
import warnings

import pytest

from triage.knowledge.regex_dialect import MAX_GROUPS, standard_form
from triage.knowledge.regex_syntax import complaint, group_names, mandatory_literal
from triage.knowledge.standard_regex import parse


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("abc", "abc"),
        (r"(?P<a>x)(?<b>y)", r"(?P<a>x)(?P<b>y)"),
        ("(?<=a)b(?<!c)", "(?<=a)b(?<!c)"),
        ("(?>a|b)c", "(?:a|b)c"),
        ("a++b?+c*+d{2,3}+", "a+b?c*d{2,3}"),
        ("a+?b{2}?", "a+?b{2}?"),
        (r"\(?<name>\[:x:\]", r"\(?<name>\[:x:\]"),
        ("[(?<a>++{2}]", "[(?<a>++{2}]"),
        ("[:=]{1,2}[^]:]x", "[:=]{1,2}[^]:]x"),
        (r"[\[:a:]x", r"[\[:a:]x"),
        (r"\{e<=2\}", r"\{e<=2\}"),
        ("(?:é){2}é", "(?:é){2}é"),
        ("(?#++{e})a", "(?#++{e})a"),
    ],
)
def test_standard_form(source: str, form: str) -> None:
    """Named groups of the other spelling, atomic groups and possessive repeats are rewritten, but not inside of escapes and classes."""
    assert standard_form(source) == form
    re.compile(form)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("frob{e<=2}", r"a '{' that begins no repeat must be escaped: \{"),
        ("{'a': 1}", r"a '{' that begins no repeat must be escaped: \{"),
        ("[x[:digit:]]y", r"POSIX classes such as [:digit:] are not known everywhere: write \d, or escape the '[' inside [...]"),
        ("abcé+", "a repeat of 'é' would repeat its last byte only: write (?:é)"),
        ("abcé(?#x){2}", "a repeat of 'é' would repeat its last byte only: write (?:é)"),
        ("[a–z]", "only ASCII may stand inside [...]: patterns work on bytes"),
        ("(" * (MAX_GROUPS + 1) + "a" + ")" * (MAX_GROUPS + 1), f"groups are nested deeper than {MAX_GROUPS} levels"),
    ],
)  # fmt: skip
def test_what_would_be_read_differently(source: str, message: str) -> None:
    """The complaint names the syntax and what to write instead."""
    with pytest.raises(ValueError, match=re.escape(message)):
        standard_form(source)
    assert complaint(source) == message


@pytest.mark.parametrize(
    "source",
    ["(?|a|b)cdefgh", r"\Kabcdef", r"\p{L}abcdef", r"\u2026abcdef", "(?u)abcdef", "(?L)abcdef", "(?b)abcdef", "[[a]bcdef", "[a&&b]cdef",
     "(?P<a>x)(?P<a>y)", "(?R)?abcdef", "a{5000000000}b", "abc(?i)def"],
)  # fmt: skip
def test_what_only_one_of_them_knows(source: str) -> None:
    """Syntax of the regex module alone, and what a coming Python may read otherwise, is refused on one line and without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = complaint(source)
    assert found
    assert "\n" not in found


def test_every_depth_that_is_accepted_is_read() -> None:
    """Groups nested as deep as is allowed are parsed and searched for a literal without running out of stack."""
    source = "(" * MAX_GROUPS + "abcdef|ghi" + ")" * MAX_GROUPS + "literal"
    assert complaint(source) is None
    assert mandatory_literal(source) == "literal"
    assert not parse(source).ignores_case


@pytest.mark.parametrize(
    ("source", "literal"),
    [
        ("abc…def", "abc…def"),
        (r"abc\xe2\x80\xa6def", "abc…def"),
        (r"\xe9frobnicator", "frobnicator"),
        ("(?:é|è)abc", "abc"),
        ("é(?:à|è)", "é"),
    ],
)
def test_literal_is_whole_characters(source: str, literal: str) -> None:
    """A literal is text: bytes that are no whole character are left out of it."""
    assert complaint(source) is None
    assert mandatory_literal(source) == literal


def test_group_names_in_their_order() -> None:
    """Names of both spellings in the order of the groups; look-alikes are none."""
    assert group_names(r"(?P<b>x)(y)(?<a>z)\(?P<c>[(?P<d>]") == ("b", "a")
