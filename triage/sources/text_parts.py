"""Expressions that make a text, read into constant parts and holes: concatenation, f-strings, ``%`` and ``format``."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from string import Formatter

from triage.sources.message import Parts, joined

_PERCENT = re.compile(r"%(?:\(\w*\))?[-#0 +]*(?:\d+|\*)?(?:\.(?:\d+|\*))?[hlL]?([diouxXeEfFgGcrsa%])")
# What a text that is formatted elsewhere looks like; stricter, since "100% of" and "{...}" may also be meant as they stand.
_LATER = re.compile(r"%(?:\(\w+\))?(?:\.\d+)?[sdrif](?![a-z])|\{(?:[A-Za-z_]\w*)?(?:\.\w+)*(?:![rsa])?(?::[^{}\s]*)?\}")
_KEEPS_TEXT = frozenset(("strip", "lstrip", "rstrip"))
_Split = Callable[[str], Iterable[str | None]]


def read_text(node: ast.expr, values: list[ast.expr]) -> Parts | None:
    """The text that ``node`` makes, or None if it makes none; the expressions in its holes are added to ``values``."""
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return joined(part for value in node.values for part in _f_string_part(value, values))
    if isinstance(node, ast.BinOp):
        return _operation(node, values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _method(node, node.func, values)
    return None


def percent_fields(parts: Parts) -> Parts:
    """``parts`` with the fields of ``%`` formatting turned into holes."""
    return _with_holes(parts, lambda text: _split(text, _PERCENT))


def later_fields(parts: Parts) -> Parts:
    """``parts`` with everything turned into holes that looks like a field of ``%`` or ``format``: it may be filled in elsewhere."""
    return _with_holes(parts, lambda text: _split(text, _LATER))


def _f_string_part(value: ast.expr, values: list[ast.expr]) -> Parts:
    if not isinstance(value, ast.FormattedValue):
        return read_text(value, values) or ()
    if isinstance(value.value, ast.Constant) and isinstance(value.value.value, str) and value.format_spec is None:
        return (value.value.value,)
    values.append(value.value)
    return (None,)


def _operation(node: ast.BinOp, values: list[ast.expr]) -> Parts | None:
    if isinstance(node.op, ast.Add):
        inside: list[ast.expr] = []
        sides = [(side, read_text(side, inside)) for side in (node.left, node.right)]
        if all(parts is None for _, parts in sides):
            return None
        values += inside
        values += [side for side, parts in sides if parts is None]
        return joined(part for _, parts in sides for part in ((None,) if parts is None else parts))
    if isinstance(node.op, ast.Mod):
        left = read_text(node.left, values)
        if left is not None:
            values.append(node.right)
            return percent_fields(left)
    return None


def _method(node: ast.Call, function: ast.Attribute, values: list[ast.expr]) -> Parts | None:
    name = function.attr
    if name not in _KEEPS_TEXT and name not in ("format", "join"):
        return None
    inside: list[ast.expr] = []
    text = read_text(function.value, inside)
    if text is None:
        return None
    values += inside
    if name == "join":
        return _join(text, node.args, values)
    values += [*node.args, *(keyword.value for keyword in node.keywords)]
    return _with_holes(text, _format_fields) if name == "format" else text


def _join(separator: Parts, arguments: list[ast.expr], values: list[ast.expr]) -> Parts:
    if len(arguments) != 1 or not isinstance(arguments[0], (ast.List, ast.Tuple)):
        values += arguments
        return (None,)
    found: list[str | None] = []
    for index, item in enumerate(arguments[0].elts):
        parts = read_text(item, values)
        if parts is None:
            values.append(item)
            parts = (None,)
        found += [*(separator if index else ()), *parts]
    return joined(found)


def _with_holes(parts: Parts, split: _Split) -> Parts:
    return joined(piece for part in parts for piece in ((None,) if part is None else split(part)))


def _split(text: str, field: re.Pattern[str]) -> Iterable[str | None]:
    end = 0
    for match in field.finditer(text):
        yield text[end : match.start()]
        yield "%" if match.group() == "%%" else None
        end = match.end()
    yield text[end:]


def _format_fields(text: str) -> Iterable[str | None]:
    try:
        fields = list(Formatter().parse(text))
    except ValueError:  # single braces: the call would fail, so the text is no message of this form
        return (text,)
    return [piece for literal, name, _, _ in fields for piece in (literal, *(() if name is None else (None,)))]
