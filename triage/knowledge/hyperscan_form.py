"""A regex made wider and simpler for the automaton: whatever the regex matches, this matches too, at no later a place.

Counted repeats become open ones (each count would be states of its own: one `{0,600}` cost a second to compile),
look-around, word boundaries and start anchors go, back-references match anything, and optional tails are cut so that a
match is reported once and not for every further character. Confirmation with the real regex makes up for all of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from triage.knowledge.standard_regex import REPEATS, Item, parse, sre

_EXACT_COUNT = 8
_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}
_ANYTHING = r"[^\n]*"


def hyperscan_form(source: str) -> bytes:
    r"""The expression for the database, in ASCII: a byte that is not is written as ``\xNN``.

    Raises:
        ValueError: ``source`` is not of the dialect of signatures.
    """
    tree = parse(source)
    body = _sequence(_without_tail(tree.items))
    return (("(?i)" if tree.ignores_case else "") + body).encode()


def _without_tail(items: list[Item]) -> list[Item]:
    """Optional items at the end go, and an open repeat there ends with its first turn."""
    while items:
        op, argument = items[-1]
        if (op in REPEATS and argument[0] == 0) or op in (sre.ASSERT, sre.ASSERT_NOT):
            items = items[:-1]
        elif op in REPEATS and argument[1] != argument[0]:
            return [*items[:-1], (op, (argument[0], argument[0], argument[2]))]
        elif op is sre.SUBPATTERN and argument[0] is not None:
            group, add, remove, inner = argument
            return [*items[:-1], (op, (group, add, remove, _without_tail(list(inner))))]
        else:
            break
    return items


def _sequence(items: Iterable[Item]) -> str:
    return "".join(_item(op, argument) for op, argument in items)


def _item(op: Any, argument: Any) -> str:
    if op is sre.LITERAL:
        return _literal(argument)
    if op is sre.NOT_LITERAL:
        return f"[^{_class_literal(argument)}\\n]"
    if op is sre.ANY:
        return "."
    if op is sre.IN:
        return _class(argument)
    if op is sre.BRANCH:
        return "(?:" + "|".join(_sequence(branch) for branch in argument[1]) + ")"
    if op is sre.SUBPATTERN:
        _, add, _, inner = argument
        head = "(?i:" if add & sre.SRE_FLAG_IGNORECASE else "(?:"
        return f"{head}{_sequence(inner)})"
    if op in REPEATS:
        return _repeat(*argument)
    if op is sre.AT and argument is sre.AT_END:
        return r"(?:[\r\x1b]|$)"  # the end of the line, before or after a colour code or a carriage return
    if op in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
        return ""
    return _ANYTHING  # back-references and conditionals


def _repeat(low: int, high: Any, inner: Iterable[Item]) -> str:
    body = f"(?:{_sequence(inner)})"
    if body == "(?:)":
        return ""
    if low == high and low <= _EXACT_COUNT:
        return body * low
    if (low, high) == (0, 1):
        return body + "?"
    return body + ("+" if low else "*")


def _class(parts: Iterable[Item]) -> str:
    negated, body = False, ""
    for op, argument in parts:
        if op is sre.NEGATE:
            negated = True
        elif op is sre.LITERAL:
            body += _class_literal(argument)
        elif op is sre.RANGE:
            body += f"{_class_literal(argument[0])}-{_class_literal(argument[1])}"
        elif op is sre.CATEGORY:
            body += _CATEGORIES[argument]
    # A pattern sees one line, so a class that leaves characters out leaves the line feed out too.
    return f"[^{body}\\n]" if negated else f"[{body}]"


def _literal(code: int) -> str:
    char = chr(code)
    return char if code < 128 and (char.isalnum() or char in " _-:/,'\"=<>@!%&;#~`") else f"\\x{code:02x}"


def _class_literal(code: int) -> str:
    return chr(code) if code < 128 and chr(code).isalnum() else f"\\x{code:02x}"
