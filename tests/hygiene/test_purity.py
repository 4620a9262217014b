"""Matching and reasoning are pure: read from their syntax trees, not from good will."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "triage"
MODULES = sorted((*PACKAGE.glob("matching/*.py"), *PACKAGE.glob("reasoning/*.py")))

CALLS = frozenset(("open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"))
IMPORTS = frozenset(("subprocess", "time", "socket", "random", "sys", "logging", "tempfile", "shutil", "pathlib"))
METHODS = frozenset(
    (
        "environ",
        "getenv",
        "now",
        "utcnow",
        "today",
        "read_text",
        "read_bytes",
        "write_text",
        "write_bytes",
        "open",
        "popen",
        "system",
    )
)


def impurities(source: str) -> list[str]:
    """What a module calls, imports or names that reaches outside, as ``line: name``."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            names.append(node.func.id)
        elif isinstance(node, ast.Import):
            names += [item.name for item in node.names if item.name.partition(".")[0] in IMPORTS]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in IMPORTS:
            names.append(node.module or "")
        elif isinstance(node, ast.Attribute) and node.attr in METHODS:
            names.append(node.attr)
        found += [f"{getattr(node, 'lineno', 0)}: {name}" for name in names]
    return found


def test_the_walk_finds_them() -> None:
    """The check itself sees every form that it forbids."""
    for source in (
        "open('x')",
        "print(1)",
        "import subprocess",
        "import os; os.system('ls')",
        "from time import monotonic",
        "import os as o; o.environ['HOME']",
        "datetime.now()",
        "path.read_text()",
    ):
        assert impurities(source), source
    assert impurities("from datetime import datetime\nopened = {'open': len}") == []


def test_there_are_modules() -> None:
    """Both folders are looked at."""
    assert {path.parent.name for path in MODULES} == {"matching", "reasoning"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_module_is_pure(path: Path) -> None:
    """No file, process, output, clock or environment."""
    assert impurities(path.read_text(encoding="utf-8")) == []
