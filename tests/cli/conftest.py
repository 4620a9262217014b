"""The command as users run it: a real process in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixing.warm_command import WarmCommand
from tests.terminal import Terminal
from triage.knowledge.compiled import Knowledge

ROOT = Path(__file__).parents[2]


class Command:
    """``sgltriage`` as a process of its own, in a folder and a home that nobody else uses."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), "XDG_CACHE_HOME": str(cache),
            "XDG_STATE_HOME": str(folder / "state"), "LC_ALL": "C.UTF-8",
            # Compiled once a session, and not into the checkout.
            "PYTHONPYCACHEPREFIX": str(cache / "bytecode"),
        }  # fmt: skip

    def __call__(
        self, *arguments: str | bytes | Path, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end."""
        return subprocess.run(
            [sys.executable, "-m", "triage", *arguments], input=stdin, capture_output=True, cwd=self.folder,
            env=self.environment | (env or {}), timeout=120, check=False,
        )  # fmt: skip


@pytest.fixture
def sgltriage(tmp_path: Path, cache: Path, knowledge: Knowledge) -> Command:
    """The command in a fresh folder. The knowledge is compiled by then: by one worker, and not by each at the same time."""
    return Command(tmp_path, cache)


Sit = Callable[..., Terminal]


@pytest.fixture
def sit(sgltriage: Command) -> Iterator[Sit]:
    """``sit(*argv, columns=80, stdin=None, VARIABLE="value")``: sit down before a terminal on which a command runs."""
    with contextlib.ExitStack() as opened:

        def start(*argv: str | Path, columns: int = 80, stdin: int | None = None, **variables: str) -> Terminal:
            environment = sgltriage.environment | {"TERM": "xterm-256color"} | variables
            found = Terminal(argv, sgltriage.folder, environment, columns=columns, stdin=stdin)
            return opened.enter_context(contextlib.closing(found))

        yield start


class WarmSgltriage(Command):
    """The same without the start of Python: for tests of what it does, not of how it starts."""

    def __init__(self, folder: Path, cache: Path, command: WarmCommand) -> None:
        super().__init__(folder, cache)
        self._command = command

    def __call__(
        self, *arguments: str | bytes | Path, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end."""
        words = [os.fsdecode(word) for word in arguments]
        return self._command.run(words, self.folder, self.environment | (env or {}), stdin=stdin)


@pytest.fixture(scope="session")
def warm_command(cache: Path) -> Iterator[WarmCommand]:
    """The command, ready for many calls."""
    with contextlib.closing(WarmCommand(cache)) as found:
        yield found


@pytest.fixture
def warm_sgltriage(tmp_path: Path, cache: Path, warm_command: WarmCommand) -> Command:
    """The warm command in a fresh folder."""
    return WarmSgltriage(tmp_path, cache, warm_command)
