"""What a signature's regular expression promises: its mandatory literal and its danger."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import regex

from triage.knowledge.standard_regex import parse, sre

MIN_LITERAL = 6
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT)


def complaint(source: str) -> str | None:
    """Why ``source`` may not stand in a signature, or None: syntax, line feeds, nested unbounded repeats, matches nothing."""
    try:
        compiled = regex.compile(source.encode(), regex.ASCII)
    except regex.error as error:
        return f"not a regular expression: {error}"
    if compiled.search(b""):
        return "the pattern matches an empty line"
    if "\\n" in source.replace("[^\\n", "").replace("\\n]", "") or "\n" in source:
        return "a pattern sees one line and never a line feed; use a sequence"
    if any(not char.isascii() for char in _class_bodies(source)):
        return "only ASCII may stand inside [...]: patterns work on bytes"
    try:
        tree = parse(source)
    except ValueError:
        return None  # syntax that only `regex` knows; its timeout guards it
    if _nested_unbounded(tree.items, inside=False):
        return "an unbounded repeat inside another one: can take exponential time"
    return None


def mandatory_literal(source: str) -> str:
    """The longest run of characters that every match contains as it stands (case matters); may be empty."""
    try:
        tree = parse(source)
    except ValueError:
        return ""
    if tree.ignores_case:
        return ""
    return max(_runs(tree.items), key=len, default="")


def _runs(items: Iterable[tuple[Any, Any]]) -> list[str]:
    runs, current = [], ""
    for op, argument in items:
        if op is sre.LITERAL:
            current += chr(argument)
            continue
        if op is sre.SUBPATTERN and not argument[1]:
            inner = list(argument[3])
            if inner and all(part[0] is sre.LITERAL for part in inner):
                current += "".join(chr(part[1]) for part in inner)
                continue
            runs.extend(_runs(inner))
        elif op in _REPEATS and argument[0] >= 1:
            runs.extend(_runs(argument[2]))
        runs.append(current)
        current = ""
    runs.append(current)
    return runs


def _nested_unbounded(items: Iterable[tuple[Any, Any]], *, inside: bool) -> bool:
    for op, argument in items:
        if op in _REPEATS:
            # A body of fixed width and a bounded count cannot blow up; 64 is where a bounded repeat starts to hurt like an open one.
            unbounded = argument[1] is sre.MAXREPEAT or argument[1] > 64
            variable = argument[0] != argument[1]
            if inside and unbounded and variable:
                return True
            if _nested_unbounded(argument[2], inside=inside or (unbounded and variable)):
                return True
        elif op is sre.SUBPATTERN:
            if _nested_unbounded(argument[3], inside=inside):
                return True
        elif op is sre.BRANCH:
            if any(_nested_unbounded(branch, inside=inside) for branch in argument[1]):
                return True
        elif op in (sre.ASSERT, sre.ASSERT_NOT) and _nested_unbounded(argument[1], inside=inside):
            return True
    return False


def _class_bodies(source: str) -> str:
    bodies, inside, escaped = "", False, False
    for char in source:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == "[":
            inside = True
        elif char == "]":
            inside = False
        elif inside:
            bodies += char
    return bodies
