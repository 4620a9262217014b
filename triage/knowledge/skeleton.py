"""A regex reduced to the texts that it asks for: what can be looked for in a source, where no line is printed yet."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product
from typing import Any

from triage.knowledge.standard_regex import REPEATS, Item, parse, sre
from triage.records import dataclass

MAX_ALTERNATIVES = 128
"""Ways through the branches of one regex that are told apart; beyond, a branch counts as any text."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Texts that stand on one line in this order, with anything between them; in lower case if ``caseless``."""

    runs: tuple[str, ...]
    caseless: bool = False


_Piece = bytes | None
_Way = tuple[_Piece, ...]
_ANYTHING = b"\xff"
_NOT_TEXT = re.compile("[\ud800-\udfff]+")


def skeletons(source: str) -> tuple[Skeleton, ...]:
    """One for each way through the branches of ``source``: a line that it matches holds one of them.

    Whatever is not a plain character (classes, optional parts, repeats) is any text. A way that asks for no text is left
    out.

    Raises:
        ValueError: ``source`` is not of the dialect of signatures.
    """
    tree = parse(source)
    found: dict[Skeleton, None] = {}
    for way in _ways(tree.items):
        # A byte 0xff is never in UTF-8, so it can stand for anything until the others are whole characters again.
        text = b"".join(_ANYTHING if piece is None else piece for piece in way).decode("utf-8", "surrogateescape")
        text = text.lower() if tree.ignores_case else text
        runs = tuple(run for run in _NOT_TEXT.split(text) if run)
        if runs:
            found[Skeleton(runs, tree.ignores_case)] = None
    return tuple(found)


def _ways(items: Iterable[Item]) -> list[_Way]:
    found: list[_Way] = [()]
    for op, argument in items:
        below = _item(op, argument)
        if len(found) * len(below) > MAX_ALTERNATIVES:
            below = [(None,)]
        found = [(*before, *after) for before, after in product(found, below)]
    return found


def _item(op: Any, argument: Any) -> list[_Way]:
    if op is sre.LITERAL:
        return [(bytes((argument,)),)]
    if op in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):  # nothing is consumed: what stands beside it is adjacent
        return [()]
    if op is sre.SUBPATTERN and not argument[1] & sre.SRE_FLAG_IGNORECASE:
        return _ways(argument[3])
    if op is sre.BRANCH:
        return [way for branch in argument[1] for way in _ways(branch)]
    if op in REPEATS and argument[0] >= 1:
        return [(*way, *(() if argument[1] == 1 else (None,))) for way in _ways(argument[2])]
    return [(None,)]
