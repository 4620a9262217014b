"""Looks whose function touches names that others chose: what such a name breaks counts as unreadable, not as our defect."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

from triage.probing.probe import Look


def is_there(path: Path) -> bool:
    """True when something is at ``path``; a place that may not be looked at is none, and does not end the whole look."""
    try:
        return path.exists()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """True for a folder; False also where it may not be looked at."""
    try:
        return path.is_dir()
    except OSError:
        return False


def look(label: str, function: Callable[[], str], timeout_s: float = 5.0) -> Look:
    """A Look; a path that is none (a NUL in it, half a character) ends it as unavailable, with the reason."""

    def careful() -> str:
        try:
            return function()
        except (ValueError, RecursionError) as error:
            raise OSError(errno.EINVAL, f"{type(error).__name__}: {error}"[:200]) from error

    return Look(label, careful, timeout_s)
