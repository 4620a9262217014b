"""What a traceback can show of a source file: the line of each frame, and the line of code below it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from triage.sources.templates import parse_source

_FUNCTION = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)", re.MULTILINE)


def frame_lines(source_text: str, path: str) -> Iterator[str]:
    """``File ".../PATH", line 1, in FUNCTION`` for each function of the file and for its top level.

    The folder in front of ``path`` and the number are made up. Functions are found by their ``def``, without parsing.
    """
    for name in dict.fromkeys(("<module>", *_FUNCTION.findall(source_text))):
        yield f'  File "/usr/lib/python3/site-packages/{path}", line 1, in {name}'


def code_line_numbers(source_text: str) -> frozenset[int]:
    """The 1-based numbers of the lines that hold code: not those of comments, docstrings, or inside of a long string.

    Raises:
        ValueError: the source is not Python as this interpreter reads it.
    """
    return frozenset(
        node.lineno
        for node in ast.walk(parse_source(source_text))
        if isinstance(node, (ast.stmt, ast.expr, ast.keyword)) and not _is_text(node)
    )


def _is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return _is_text(node.value)
    return isinstance(node, (ast.Constant, ast.JoinedStr, ast.FormattedValue))
