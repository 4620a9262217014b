"""``sgltriage kb show ID``: the file of a signature."""

from __future__ import annotations

from pathlib import Path

from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.exit_codes import ExitCode
from triage.cli.kb.say import say
from triage.cli.options import add_id, add_kb, known_id, load_or_fail


def add_arguments(parser: ArgumentParser) -> None:
    """``ID`` and ``--kb``."""
    parser.description = "A signature's file as it stands."
    add_id(parser)
    add_kb(parser)


def run(arguments: Namespace) -> int:
    """Print the file."""
    identifier: str = arguments.identifier
    packs: list[Path] = arguments.packs
    knowledge = load_or_fail(packs)
    path = knowledge.base.get(known_id(identifier, knowledge)).location.path
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        say(line)
    return ExitCode.CLEAN
