"""The account of one cause on one log: what ``why`` and ``why-not`` have in common."""

from __future__ import annotations

import sys
from pathlib import Path

from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.exit_codes import ExitCode
from triage.cli.options import add_id, add_inputs, add_kb, known_id, load_or_fail


def add_account_arguments(parser: ArgumentParser) -> None:
    """``ID``, inputs and ``--kb``."""
    add_id(parser)
    add_inputs(parser)
    add_kb(parser)


def print_account(arguments: Namespace) -> int:
    """Scan the inputs and print what speaks for and against the cause."""
    from triage.cli.diagnostics import tell
    from triage.cli.reading import read_and_scan
    from triage.reporting.account import account
    from triage.reporting.outlet import Outlet
    from triage.safety.redact import Redactor

    identifier: str = arguments.identifier
    paths: list[str] = arguments.paths
    packs: list[Path] = arguments.packs
    knowledge = load_or_fail(packs)
    signature = knowledge.base.get(known_id(identifier, knowledge))
    result = read_and_scan(paths, knowledge)
    for error in result.unreadable:
        tell(str(error))
    if not result.report.observation.inputs:
        return ExitCode.USAGE
    for line in account(signature, result.report, Outlet(Redactor())):
        sys.stdout.write(f"{line}\n")
    return ExitCode.INTERRUPTED if result.interrupted else ExitCode.CLEAN
