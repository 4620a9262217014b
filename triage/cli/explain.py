"""``sgltriage explain ID``: the page of one cause."""

from __future__ import annotations

import sys
from pathlib import Path

from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.exit_codes import ExitCode
from triage.cli.options import add_id, add_kb, known_id, load_or_fail


def add_arguments(parser: ArgumentParser) -> None:
    """``ID`` and ``--kb``."""
    parser.description = "What a cause is, how it shows, what must not be taken for it, and how it is mended."
    add_id(parser)
    add_kb(parser)


def run(arguments: Namespace) -> int:
    """Print the page."""
    from triage.reporting.signature_page import signature_page
    from triage.safety.visible import visible

    identifier: str = arguments.identifier
    packs: list[Path] = arguments.packs
    knowledge = load_or_fail(packs)
    for line in signature_page(knowledge.base.get(known_id(identifier, knowledge))):
        sys.stdout.write(f"{visible(line)}\n")
    return ExitCode.CLEAN
