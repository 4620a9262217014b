"""Arguments and loading that several verbs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from triage.cli.argument_types import Choice, existing_folder
from triage.cli.errors import CommandError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from triage.cli.arguments import ArgumentParser
    from triage.knowledge.compiled import Knowledge


def add_id(parser: ArgumentParser, *, several: bool = False) -> None:
    """``ID``: ``identifier``, a word; or ``[ID]...``: ``identifiers``, a list."""
    if several:
        parser.add_argument("identifiers", metavar="ID", nargs="*", default=[])
    else:
        parser.add_argument("identifier", metavar="ID")


def add_inputs(parser: ArgumentParser, metavar: str = "PATH|DIR|-") -> None:
    """``[PATH|DIR|-]...``: ``paths``, a list of words."""
    parser.add_argument("paths", metavar=metavar, nargs="*", default=[])


def add_several(
    parser: ArgumentParser, option: str, name: str, metavar: str, text: str, to: Callable[[str], object] = str
) -> None:
    """An option that may be given more than once: ``name``, a list of what ``to`` makes of each word."""
    text = f"{text}; may be given more than once."
    parser.add_argument(option, dest=name, action="append", default=[], metavar=metavar, type=to, help=text)


def add_kb(parser: ArgumentParser) -> None:
    """``--kb DIR``: ``packs``, a list of paths."""
    add_several(parser, "--kb", "packs", "DIR", "A further folder of signatures", existing_folder)


def add_without(parser: ArgumentParser) -> None:
    """``--without ID``: ``without``, a list of words; ``left_out`` makes ids of them."""
    add_several(parser, "--without", "without", "ID", "Leave a signature out")


def add_fail_on(parser: ArgumentParser) -> None:
    """``--fail-on LEVEL``: ``fail_on``, a word of ``FAIL_ON``."""
    from triage.reporting.exit_status import FAIL_ON

    parser.add_argument("--fail-on", type=Choice(*FAIL_ON), default="error", help="Least severity for exit status 1.")


def add_color(parser: ArgumentParser, what: str = "text") -> None:
    """``--color WHEN``: ``color``, a word that ``wants_color`` takes."""
    parser.add_argument(
        "--color", type=Choice("auto", "always", "never"), default="auto", help=f"When to colour the {what}."
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


def left_out(names: Sequence[str], knowledge: Knowledge) -> frozenset[str]:
    """The signatures of ``--without``.

    Raises:
        UsageError: one is none; the nearest one is named.
    """
    return frozenset(known_id(name, knowledge) for name in names)
