"""A terminal with somebody before it, for servers that are started on one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.terminal import Terminal

ROOT = Path(__file__).parents[2]


@pytest.fixture(name="terminal")
def terminal_fixture() -> Iterator[Callable[..., Terminal]]:
    """Sit down before a terminal on which an argv runs."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with ExitStack() as opened:

        def sit(argv: list[str], **streams: int) -> Terminal:
            return opened.enter_context(closing(Terminal(argv, ROOT, environment, columns=97, lines=31, **streams)))

        yield sit


@pytest.fixture(name="runner")
def runner_fixture() -> list[str]:
    """The argv of a small program that runs its arguments as a server and exits as it did, without any analysis."""
    return [sys.executable, "-c", _RUNNER]


_RUNNER = """
import sys
from triage.running.command import CannotRun
from triage.running.session import RunningServer
try:
    server = RunningServer(sys.argv[1:], use_terminal=sys.stdout.isatty())
except CannotRun as refused:
    print(refused, file=sys.stderr)
    sys.exit(refused.status)
with server:
    death = server.wait()
sys.exit(3 if death is None else death.shell_status)
"""
