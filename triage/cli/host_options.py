"""Options of the verbs that look at a host, or at a recorded one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from triage.probing.snapshot import Snapshot

_Function = TypeVar("_Function", bound=Callable[..., Any])


def python_option(function: _Function) -> _Function:
    """``--python PATH``"""
    return click.option(
        "--python",
        type=click.Path(exists=True, path_type=Path),
        metavar="PATH",
        help="The interpreter or environment that runs the server. Default: the active one.",
    )(function)


def pid_option(function: _Function) -> _Function:
    """``--pid PID``"""
    return click.option("--pid", type=click.IntRange(1), metavar="PID", help="A running server to look at.")(function)


def load_snapshot(path: Path) -> Snapshot:
    """The snapshot in a file, or a one-line error (exit 2)."""
    from triage.probing.snapshot import from_json

    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise click.ClickException(f"{path}: {reason}") from error
