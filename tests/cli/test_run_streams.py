"""``sgltriage run`` started with standard streams closed, as some supervisors do."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

TOLD = b"sgltriage: standard output is closed: what the server prints there is watched, and goes nowhere else"
SERVER = """
import os, sys
print("from stdout", os.fstat(0).st_mode > 0, flush=True)
print("from stderr", file=sys.stderr, flush=True)
sys.exit(7)
"""


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&-", "<&- >&- 2>&-"])
def test_a_server_runs_without_them(sgltriage: Command, closed: str) -> None:
    """It finds three open streams, is watched and stored as ever, and keeps its status; closed standard output is told once,
    and what it prints to one stream never comes out of another."""
    (sgltriage.folder / "server.py").write_text(SERVER)
    words = f'"{sys.executable}" -m triage run --no-host --log server.log -- "{sys.executable}" server.py {closed}'
    done = subprocess.run(
        ["bash", "-c", words], stdin=subprocess.DEVNULL, capture_output=True, cwd=sgltriage.folder, env=sgltriage.environment,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 7
    stored = (sgltriage.folder / "server.log").read_bytes().splitlines()
    assert sorted(stored) == [b"from stderr", b"from stdout True"]
    assert done.stdout.splitlines() == ([] if ">&-" in closed.split() else [b"from stdout True"])
    told = done.stderr.splitlines()
    assert told.count(TOLD) == (">&-" in closed.split() and "2>&-" not in closed)
    assert told.count(b"from stderr") == ("2>&-" not in closed)
    assert b"from stdout" not in done.stderr
    assert b"could not be written" not in done.stderr


def test_help_and_mistakes_without_standard_output(sgltriage: Command) -> None:
    """Their status is what it always is."""
    for words, status in (("--help", 0), ("--nonsense", 2), ("-- no-such-program", 127)):
        done = subprocess.run(
            ["bash", "-c", f'"{sys.executable}" -m triage run {words} >&-'], capture_output=True, cwd=sgltriage.folder,
            env=sgltriage.environment, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == status
        assert b"Traceback" not in done.stderr
