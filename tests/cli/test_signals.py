"""Interrupted: what was read so far is reported, and the status says how it ended."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

ROOT = Path(__file__).parents[2]
LOGS = ROOT / "fixtures" / "logs"


CRASH = (LOGS / "libcudnn-import/server.log").read_bytes()


def _reading(sgltriage: Command, *arguments: str) -> subprocess.Popen[bytes]:
    """A scan of a pipe that has had the crash's lines and waits for more."""
    sgltriage("scan", stdin=b"a\n")  # the knowledge is compiled by now
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", "scan", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=sgltriage.folder, env=sgltriage.environment, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(CRASH)
    process.stdin.flush()
    # The pipe is empty once the process has taken the lines: only then is it known to be reading.
    _wait_until_read(process)
    return process


def _wait_until_read(process: subprocess.Popen[bytes]) -> None:
    import fcntl
    import struct
    import termios

    assert process.stdin is not None
    for _ in range(600):
        (left,) = struct.unpack("i", fcntl.ioctl(process.stdin.fileno(), termios.FIONREAD, b"\0" * 4))
        if not left:
            time.sleep(0.3)
            return
        time.sleep(0.05)
    pytest.fail("the lines were never read")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_partial_report(sgltriage: Command, number: signal.Signals) -> None:
    """The first signal ends the reading: the report of what was read comes, with status 130."""
    process = _reading(sgltriage)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"libcudnn-missing" in out
    assert err == b""


@pytest.mark.parametrize("fmt", ["json", "jsonl", "concise"])
def test_a_partial_report_is_whole(sgltriage: Command, fmt: str) -> None:
    """An interrupted report is a valid one, and its input is marked as cut short."""
    process = _reading(sgltriage, "--format", fmt)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    if fmt == "json":
        import json

        assert json.loads(out)["inputs"][0]["truncated"] is True
    assert b"libcudnn-missing" in out


def test_two_signals(sgltriage: Command) -> None:
    """The second signal ends the process at once if it has not ended by itself, and there is never a traceback."""
    process = _reading(sgltriage)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode in (130, -signal.SIGINT)
    assert b"Traceback" not in err


def test_why_is_interrupted_too(sgltriage: Command) -> None:
    """The account of what was read, and status 130."""
    sgltriage("scan", stdin=b"a\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", "why", "libcudnn-missing"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=sgltriage.folder, env=sgltriage.environment, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(CRASH)
    process.stdin.flush()
    _wait_until_read(process)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"decisive" in out


@pytest.mark.parametrize("wait_s", [0.0, 0.05, 0.1, 0.2])
def test_a_signal_while_starting(sgltriage: Command, wait_s: float) -> None:
    """Interrupted before the reading began: no traceback, whatever was being imported."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; from triage.cli.main import run; print('up', flush=True); sys.argv = ['sgltriage', 'scan']; run()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=sgltriage.folder, env=sgltriage.environment,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.01 + wait_s)  # the imports of main itself, done by now, are Python's to interrupt
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode in (130, -signal.SIGINT)
    assert b"Traceback" not in err


def test_the_end_of_a_pipe_is_no_interruption(sgltriage: Command) -> None:
    """A writer that goes ends the log: a whole report and the usual status."""
    process = _reading(sgltriage)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert b"libcudnn-missing" in out
