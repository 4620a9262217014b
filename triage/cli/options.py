"""Arguments and loading that several verbs share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from triage.cli.argument_types import existing_folder
from triage.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from triage.cli.arguments import ArgumentParser
    from triage.knowledge.compiled import Knowledge


def add_id(parser: ArgumentParser, *, several: bool = False) -> None:
    """``ID``: ``identifier``, a word; or ``[ID]...``: ``identifiers``, a list."""
    if several:
        parser.add_argument("identifiers", metavar="ID", nargs="*", default=[])
    else:
        parser.add_argument("identifier", metavar="ID")


def add_inputs(parser: ArgumentParser) -> None:
    """``[PATH|DIR|-]...``: ``paths``, a list of words."""
    parser.add_argument("paths", metavar="PATH|DIR|-", nargs="*", default=[])


def add_kb(parser: ArgumentParser) -> None:
    """``--kb DIR``: ``packs``, a list of paths."""
    parser.add_argument(
        "--kb",
        dest="packs",
        action="append",
        default=[],
        metavar="DIR",
        type=existing_folder,
        help="A further folder of signatures; may be given more than once.",
    )


def load_or_fail(packs: Sequence[Path]) -> Knowledge:
    """The knowledge.

    Raises:
        CommandError: with the place of what is wrong in a pack.
    """
    from triage.engine import load
    from triage.knowledge.errors import KnowledgeError

    try:
        return load(packs)
    except (KnowledgeError, FileNotFoundError) as error:
        raise CommandError(str(error)) from error


def known_id(identifier: str, knowledge: Knowledge) -> str:
    """``identifier`` if it is a signature's.

    Raises:
        UsageError: it is none; the nearest one is named.
    """
    if identifier not in knowledge.base:
        from triage.knowledge.errors import did_you_mean

        raise UsageError(f"no cause '{identifier}'{did_you_mean(identifier, list(knowledge.base.ids()))}")
    return identifier
