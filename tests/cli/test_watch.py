"""``sgltriage watch`` on real pipes and files that grow."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.watching import watching

if TYPE_CHECKING:
    from tests.cli.conftest import Command

LOG = (Path(__file__).parents[2] / "examples" / "gpu-oom-kv-pool" / "server.log").read_bytes()
READY = b"[2026-03-01 09:00:05 TP0] The server is fired up and ready to roll!\n"


def events(output: bytes) -> list[dict[str, object]]:
    """The JSON objects of a run."""
    return [json.loads(line) for line in output.splitlines()]


def next_event(process: subprocess.Popen[bytes], kind: str, identifier: str = "") -> dict[str, object]:
    """The next event of that kind; what comes before is passed over."""
    assert process.stdout is not None
    for line in iter(process.stdout.readline, b""):
        event: dict[str, object] = json.loads(line)
        if event["event"] == kind and (not identifier or event["id"] == identifier):
            return event
    raise AssertionError(f"no {kind} {identifier}")


def test_a_pipe_ends_with_the_report_of_a_scan(sgltriage: Command) -> None:
    """Events while it runs, then what ``scan`` says, and its exit status."""
    done = sgltriage("watch", stdin=LOG)
    scanned = sgltriage("scan", stdin=LOG)
    assert done.returncode == scanned.returncode == 1
    assert b"+ fatal gpu-oom-kv-pool 99%" in done.stdout
    assert done.stdout.endswith(scanned.stdout)


def test_a_diagnosis_comes_while_the_server_is_still_there(sgltriage: Command) -> None:
    """Before the pipe is closed; every event is numbered."""
    with watching(sgltriage, "--format", "jsonl") as process:
        assert process.stdin is not None
        process.stdin.write(LOG)
        process.stdin.flush()
        found = next_event(process, "diagnosis-appeared", "gpu-oom-kv-pool")
        assert found["confidence"] == pytest.approx(0.99, abs=0.02)
        assert process.poll() is None
        process.stdin.close()
        assert process.stdout is not None
        output = process.stdout.read()
    sequences = [event["sequence"] for event in events(output)]
    assert sequences == list(range(int(str(found["sequence"])) + 1, int(str(found["sequence"])) + 1 + len(sequences)))


def test_tee_passes_every_byte(sgltriage: Command) -> None:
    """Standard output is the server's, whatever is in it; events go to standard error."""
    data = bytes(range(256)) * 4000 + LOG
    done = sgltriage("watch", "--tee", stdin=data)
    assert done.stdout == data
    assert b"gpu-oom-kv-pool" in done.stderr


