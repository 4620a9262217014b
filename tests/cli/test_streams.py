"""stdout, stderr, terminals and pipes: the result goes out whole, or the failure is told once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Sit
    from tests.terminal import Terminal

ROOT = Path(__file__).parents[2]
LOGS = ROOT / "fixtures" / "logs"
SCAN = (sys.executable, "-m", "triage", "scan")
CRASH = LOGS / "libcudnn-import/server.log"
FORMATS = ("text", "concise", "json", "jsonl", "markdown", "sarif")


def _sent(terminal: Terminal) -> bytes:
    """What was sent to a terminal, with the line ends that were written."""
    return terminal.seen.replace(b"\r\n", b"\n")


def _plain(sent: bytes) -> bytes:
    return re.sub(rb"\x1b\[[0-9;]*m", b"", sent)


def test_no_path_on_a_terminal(sit: Sit) -> None:
    """Nobody types a log: without a path a terminal gets the usage, not a wait."""
    terminal = sit(*SCAN)
    assert terminal.end() == 2
    assert b"nothing to read" in terminal.seen


@pytest.mark.parametrize("log", ["libcudnn-import", "watchdog-hung-forward", "unknown-plugin-failure"])
def test_a_terminal_gets_the_same_words(sgltriage: Command, sit: Sit, log: str) -> None:
    """Colours, columns and dates aside, a wide terminal shows what a pipe gets; the time that it took comes on top."""
    path = LOGS / log / "server.log"
    piped = sgltriage("scan", path)
    terminal = sit(*SCAN, path, columns=5000)
    assert terminal.end() == piped.returncode
    sent = _sent(terminal)
    assert b"\x1b[" in sent
    shown, expected = (
        re.sub(rb"\d{4}-\d\d-\d\d | +", b" ", re.sub(rb"  \d+(?:\.\d+)? m?s$", b"", text, flags=re.MULTILINE)).split()
        for text in (_plain(sent), piped.stdout)
    )
    assert shown == expected


def test_a_narrow_terminal(sit: Sit) -> None:
    """Log lines are cut to a narrow terminal; every diagnosis is still there."""
    terminal = sit(*SCAN, LOGS / "watchdog-hung-forward/server.log", columns=80)
    assert terminal.end() == 1
    assert b"watchdog-timeout" in terminal.seen
    log_lines = [line for line in _plain(_sent(terminal)).decode().splitlines() if "Scheduler watchdog timeout" in line]
    assert all(len(line) <= 80 for line in log_lines)


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_a_terminal_without_colours(sit: Sit, env: dict[str, str]) -> None:
    """A dumb terminal, or one whose user wants none, gets no escape at all."""
    terminal = sit(*SCAN, CRASH, columns=2000, **env)
    assert terminal.end() == 1
    assert b"\x1b" not in terminal.seen


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_reader_that_leaves(sgltriage: Command, fmt: str) -> None:
    """``| head -1``: status 141 and not a word on stderr."""
    ready, end = os.pipe()
    os.close(ready)
    process = subprocess.run(
        [sys.executable, "-m", "triage", "scan", CRASH, "--format", fmt], stdout=end, stderr=subprocess.PIPE,
        cwd=sgltriage.folder, env=sgltriage.environment, timeout=60, check=False,
    )  # fmt: skip
    os.close(end)
    assert (process.returncode, process.stderr) == (141, b"")


def test_head(sgltriage: Command) -> None:
    """In a real pipeline with a report larger than a pipe holds."""
    log = sgltriage.folder / "server.log"
    errors = (
        f"[2026-03-01 10:00:00] Zork{'abcdefghij'[number % 10] * (number // 10 + 1)}Error: {'no ' * 600}\n"
        for number in range(100)
    )
    log.write_text("".join(errors))
    assert len(sgltriage("scan", "server.log", "--format", "json").stdout) > 70_000  # more than a pipe holds
    script = f'"{sys.executable}" -m triage scan server.log --format json | head -1; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        cwd=sgltriage.folder,
        env=sgltriage.environment,
        timeout=60,
        check=False,
    )
    assert done.stderr == b""
    assert done.stdout.splitlines()[0] == b"{"
    assert done.stdout.splitlines()[-1] == b"141"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    "arguments", [("scan", CRASH), ("scan", CRASH, "--format", "json"), ("why", "libcudnn-missing", CRASH), ("--help",)]
)
def test_a_full_disk(sgltriage: Command, arguments: tuple[str | Path, ...]) -> None:
    """A report that cannot be written is told in one line, with status 2."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "triage", *arguments], stdout=full, stderr=subprocess.PIPE, cwd=sgltriage.folder,
            env=sgltriage.environment, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines() == [b"sgltriage: the report could not be written: No space left on device"]


@pytest.mark.parametrize("closed", ["1", "2", "0", "1 2"])
def test_closed_descriptors(sgltriage: Command, closed: str) -> None:
    """Started with a stream closed, as some supervisors do, the command ends with a status and without a traceback."""
    closing = " ".join(f"{number}>&-" if number != "0" else "0<&-" for number in closed.split())
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m triage scan "{CRASH}" {closing}'], capture_output=True, cwd=sgltriage.folder,
        env=sgltriage.environment, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == (2 if "1" in closed else 1)
    assert b"Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == (closed == "1")


def test_closed_stdin_without_a_path(sgltriage: Command) -> None:
    """Nothing to read is a usage error."""
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m triage scan 0<&-'], capture_output=True, cwd=sgltriage.folder,
        env=sgltriage.environment, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.splitlines()) == 1


def test_messages_and_result_do_not_mix(sgltriage: Command) -> None:
    """JSON on stdout stays JSON while stderr tells of a file that could not be read."""
    done = sgltriage("scan", CRASH, "missing.log", "--format", "json")
    assert done.stdout.startswith(b"{")
    assert b"missing" not in done.stdout.partition(b'"verdict"')[0]
    assert b"missing.log" in done.stderr
