"""Report in, lines out: picks the module that knows the format."""

from __future__ import annotations

from importlib import import_module

from triage.lazy_regex import lazy_regex
from triage.reporting.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from triage.model import Report
    from triage.reporting.outlet import Outlet

_MODULES = {
    "text": "text",
    "concise": "concise",
    "json": "json_format",
    "jsonl": "jsonl",
    "markdown": "markdown",
    "sarif": "sarif",
}
_JSON_FORMATS = frozenset({"json", "jsonl", "sarif"})

FORMATS = tuple(_MODULES)
"""The values of ``--format``."""

# A CI runner reads these off a job's log and obeys: "::add-mask::" at the start of a line, "##[" and "##vso[" anywhere.
_LINE_COMMAND = lazy_regex(r"^(\s*):(?=:)")
_COMMAND = lazy_regex(r"##(?=\[|vso\[)")


def render(
    report: Report,
    fmt: str,
    outlet: Outlet,
    *,
    color: bool = False,
    ascii_only: bool = False,
    width: int | None = None,
    top: int | None = None,
    unexplained: int = 3,
    elapsed: float | None = None,
    fail_on: str = "error",
    gone: frozenset[str] = frozenset({"-"}),
) -> Iterator[str]:
    """The lines of `report` in format `fmt`, each with its line feed. Raises ValueError if `fmt` is not in `FORMATS`.

    `width` is in terminal cells: log text is cut to it; None (a pipe) cuts nothing. `top` caps the diagnoses and
    `unexplained` the error lines that formats for people show. `elapsed` is in seconds; `fail_on` explains the exit status. `gone`: inputs that
    nobody can read again.
    """
    if fmt not in _MODULES:
        raise ValueError(f"unknown format {fmt!r}: choose one of {', '.join(FORMATS)}")
    view = View(color, ascii_only, width, top, unexplained, elapsed, fail_on, gone)
    module = import_module(f"triage.reporting.{_MODULES[fmt]}")
    lines: Callable[[Report, Outlet, View], Iterator[str]] = module.lines
    disarm = _disarm_json if fmt in _JSON_FORMATS else _disarm
    return (f"{disarm(line)}\n" for line in lines(report, outlet, view))


def _disarm(line: str) -> str:
    """The line with nothing in it that a CI runner would obey, still readable."""
    if "::" not in line and "##" not in line:
        return line  # nearly every line
    return _COMMAND.sub(r"#\\x23", _LINE_COMMAND.sub(r"\1\\x3a", line))


def _disarm_json(line: str) -> str:
    """The same value in JSON: only strings can hold a hash sign, and they may escape it."""
    return _COMMAND.sub(r"#\\u0023", line)
