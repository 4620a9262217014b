"""The standard library's own parse of a regex: the one place that touches its unpublished modules."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from triage.knowledge.regex_dialect import standard_form
from triage.records import dataclass

if sys.version_info >= (3, 11):
    from re import _constants as _sre
    from re import _parser
else:  # the same modules, under the names they had before 3.11
    import sre_constants as _sre
    import sre_parse as _parser

sre: Any = _sre
"""The opcodes (LITERAL, MAX_REPEAT, ...) that stand first in each item."""

REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT)
"""All opcodes of repeats that a tree holds; their argument is (lowest count, highest count, items)."""

Item = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed regex: its top-level items as (opcode, argument). Codes of literals are bytes: what is not ASCII is several."""

    items: list[Item]
    ignores_case: bool


@lru_cache(maxsize=8192)
def parse(source: str) -> Tree:
    """Parse ``source`` as a regex over UTF-8 bytes, as confirmation and the automaton run it.

    Raises:
        ValueError: it is not of the dialect (see regex_dialect), or uses syntax that the standard library does not know.
    """
    parser: Any = _parser
    form = standard_form(source).encode("utf-8", "surrogatepass")
    try:
        with warnings.catch_warnings():
            # The parser warns of what a coming Python may read otherwise: not for users' eyes, and not to be relied on.
            warnings.simplefilter("error")
            tree = parser.parse(form)
    except (re.error, RecursionError, OverflowError, Warning) as error:
        raise ValueError(str(error)) from error
    return Tree(list(tree), bool(tree.state.flags & sre.SRE_FLAG_IGNORECASE))


def inner(op: Any, argument: Any) -> Iterator[list[Item]]:
    """The sequences of items directly inside an item."""
    if op in REPEATS:
        yield list(argument[2])
    elif op is sre.SUBPATTERN:
        yield list(argument[3])
    elif op is sre.BRANCH:
        yield from (list(branch) for branch in argument[1])
    elif op in (sre.ASSERT, sre.ASSERT_NOT):
        yield list(argument[1])
    elif op is sre.GROUPREF_EXISTS:
        yield from (list(branch) for branch in argument[1:] if branch is not None)
