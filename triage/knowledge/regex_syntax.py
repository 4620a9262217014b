"""What a signature's regular expression promises: its mandatory literal and its danger."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator

import regex

from triage.knowledge.regex_dialect import standard_form
from triage.knowledge.standard_regex import REPEATS, Item, inner, parse, sre

MIN_LITERAL = 6
_LINE_FEED = "a pattern sees one line and never a line feed; use a sequence"
_NOT_UTF8 = re.compile("[\ud800-\udfff]+")


def complaint(source: str) -> str | None:
    """Why ``source`` may not stand in a signature, or None: syntax, line feeds, nested unbounded repeats, matches nothing."""
    try:
        standard_form(source)
        compiled = _compile(source)
        if compiled.search(b""):
            return "the pattern matches an empty line"
        if "\n" in source:
            return _LINE_FEED
        tree = parse(source)
    except ValueError as error:
        return str(error)
    if _needs_line_feed(tree.items):
        return _LINE_FEED
    if _nested_unbounded(tree.items, inside=False):
        return "an unbounded repeat inside another one: can take exponential time"
    return None


def group_names(source: str) -> tuple[str, ...]:
    """The names of the groups of a regex that `complaint` has nothing against, in their order."""
    groups = _compile(source).groupindex
    return tuple(sorted(groups, key=lambda name: groups[name]))


def mandatory_literal(source: str) -> str:
    """The longest run of characters that every match contains as it stands (case matters); may be empty."""
    try:
        tree = parse(source)
    except ValueError:
        return ""
    if tree.ignores_case:
        return ""
    # Bytes that are no whole character (half of one, or of another encoding) cannot be written in a literal.
    texts = (run.decode("utf-8", "surrogateescape") for run in _runs(tree.items))
    return max((piece for text in texts for piece in _NOT_UTF8.split(text)), key=len, default="")


def _compile(source: str) -> regex.Pattern[bytes]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return regex.compile(source.encode(), regex.ASCII)
    except (regex.error, ValueError, RecursionError, OverflowError, Warning) as error:
        raise ValueError(f"not a regular expression: {error}") from error


def _runs(items: Iterable[Item]) -> list[bytes]:
    runs, current = [], b""
    for op, argument in items:
        if op is sre.LITERAL:
            current += bytes((argument,))
            continue
        if op is sre.SUBPATTERN and not argument[1]:
            body = list(argument[3])
            if body and all(part[0] is sre.LITERAL for part in body):
                current += bytes(part[1] for part in body)
                continue
            runs.extend(_runs(body))
        elif op in REPEATS and argument[0] >= 1:
            runs.extend(_runs(argument[2]))
        runs.append(current)
        current = b""
    runs.append(current)
    return runs


def _all_items(items: Iterable[Item]) -> Iterator[Item]:
    for op, argument in items:
        yield op, argument
        for body in inner(op, argument):
            yield from _all_items(body)


def _needs_line_feed(items: Iterable[Item]) -> bool:
    """Whether a line feed is asked for by name; classes that leave it out, and wide ones such as ``\\s``, are harmless."""
    line_feed = (sre.LITERAL, ord("\n"))
    return any(
        item == line_feed or (item[0] is sre.IN and line_feed in item[1] and item[1][0][0] is not sre.NEGATE)
        for item in _all_items(items)
    )


def _nested_unbounded(items: Iterable[Item], *, inside: bool) -> bool:
    for op, argument in items:
        below = inside
        if op in REPEATS:
            # A body of fixed width and a bounded count cannot blow up; 64 is where a bounded repeat starts to hurt like an open one.
            unbounded = argument[1] is sre.MAXREPEAT or argument[1] > 64
            if unbounded and argument[0] != argument[1]:
                if inside:
                    return True
                below = True
        if any(_nested_unbounded(body, inside=below) for body in inner(op, argument)):
            return True
    return False
