"""Whatever becomes of the watcher, the server's output is what it would be without it: real pipelines, real signals."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

LOG = (Path(__file__).parents[2] / "examples" / "gpu-oom-kv-pool" / "server.log").read_bytes()
# A server: lines until it is told to end by a file, then its last words, up to a number of lines; a signal is told, and does not
# end it.
SERVER = """
import os, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: os.write(1, b"interrupted\\n"))
for number in range(200):
    os.write(1, b"%06d %s\\n" % (number, b"x" * 2000))
while not os.path.exists(sys.argv[1]):
    time.sleep(0.005)
for number in range(200, int(sys.argv[2])):
    os.write(1, b"%06d %s\\n" % (number, b"x" * 2000))
"""
LINES = b"".join(b"%06d %s\n" % (number, b"x" * 2000) for number in range(400))
FIRST_LINE = len(LINES) // 400


class Pipeline(NamedTuple):
    """``server | sgltriage watch --tee | us``. ``go`` lets the server end."""

    server: subprocess.Popen[bytes]
    watcher: subprocess.Popen[bytes]
    output: int
    go: Path


@contextmanager
def pipeline(sgltriage: Command, *words: str, lines: int = 400) -> Iterator[Pipeline]:
    """The pipeline, in a process group of its own, as a shell starts it."""
    go = sgltriage.folder / "go"
    argv = [sys.executable, "-c", SERVER, str(go), str(lines)]
    server = subprocess.Popen(argv, stdout=subprocess.PIPE, preexec_fn=os.setpgrp)
    assert server.stdout is not None
    watcher = subprocess.Popen(
        [sys.executable, "-m", "triage", "watch", "--tee", *words], stdin=server.stdout, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, cwd=sgltriage.folder, env=sgltriage.environment, preexec_fn=lambda: os.setpgid(0, server.pid),
    )  # fmt: skip
    server.stdout.close()
    assert watcher.stdout is not None
    assert watcher.stderr is not None
    try:
        yield Pipeline(server, watcher, watcher.stdout.fileno(), go)
    finally:
        go.touch()
        for process in (watcher, server):
            process.kill()
            process.wait()
        watcher.stdout.close()
        watcher.stderr.close()


def read_all(fd: int) -> bytes:
    """Everything up to the end."""
    return b"".join(iter(lambda: os.read(fd, 1 << 16), b""))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGSTOP])
def test_a_signal_to_the_watcher(sgltriage: Command, number: signal.Signals) -> None:
    """Killed, ended or stopped within the stream: every byte comes out, in order, and the server ends with its own status."""
    with pipeline(sgltriage) as run:
        seen = os.read(run.output, FIRST_LINE)
        run.watcher.send_signal(number)
        if number is not signal.SIGSTOP:
            run.watcher.wait(timeout=60)
        run.go.touch()
        assert seen + read_all(run.output) == LINES
        assert run.server.wait(timeout=60) == 0


def test_control_c_for_the_whole_group(sgltriage: Command) -> None:
    """The terminal's SIGINT goes to the server too: its last words still pass, after the watcher has reported and gone."""
    with pipeline(sgltriage) as run:
        seen = os.read(run.output, FIRST_LINE)
        os.killpg(run.server.pid, signal.SIGINT)
        assert run.watcher.wait(timeout=60) == 130
        run.go.touch()
        seen += read_all(run.output)
        assert seen.replace(b"interrupted\n", b"") == LINES
        assert seen.count(b"interrupted\n") == 1
        assert run.server.wait(timeout=60) == 0


def test_nobody_reads_the_output_any_more(sgltriage: Command) -> None:
    """The server is told by SIGPIPE, as it would be without us, and the watcher ends in order, without a traceback."""
    # More than all pipes on the way hold: less could be written before anybody notices that nobody reads.
    with pipeline(sgltriage, lines=1_000_000) as run:
        os.read(run.output, FIRST_LINE)
        assert run.watcher.stdout is not None
        run.watcher.stdout.close()
        run.go.touch()
        # Python tells its broken pipe as an exception, whose exit status is 1.
        assert run.server.wait(timeout=60) != 0
        assert run.watcher.wait(timeout=60) in (0, 1, 141)
        assert run.watcher.stderr is not None
        assert b"Traceback" not in run.watcher.stderr.read()


def test_nobody_reads_the_events_any_more(sgltriage: Command) -> None:
    """With --tee events go to standard error: closed, it is no reason to hold up the server."""
    with pipeline(sgltriage) as run:
        assert run.watcher.stderr is not None
        run.watcher.stderr.close()
        run.go.touch()
        assert read_all(run.output) == LINES
        assert run.server.wait(timeout=60) == 0


def test_nobody_takes_the_events(sgltriage: Command) -> None:
    """A reader of events that has stopped reading holds up the watcher, and not the server."""
    log = sgltriage.folder / "big.log"
    # Phases that change with every line: more events than a pipe holds.
    steps = b"Load weight begin. avail mem=77.15 GB\nThe server is fired up and ready to roll!\n"
    log.write_bytes(steps * 40_000)
    with subprocess.Popen(["cat", str(log)], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        ours, theirs = os.pipe()
        watcher = subprocess.Popen(
            [sys.executable, "-m", "triage", "watch", "--tee"], stdin=server.stdout, stdout=subprocess.PIPE,
            stderr=theirs, cwd=sgltriage.folder, env=sgltriage.environment,
        )  # fmt: skip
        os.close(theirs)
        server.stdout.close()
        assert watcher.stdout is not None
        with watcher.stdout as stream:
            assert stream.read() == steps * 40_000
        os.close(ours)
        watcher.kill()
        watcher.wait()


def _no_room() -> None:
    # Files cannot grow, as on a full disk; pipes can.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_a_full_disk_for_the_state(sgltriage: Command) -> None:
    """Positions cannot be stored: that is said once, events go on, the followed file and the old state are as they were."""
    sgltriage("watch", stdin=b"")  # the knowledge is compiled by now: it could not be stored either
    path, state = sgltriage.folder / "server.log", sgltriage.folder / "state.json"
    path.write_bytes(LOG)
    words = ["watch", "--follow", "server.log", "--state", "state.json", "--format", "jsonl"]
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=sgltriage.folder, env=sgltriage.environment | {"PYTHONDONTWRITEBYTECODE": "1"}, preexec_fn=_no_room,
    )  # fmt: skip
    assert process.stdout is not None
    for line in iter(process.stdout.readline, b""):
        if json.loads(line)["event"] == "diagnosis-appeared":
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.count(b"positions cannot be stored") == 1
    assert b"Traceback" not in errors
    assert path.read_bytes() == LOG
    assert not state.exists()
    assert not list(sgltriage.folder.glob("state.json.new*"))
