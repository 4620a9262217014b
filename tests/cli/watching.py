"""``sgltriage watch`` as a process that lives as long as a test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Command


@contextmanager
def watching(sgltriage: Command, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command while it runs, fed by a pipe; ended with the test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", "watch", *words], cwd=sgltriage.folder, env=sgltriage.environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