def test_tee_goes_on_when_the_watcher_is_killed(sgltriage: Command) -> None:
    """kill -9 of us is nothing to the server's output."""
    with watching(sgltriage, "--tee") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"first\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"first\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdin.write(b"second\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"second\n"


def test_tee_goes_on_when_the_knowledge_cannot_be_loaded(sgltriage: Command) -> None:
    """A broken rule pack is told, in one line, and the watcher ends; to the server's output it is nothing, before and after."""
    pack = sgltriage.folder / "pack"
    pack.mkdir()
    (pack / "wrong.yaml").write_text("id: [")
    with watching(sgltriage, "--tee", "--kb", "pack") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"first\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"first\n"
        assert process.wait(timeout=60) == 2
        process.stdin.write(b"second\n")
        process.stdin.close()
        assert process.stdout.read() == b"second\n"
        said = process.stderr.read()
    assert b"wrong.yaml:2:1: not valid YAML" in said
    assert said.count(b"\n") == 1


def test_what_is_to_be_typed_next_names_no_log_that_is_gone(sgltriage: Command) -> None:
    """The output of a client, and what came by a pipe, cannot be read again under its label; a file can."""
    tools = sgltriage.folder / "bin"
    tools.mkdir()
    (sgltriage.folder / "server.log").write_bytes(LOG)
    (tools / "docker").write_text(f'#!/bin/sh\nexec cat "{sgltriage.folder}/server.log"\n')
    (tools / "docker").chmod(0o755)
    path = {"PATH": f"{tools}:{sgltriage.environment['PATH']}"}
    words = ("--source", "docker:sglang", "--until", "diagnosis")
    for done in (sgltriage("watch", *words, env=path), sgltriage("watch", stdin=LOG)):
        assert b"sgltriage fix gpu-oom-kv-pool --report REPORT.json " in done.stdout
        assert b" --log " not in done.stdout
    done = sgltriage("watch", "server.log")
    assert b"sgltriage fix gpu-oom-kv-pool --log server.log " in done.stdout


def test_a_source_that_never_gave_a_line_is_not_healthy(sgltriage: Command) -> None:
    """Nothing was read, so nothing is known: as `scan` says of an empty log, with its exit status."""
    done = sgltriage("watch", stdin=b"")
    assert (done.returncode, b"healthy" in done.stdout) == (0, False)
    assert done.stdout.endswith(b"= verdict unknown\n\nunknown: nothing was read\n")
    assert sgltriage("scan", stdin=b"").stdout == b"unknown: nothing was read\n"


def test_until_ready(sgltriage: Command) -> None:
    """Ends when the server is, with status 0, though the pipe is open."""
    with watching(sgltriage, "--until", "ready") as process:
        assert process.stdin is not None
        process.stdin.write(READY)
        process.stdin.flush()
        assert process.wait(timeout=60) == 0


def test_until_diagnosis(sgltriage: Command) -> None:
    """Ends when it knows what is wrong."""
    with watching(sgltriage, "--until", "diagnosis") as process:
        assert process.stdin is not None
        process.stdin.write(LOG)
        process.stdin.flush()
        assert process.wait(timeout=60) == 1


def test_follow_through_a_rotation(sgltriage: Command) -> None:
    """A file that appears late, grows, and is renamed."""
    path = sgltriage.folder / "server.log"
    half = LOG.index(b"RuntimeError")
    with watching(sgltriage, "--follow", "server.log", "--format", "jsonl") as process:
        time.sleep(0.3)
        path.write_bytes(LOG[:half])
        next_event(process, "phase")
        path.rename(sgltriage.folder / "server.log.1")
        path.write_bytes(LOG[half:])
        found = next_event(process, "diagnosis-appeared", "gpu-oom-kv-pool")
        assert found["source"] == "server.log"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130


def test_state_neither_repeats_nor_misses(sgltriage: Command) -> None:
    """A watcher that is started again goes on where the last one stopped."""
    path = sgltriage.folder / "server.log"
    # Also half a line, which the first watcher could not understand.
    path.write_bytes(LOG + b"ModuleNotFoundError: No m")
    words = ("--follow", "server.log", "--state", "state.json", "--format", "jsonl")
    with watching(sgltriage, *words) as process:
        next_event(process, "diagnosis-appeared", "gpu-oom-kv-pool")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
    with watching(sgltriage, *words) as process:
        time.sleep(1.0)
        with path.open("ab") as stream:
            stream.write(b"odule named 'setproctitle'\n")
        found = next_event(process, "diagnosis-appeared")
        assert found["id"] == "missing-python-module"
    assert (sgltriage.folder / "state.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tee", "server.log"), b"--tee passes standard input through"),
        (("absent.log",), b"absent.log: No such file"),
        ((".",), b".: is a directory: name the logs in it"),
        (("--follow", "."), b".: is a directory: name the logs in it"),
        (("--source", "syslog:x"), b"is no source"),
        (("--until", "never"), b"none of exit, ready, diagnosis"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(sgltriage: Command, words: tuple[str, ...], said: bytes) -> None:
    """Status 2."""
    done = sgltriage("watch", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_hostile_bytes_are_shown_and_not_sent(sgltriage: Command) -> None:
    """Whatever a line holds, the terminal gets no escape of it."""
    data = LOG.replace(b"RuntimeError: Not", b"RuntimeError: \x1b]0;title\x07Not") + b"\x1b[2J\xff\n"
    for words in ((), ("--format", "jsonl")):
        done = sgltriage("watch", *words, stdin=data)
        assert b"\x1b" not in done.stdout
        assert b"\x07" not in done.stdout
