"""``sgltriage watch`` as a process that lives as long as a test."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.processes import on_pipes

if TYPE_CHECKING:
    import subprocess
    from contextlib import AbstractContextManager

    from tests.cli.conftest import Command


def watching(sgltriage: Command, *words: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """The command while it runs, fed by a pipe; ended with the test."""
    argv = [sys.executable, "-m", "triage", "watch", *words]
    return on_pipes(argv, sgltriage.folder, sgltriage.environment)
