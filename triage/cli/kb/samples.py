"""``sgltriage kb test``: every example and near miss against all signatures."""

from __future__ import annotations

from pathlib import Path

from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.exit_codes import ExitCode
from triage.cli.kb.say import say
from triage.cli.options import add_id, add_kb, known_id, load_or_fail
from triage.reporting.words import count


def add_arguments(parser: ArgumentParser) -> None:
    """``[ID]...``, ``--kb`` and whether the table is printed."""
    parser.description = """
        Run every example and near miss (of ID, or of all) against all signatures.

        An example must put its owner first; a near miss must not produce it.
    """
    add_id(parser, several=True)
    add_kb(parser)
    add = parser.add_argument
    add(
        "--table",
        action="store_true",
        default=True,
        help="Print the table of who speaks up on whose examples (default).",
    )
    add("--no-table", dest="table", action="store_false", help="Leave that table out.")


def run(arguments: Namespace) -> int:
    """Print the table, what failed, and how much was run."""
    from triage.engine import scan_text
    from triage.knowledge.self_test import matrix, self_test

    identifiers: list[str] = arguments.identifiers
    packs: list[Path] = arguments.packs
    table: bool = arguments.table
    knowledge = load_or_fail(packs)
    for identifier in identifiers:
        known_id(identifier, knowledge)
    result = self_test(knowledge.base, lambda text: scan_text(text, knowledge), identifiers)
    if table:
        say("rows: whose examples; columns: the same causes in the same order; tenths of confidence, . = silent")
        for line in matrix(result, knowledge.base.ids()):
            say(line)
    for failure in result.failures:
        say(f"FAILED {failure}")
    run_through = f"{count(result.examples, 'example')}, {count(result.near_misses, 'near miss')}"
    say(f"{run_through}, {len(result.failures):,} failed")
    return ExitCode.FINDINGS if result.failures else ExitCode.CLEAN
