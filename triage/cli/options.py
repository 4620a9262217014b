"""Options and loading that several verbs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from triage.knowledge.compiled import Knowledge

_Function = TypeVar("_Function", bound=Callable[..., Any])


def kb_option(function: _Function) -> _Function:
    """``--kb DIR``: further rule packs."""
    return click.option(
        "--kb",
        "packs",
        multiple=True,
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="A further folder of signatures; may be given more than once.",
    )(function)


def inputs_argument(function: _Function) -> _Function:
    """``[PATH|DIR|-]...``"""
    return click.argument("paths", nargs=-1, metavar="[PATH|DIR|-]...", type=click.Path(allow_dash=True))(function)


def load_or_fail(packs: Sequence[Path]) -> Knowledge:
    """The knowledge, or a one-line error with its place (exit 2)."""
    from triage.engine import load
    from triage.knowledge.errors import KnowledgeError

    try:
        return load(packs)
    except (KnowledgeError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error


def known_id(identifier: str, knowledge: Knowledge) -> str:
    """``identifier`` if it is a signature's, else a usage error that names the nearest one."""
    if identifier not in knowledge.base:
        from triage.knowledge.errors import did_you_mean

        raise click.UsageError(f"no cause '{identifier}'{did_you_mean(identifier, list(knowledge.base.ids()))}")
    return identifier
