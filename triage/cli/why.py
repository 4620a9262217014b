"""``sgltriage why ID`` and ``why-not ID``: the account of one cause on one log."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from triage.cli.exit_codes import ExitCode
from triage.cli.options import inputs_argument, kb_option, known_id, load_or_fail


@click.command()
@click.argument("identifier", metavar="ID")
@inputs_argument
@kb_option
def why(identifier: str, paths: tuple[str, ...], packs: tuple[Path, ...]) -> int:
    """Every point for and against cause ID on these logs, with its place and its weight."""
    return _account(identifier, paths, packs)


@click.command("why-not")
@click.argument("identifier", metavar="ID")
@inputs_argument
@kb_option
def why_not(identifier: str, paths: tuple[str, ...], packs: tuple[Path, ...]) -> int:
    """Why cause ID is not the answer on these logs: what was not seen, what spoke against it, what accounts for it."""
    return _account(identifier, paths, packs)


def _account(identifier: str, paths: tuple[str, ...], packs: tuple[Path, ...]) -> int:
    from triage.cli.diagnostics import tell
    from triage.cli.reading import read_and_scan
    from triage.reporting.account import account
    from triage.reporting.outlet import Outlet
    from triage.safety.redact import Redactor

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
