"""``sgltriage kb list``: the signatures, a line each."""

from __future__ import annotations

from pathlib import Path

from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.exit_codes import ExitCode
from triage.cli.kb.say import say
from triage.cli.options import add_kb, load_or_fail


def add_arguments(parser: ArgumentParser) -> None:
    """``--kb`` and ``--area``."""
    parser.description = "Every signature: id, severity, role, title."
    add_kb(parser)
    parser.add_argument("--area", metavar="AREA", help="Only this area.")


def run(arguments: Namespace) -> int:
    """Print the list."""
    packs: list[Path] = arguments.packs
    area: str | None = arguments.area
    base = load_or_fail(packs).base
    width = max((len(name) for name in base.ids()), default=0)
    for signature in base:
        if area in (None, signature.area):
            say(f"{signature.id:<{width}}  {signature.severity.value:<7}  {signature.role.value:<7}  {signature.title}")
    return ExitCode.CLEAN
