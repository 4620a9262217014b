"""Looks whose function touches names that others chose: what such a name breaks counts as unreadable, not as our defect."""

from __future__ import annotations

import errno
from collections.abc import Callable

from triage.probing.probe import Look


def look(label: str, function: Callable[[], str], timeout_s: float = 5.0) -> Look:
    """A Look; a path that is none (a NUL in it, half a character) ends it as unavailable, with the reason."""

    def careful() -> str:
        try:
            return function()
        except (ValueError, RecursionError) as error:
            raise OSError(errno.EINVAL, f"{type(error).__name__}: {error}"[:200]) from error

    return Look(label, careful, timeout_s)
