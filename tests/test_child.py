"""A child process within a time and a size, that is given something to read."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from triage.child import run_child

PYTHON = sys.executable


def test_reads_and_prints_at_the_same_time() -> None:
    """Neither waits for the other, however much it is."""
    words = bytes(range(256)) * 4096
    echo = "import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer, 1000)"
    printed = run_child([PYTHON, "-c", echo], os.environ, 30.0, 1 << 21, stdin=words)
    assert printed.exit_code == 0
    assert printed.output == words


@pytest.mark.parametrize("tail", [False, True])
def test_what_is_kept(tail: bool) -> None:
    """The first or the last bytes."""
    script = "print('first'); print('x' * 1000000); print('last')"
    printed = run_child([PYTHON, "-c", script], os.environ, 30.0, 6, tail=tail)
    assert printed.output == (b"\nlast\n" if tail else b"first\n")


def test_its_folder(tmp_path: Path) -> None:
    """Where it is started."""
    printed = run_child([PYTHON, "-c", "import os; print(os.getcwd())"], os.environ, 30.0, 1000, cwd=str(tmp_path))
    assert printed.output.decode().strip() == str(tmp_path)


def test_one_that_reads_too_slowly() -> None:
    """Is ended when its time is over, with what it printed."""
    began = time.monotonic()
    script = "import time; print('here', flush=True); time.sleep(600)"
    printed = run_child([PYTHON, "-c", script], os.environ, 1.0, 1000, stdin=b"x" * 1_000_000)
    assert (printed.output, printed.exit_code) == (b"here\n", None)
    assert time.monotonic() - began < 4


def test_output_that_somebody_holds_open() -> None:
    """Is waited for no longer than the time there is, and who holds it is ended."""
    script = f"import subprocess; subprocess.Popen([{PYTHON!r}, '-c', 'import time; time.sleep(600)']); print('over')"
    printed = run_child([PYTHON, "-c", script], os.environ, 1.5, 1000)
    assert (printed.output, printed.exit_code) == (b"over\n", None)


def test_one_that_is_not_there() -> None:
    """Is told as the system tells it, and leaves nothing open."""
    before = open_files()
    with pytest.raises(FileNotFoundError):
        run_child(["/no/such/program"], os.environ, 1.0, 1000, stdin=b"x")
    assert open_files() == before


def open_files() -> int:
    """How many descriptors this process has; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return sum(1 for _ in folder.iterdir()) if folder.exists() else 0
