"""The standard library's own parse of a regex: the one place that touches its unpublished modules."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

if sys.version_info >= (3, 11):
    from re import _constants as _sre
    from re import _parser
else:  # the same modules, under the names they had before 3.11
    import sre_constants as _sre
    import sre_parse as _parser

sre: Any = _sre
"""The opcodes (LITERAL, MAX_REPEAT, ...) that stand first in each item."""

Item = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed regex: its top-level items as (opcode, argument)."""

    items: list[Item]
    ignores_case: bool


def parse(source: str) -> Tree:
    """Parse ``source``.

    Raises:
        ValueError: it uses syntax that the standard library does not know, or is nested too deeply.
    """
    parser: Any = _parser
    try:
        tree = parser.parse(source)
    except (sre.error, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from error
    return Tree(list(tree), bool(tree.state.flags & sre.SRE_FLAG_IGNORECASE))
