"""``sgltriage explain ID``: the page of one cause."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from triage.cli.exit_codes import ExitCode
from triage.cli.options import kb_option, known_id, load_or_fail


@click.command()
@click.argument("identifier", metavar="ID")
@kb_option
def explain(identifier: str, packs: tuple[Path, ...]) -> int:
    """What a cause is, how it shows, what must not be taken for it, and how it is mended."""
    from triage.reporting.signature_page import signature_page
    from triage.safety.visible import visible

    knowledge = load_or_fail(packs)
    for line in signature_page(knowledge.base.get(known_id(identifier, knowledge))):
        sys.stdout.write(f"{visible(line)}\n")
    return ExitCode.CLEAN
