"""Where a value ends that begins at a given place of a line: quoted, in brackets, or bare."""

from __future__ import annotations

from triage.lazy_regex import lazy_regex
from triage.records import dataclass

# A call around the value (SecretStr('x')), the prefixes of Python strings, and the backslashes of JSON inside JSON.
_OPENING = lazy_regex(r"""(?:[A-Za-z_]\w{0,30}\()?[bBfFrRuU]{0,2}(\\{0,15})(['"])""")
_STRUCTURE = lazy_regex(r"""[\[\](){}]|(\\{0,15})(['"])""")
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_BARE = lazy_regex(r"""(?:[^\s,;&'")\]}\x00-\x1f\\]|\\(?!\\{0,15}['"]))+""")
_SHELL_WORD = lazy_regex(r"""(?:(?!['"](?:[,\])}:]|$))[^\s\x00-\x1f])+""")


@dataclass(frozen=True, slots=True)
class Span:
    """The value is ``text[start:end]``; ``quoted`` tells ``'None'`` from ``None``."""

    start: int
    end: int
    quoted: bool


def quoted_span(text: str, at: int, limit: int) -> Span | None:
    """The inside of the string literal that opens at `at`; without a closing quote it goes up to `limit`."""
    opening = _OPENING.match(text, at, limit)
    if opening is None:
        return None
    return Span(opening.end(), string_end(text, opening.end(), opening[2], len(opening[1]), limit), quoted=True)


def string_end(text: str, start: int, quote: str, depth: int, limit: int, *, in_word: bool = False) -> int:
    r"""The index where the content of a string ends that was opened by `quote` behind `depth` backslashes (``\"``: 1).

    A quote inside a word ends nothing unless `in_word`: it was escaped in a way that this level cannot see.
    """
    at = text.find(quote, start, limit)
    while at >= 0:
        slashes = _slashes_before(text, at, start)
        if slashes < depth:
            return at - slashes
        # Escaping a string once more doubles its backslashes and adds one before each quote.
        closes = (slashes - depth) % (2 * (depth + 1)) == 0
        if closes and (in_word or not text[at + 1 : at + 2].isalnum()):
            return at - depth
        at = text.find(quote, at + 1, limit)
    return limit


def bracket_span(text: str, at: int, limit: int) -> Span | None:
    """The inside of the bracket that opens at `at`, with brackets and strings in it; up to `limit` if it never closes."""
    if text[at : at + 1] not in _BRACKETS:
        return None
    expected: list[str] = []
    here = at
    while (found := _STRUCTURE.search(text, here, limit)) is not None:
        here = found.end()
        mark = found[0]
        if found[2]:
            here = min(limit, string_end(text, here, found[2], len(found[1]), limit) + len(found[0]))
        elif mark in _BRACKETS:
            expected.append(_BRACKETS[mark])
        elif mark == expected[-1]:
            expected.pop()
            if not expected:
                return Span(at + 1, found.start(), quoted=True)
    return Span(at + 1, limit, quoted=True)


def bare_span(text: str, at: int, limit: int) -> Span | None:
    """A value without quotes as code and headers write it: up to white space, a comma or a closing bracket."""
    found = _BARE.match(text, at, limit)
    return Span(at, found.end(), quoted=False) if found else None


def shell_span(text: str, at: int, limit: int) -> Span | None:
    """A value without quotes as a shell or an environment writes it: up to white space or the end of the list item."""
    found = _SHELL_WORD.match(text, at, limit)
    if found is None:
        return None
    word = found[0].rstrip(",;)]}'\"\\`")
    return Span(at, at + len(word), quoted=False) if word else None


def _slashes_before(text: str, at: int, start: int) -> int:
    """How many backslashes stand directly before `at`, not counting any before `start`."""
    here = at
    while here > start and text[here - 1] == "\\":
        here -= 1
    return at - here
