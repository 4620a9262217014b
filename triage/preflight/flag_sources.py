"""The options that a release of sglang takes, read from its sources as text: nothing of it is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

_MAX_SOURCE = 4 << 20
_FILES = ("srt/server_args.py", "srt/arg_groups/*.py", "srt/arg_groups/fields/*.py")
_ANNOTATED = frozenset(("A", "Annotated"))


def installed_flags(package: Path) -> frozenset[str]:
    """Every option of the server of an installed or unpacked ``sglang`` (its package folder); empty if it cannot be read."""
    found: set[str] = set()
    for pattern in _FILES:
        for path in sorted(package.glob(pattern)):
            text = _text(path)
            if text is not None:
                found.update(source_flags(text))
    return frozenset(found)


def source_flags(text: str) -> frozenset[str]:
    """The options that a source file declares: literals of ``add_argument``, and dataclass fields with ``A[type, ...]``.

    Empty if the text does not parse (it is of another Python).
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            found.update(_options(node.args))
        elif isinstance(node, ast.ClassDef):
            for statement in node.body:
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                    found.update(_field_options(statement.target.id, statement.annotation))
    return frozenset(found)


def _field_options(name: str, annotation: ast.expr) -> Iterator[str]:
    """The options of a field ``name: A[type, "help"]`` or ``name: A[type, Arg(...)]``; none for any other field."""
    if not (isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name)):
        return
    if annotation.value.id not in _ANNOTATED or not isinstance(annotation.slice, ast.Tuple):
        return
    default = "--" + name.replace("_", "-")
    for item in annotation.slice.elts[1:]:
        if isinstance(item, ast.Constant | ast.JoinedStr):
            yield default
        elif isinstance(item, ast.Call) and isinstance(item.func, ast.Name) and item.func.id == "Arg":
            keywords = {keyword.arg: keyword.value for keyword in item.keywords}
            if _constant(keywords.get("no_cli")) is True:
                return
            renamed = _constant(keywords.get("cli_name"))
            yield renamed if isinstance(renamed, str) else default
            aliases = keywords.get("aliases")
            if isinstance(aliases, ast.List | ast.Tuple):
                yield from _options(aliases.elts)


def _options(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        value = _constant(node)
        if isinstance(value, str) and value.startswith("--"):
            yield value


def _constant(node: ast.expr | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _text(path: Path) -> str | None:
    try:
        if not path.is_file() or path.stat().st_size > _MAX_SOURCE:
            return None
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
