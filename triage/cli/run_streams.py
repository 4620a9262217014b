"""Standard streams that were closed before ``sgltriage run`` began: no reason for a server not to run."""

from __future__ import annotations

import os
import sys

_STDOUT, _STDERR = 1, 2


def fill_closed_streams() -> None:
    """Let those of the descriptors 0 to 2 that are closed lead nowhere: else a pipe of ours takes the place of one, and the
    server's output goes into it. Of standard output that is told.

    Raises:
        OSError: /dev/null cannot be opened.
    """
    while (filler := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(filler, True)
    os.close(filler)
    if sys.stdout is None:
        from triage.cli.diagnostics import tell

        sys.stdout = open(_STDOUT, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  (open to the end of the process)
        tell("standard output is closed: what the server prints there is watched, and goes nowhere else")
