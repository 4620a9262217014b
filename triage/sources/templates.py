"""Python source -> every message that it can print. The source is parsed as data and never imported or run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from triage.records import dataclass, field
from triage.sources.message import MessageKind, MessageTemplate, Parts
from triage.sources.text_parts import later_fields, percent_fields, read_text

MAX_SOURCE = 8 << 20
"""Characters of source that are parsed at most; the parser needs some hundred bytes of memory for each."""
MAX_TEXT = 20_000
"""Constant characters of a template; a longer one is a document and no message."""
MIN_STRING = 6
"""A mere string needs as many letters to count: shorter ones are keys and names."""

_LOG_CALLS = frozenset(("debug", "info", "warning", "warn", "error", "critical", "exception", "fatal", "log"))
_LOG_NAME = re.compile(r"(?:^|_)(?:log|logger|warn|warning)(?:_|$)|_(?:once|on_rank_?0)$", re.IGNORECASE)
_PRINT_NAME = re.compile(r"(?:^|_)print(?:_|$)", re.IGNORECASE)
_EXCEPTION_NAME = re.compile(r"[A-Z]\w*(?:Error|Exception)")
_TEXTS = (ast.BinOp, ast.Call, ast.Constant, ast.JoinedStr)
# Names, operators and their like hold no text and are half of all that a tree holds.
_LEAVES: frozenset[type] = frozenset(
    (str, type(None), ast.Name, ast.Pass, ast.Load, ast.Store, ast.Del, ast.Import, ast.ImportFrom, ast.alias)
).union(*(base.__subclasses__() for base in (ast.operator, ast.cmpop, ast.boolop, ast.unaryop)))


def message_templates(source_text: str, path: str) -> tuple[MessageTemplate, ...]:
    """Every message of the source, in the order of the file: raised, asserted, logged, printed, and other strings.

    Constant strings are joined as Python joins them; f-strings, ``%``, ``format`` and ``+`` leave holes. Texts that are
    never printed (docstrings, comments) are left out. A text that is neither raised, logged nor printed where it stands is
    a ``string``. ``path`` is only passed on.

    Raises:
        ValueError: the source is not Python as this interpreter reads it, or is longer than MAX_SOURCE.
    """
    walk = _Walk(path)
    try:
        walk.run(parse_source(source_text))
    except RecursionError as error:
        raise ValueError("expressions are nested too deeply") from error
    walk.found.sort(key=lambda item: item[:2])
    return tuple(template for _, _, template in walk.found)


def parse_source(source_text: str) -> ast.Module:
    """The syntax tree of a Python source that nobody vouches for.

    Raises:
        ValueError: it is not Python as this interpreter reads it, or is longer than MAX_SOURCE.
    """
    if len(source_text) > MAX_SOURCE:
        raise ValueError(f"longer than {MAX_SOURCE} characters")
    try:
        with warnings.catch_warnings():
            # What the parser thinks of somebody else's escapes is no concern of our user.
            warnings.simplefilter("ignore")
            return ast.parse(source_text.removeprefix("\ufeff"))
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"not parsed: {error}") from error


class _Where(NamedTuple):
    """What is known of a node from the nodes around it."""

    function: str = "<module>"
    kind: MessageKind = MessageKind.STRING
    printer: str = ""
    fields: bool = False


_Stack = list[tuple[ast.AST, _Where]]


@dataclass(slots=True)
class _Walk:
    """A walk over a tree with a stack of its own, since sources are as deep as they like."""

    path: str
    found: list[tuple[int, int, MessageTemplate]] = field(default_factory=list)

    def run(self, tree: ast.Module) -> None:
        stack: _Stack = [(tree, _Where())]
        while stack:
            node, where = stack.pop()
            handle = _HANDLERS.get(node.__class__)
            if handle is None:
                _push_children(node, where, stack)
            elif not (isinstance(node, _TEXTS) and self._text(node, where, stack)):
                handle(node, where, stack)

    def _text(self, node: ast.expr, where: _Where, stack: _Stack) -> bool:
        """Keep the text that the node makes, and look into its holes; False if it makes none."""
        values: list[ast.expr] = []
        parts = read_text(node, values)
        if parts is None:
            return False
        self._keep(parts, node, where)
        stack.extend((value, _Where(where.function)) for value in values)
        return True

    def _keep(self, parts: Parts, node: ast.expr, where: _Where) -> None:
        if where.kind is MessageKind.STRING:
            parts = later_fields(parts)
        elif where.fields:
            parts = percent_fields(parts)
        constant = "".join(part for part in parts if part is not None)
        least = MIN_STRING if where.kind is MessageKind.STRING else 1
        if len(constant) <= MAX_TEXT and sum(map(str.isalpha, constant)) >= least:
            found = MessageTemplate(where.kind, parts, self.path, node.lineno, where.function, where.printer)
            self.found.append((node.lineno, node.col_offset, found))


def _push_children(node: ast.AST, where: _Where, stack: _Stack) -> None:
    for name in node._fields:
        value = getattr(node, name, None)
        if value.__class__ is list:
            stack.extend([(item, where) for item in value if item.__class__ not in _LEAVES])
        elif isinstance(value, ast.AST) and value.__class__ not in _LEAVES:
            stack.append((value, where))


def _function(node: Any, _: _Where, stack: _Stack) -> None:
    _push_children(node, _Where(node.name), stack)


def _statement(node: Any, where: _Where, stack: _Stack) -> None:
    if not isinstance(node.value, ast.Constant):  # a bare string is a docstring
        stack.append((node.value, where))


def _raise(node: Any, where: _Where, stack: _Stack) -> None:
    plain = _Where(where.function)
    if isinstance(node.exc, ast.Call):
        around = _Where(where.function, MessageKind.RAISE, _last_name(node.exc.func))
        stack.append((node.exc.func, plain))
        stack.extend((item, around) for item in (*node.exc.args, *node.exc.keywords))
    elif node.exc is not None:
        stack.append((node.exc, plain))
    if node.cause is not None:
        stack.append((node.cause, plain))


def _assert(node: Any, where: _Where, stack: _Stack) -> None:
    stack.append((node.test, _Where(where.function)))
    if node.msg is not None:
        stack.append((node.msg, _Where(where.function, MessageKind.ASSERT, "AssertionError")))


def _call(node: Any, where: _Where, stack: _Stack) -> None:
    """The arguments of a call are a message by the call's name, or else what the call itself is part of."""
    name = _last_name(node.func)
    if _PRINT_NAME.search(name):
        around = _Where(where.function, MessageKind.PRINT, name)
    elif _LOG_NAME.search(name) or (name in _LOG_CALLS and isinstance(node.func, ast.Attribute)):
        around = _Where(where.function, MessageKind.LOG, name, len(node.args) > 1)
    elif _EXCEPTION_NAME.fullmatch(name):
        around = _Where(where.function, MessageKind.RAISE, name)
    else:
        around = where
    if node.func.__class__ not in _LEAVES:
        stack.append((node.func, _Where(where.function)))
    stack.extend([(item, around) for item in node.args if item.__class__ not in _LEAVES])
    stack.extend([(item.value, around) for item in node.keywords if item.value.__class__ not in _LEAVES])


def _last_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


_HANDLERS: dict[type[ast.AST], Callable[[Any, _Where, _Stack], None]] = {
    ast.Assert: _assert,
    ast.AsyncFunctionDef: _function,
    ast.BinOp: _push_children,
    ast.Call: _call,
    ast.Constant: _push_children,
    ast.Expr: _statement,
    ast.FunctionDef: _function,
    ast.JoinedStr: _push_children,
    ast.Raise: _raise,
}
