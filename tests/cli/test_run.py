"""``sgltriage run`` as operators use it: what it says when a server dies, and what it never does to one that lives."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

LOG = Path(__file__).parents[2] / "examples" / "gpu-oom-kv-pool" / "server.log"
WITHIN_S = 60.0


def test_a_death_is_explained(sgltriage: Command) -> None:
    """Output as it was, the server's own status, then the cause, how it ended, and what to type."""
    done = sgltriage("run", "--", "sh", "-c", f"cat {LOG} >&2; echo out; exit 3")
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (3, b"out\n")
    assert done.stderr.startswith(LOG.read_bytes())
    assert "gpu-oom-kv-pool" in said
    assert "sgltriage: the server ended with exit status 3\n" in said
    assert "next         sgltriage explain gpu-oom-kv-pool\n" in said
    assert not re.search(r"exit [01] \(", said), "the status is the server's, not a scan's"


def test_a_log_and_a_report_are_what_the_next_command_reads(sgltriage: Command) -> None:
    """The log holds both streams, is private, and its lines are those that the report names; the report is what ``fix`` takes."""
    done = sgltriage("run", "--log", "server.log", "--report", "report.json", "--", "sh", "-c", f"cat {LOG}; exit 1")
    log, report = sgltriage.folder / "server.log", sgltriage.folder / "report.json"
    assert log.read_bytes() == LOG.read_bytes()
    assert {path.stat().st_mode & 0o777 for path in (log, report)} == {0o600}
    found = json.loads(report.read_bytes())["diagnoses"][0]
    evidence = found["evidence"][0]
    assert (found["id"], evidence["source"]) == ("gpu-oom-kv-pool", "server.log")
    assert evidence["text"] in log.read_text().splitlines()[evidence["line"] - 1]
    last = done.stderr.decode().splitlines()[-2:]
    assert last[0].split() == ["next", "sgltriage", "fix", "gpu-oom-kv-pool", "--report", "report.json"]
    assert last[1].split() == ["sgltriage", "scan", "server.log", "--probe"]
    assert sgltriage(*last[0].split()[2:], "--dry-run").returncode == 0


def test_without_a_log_nothing_names_one(sgltriage: Command) -> None:
    """Output that was not kept cannot be read again under its label, so what to type next names a report."""
    done = sgltriage("run", "--no-host", "--", "sh", "-c", f"cat {LOG}; exit 1")
    assert b"sgltriage fix gpu-oom-kv-pool --report REPORT.json " in done.stderr
    assert b" --log " not in done.stderr
    kept = sgltriage("run", "--no-host", "--log", "server.log", "--", "sh", "-c", f"cat {LOG}; exit 1")
    assert b"sgltriage fix gpu-oom-kv-pool --log server.log " in kept.stderr


def test_a_server_that_ends_well_is_not_talked_about(sgltriage: Command) -> None:
    """Status 0 and nothing to tell: nothing is said."""
    done = sgltriage("run", "--", "echo", "hello")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"hello\n", b"")


@pytest.mark.parametrize(("level", "status"), [("error", 1), ("never", 0)])
def test_another_status_only_when_asked_for(sgltriage: Command, level: str, status: int) -> None:
    """``--fail-on``: a finding makes it 1; without one it stays the server's."""
    assert sgltriage("run", "--fail-on", level, "--", "cat", LOG).returncode == status
    assert sgltriage("run", "--fail-on", level, "--", "sh", "-c", "exit 5").returncode == 5


def test_a_kill_alone_is_no_cause(sgltriage: Command) -> None:
    """Who sent SIGKILL is not known: no diagnosis, above all not that memory ran out."""
    done = sgltriage("run", "--report", "r.json", "--", "sh", "-c", "kill -9 $$")
    said = done.stderr.decode()
    assert done.returncode == 137
    assert "the server was ended by signal 9 (SIGKILL); a signal does not tell who sent it" in said
    assert json.loads((sgltriage.folder / "r.json").read_bytes())["diagnoses"] == []
    assert "host-oom-killed" not in said


def test_the_kernels_record_of_a_kill_is_a_cause(sgltriage: Command) -> None:
    """A kill that the kernel noted since the start names the cause; older ones do not count."""
    tools = sgltriage.folder / "bin"
    tools.mkdir()
    old = "[  100.000000] Out of memory: Killed process 77 (python3) total-vm:1kB, anon-rss:1kB\n"
    new = "[  200.000000] Memory cgroup out of memory: Killed process 4821 (python3) total-vm:9kB, anon-rss:8kB\n"
    (tools / "kernel.log").write_text("[    1.000000] Linux version 6.8\n" + old)
    (tools / "dmesg").write_text(f'#!/bin/sh\ncat "{tools}/kernel.log"\n')
    (tools / "dmesg").chmod(0o755)
    path = {"PATH": f"{tools}:{os.environ['PATH']}"}
    quiet = sgltriage("run", "--", "sh", "-c", "sleep 1; kill -9 $$", env=path)
    assert b"nothing was killed for lack of memory" in quiet.stderr
    assert b"host-oom-killed" not in quiet.stderr
    script = f'sleep 1; printf %s "{new}" >> "{tools}/kernel.log"; echo >> "{tools}/kernel.log"; kill -9 $$'
    done = sgltriage("run", "--report", "r.json", "--", "sh", "-c", script, env=path)
    assert done.returncode == 137
    found = json.loads((sgltriage.folder / "r.json").read_bytes())
    assert (found["verdict"], found["diagnoses"][0]["id"]) == ("confirmed", "host-oom-killed")
    assert b"killed for lack of memory: python3" in done.stderr


def test_a_signal_that_was_passed_on_is_no_failure(sgltriage: Command) -> None:
    """An operator who ends the server hears how it ended, and gets no diagnosis."""
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", "run", "--", "sh", "-c", "echo up; exec sleep 100"], cwd=sgltriage.folder,
        env=sgltriage.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 128 + signal.SIGTERM
    assert (
        said == b"sgltriage: the server was ended by signal 15 (SIGTERM), which came to sgltriage and was passed on\n"
    )


def test_a_full_disk_is_told_once(sgltriage: Command) -> None:
    """The output goes on, and so does the server."""
    (sgltriage.folder / "full").mkdir()
    log = sgltriage.folder / "full" / "server.log"
    # The kernel refuses to make a file larger than this, as it refuses on a full disk.
    script = f'ulimit -f 8; exec {sys.executable} -m triage run --log {log} -- "$@"'
    server = "import sys\nfor n in range(4000): print('line', n, flush=n % 100 == 0)"
    done = subprocess.run(
        ["bash", "-c", script, "bash", sys.executable, "-c", server], cwd=sgltriage.folder, env=sgltriage.environment,
        capture_output=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == b"line 3999"
    assert done.stdout.count(b"\n") == 4000
    assert done.stderr.count(b"the log cannot be written (File too large)") == 1


def test_a_log_that_cannot_be_written_is_refused_at_once(sgltriage: Command) -> None:
    """Before the server is started."""
    for words, said in (("--log", b"--log: absent/x: "), ("--events", b"--events: absent/x: ")):
        done = sgltriage("run", words, "absent/x", "--", "touch", "started")
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
        assert said in done.stderr
    assert not (sgltriage.folder / "started").exists()


def test_the_log_is_rotated(sgltriage: Command) -> None:
    """Every line once, in files of the size that was asked for."""
    server = "for n in range(3000): print('line', n)"
    sgltriage("run", "--log", "s.log", "--log-size", "8K", "--log-keep", "9", "--", sys.executable, "-c", server)
    names = sorted(sgltriage.folder.glob("s.log*"), reverse=True)
    assert b"".join(name.read_bytes() for name in names) == b"".join(b"line %d\n" % number for number in range(3000))
    assert len(names) == 4


def test_what_watching_left_out_is_read_from_the_log(sgltriage: Command) -> None:
    """Far behind, the middle is not looked at; when the server has ended its log is, whose lines the report names."""
    server = (
        "import os, sys, time\n"
        "def flood(size):\n"
        "    line = b'[2025-10-08 11:21:12 TP0] Decode batch. #running-req: 1, #token: 900, token usage: 0.01\\n'\n"
        "    data = line * (size // len(line))\n"
        "    while data: data = data[os.write(1, data):]\n"
        "os.kill(int(sys.argv[1]), 19)\n"
        f"flood(24 << 20); os.write(1, open({str(LOG)!r}, 'rb').read()); flood(24 << 20)\n"
        "os.kill(int(sys.argv[1]), 18); sys.exit(3)\n"
    )
    script = f'exec {sys.executable} -m triage run --log s.log --log-size 9M --report r.json -- "$@" $$'
    done = subprocess.run(
        ["sh", "-c", script, "sh", sys.executable, "-c", server], cwd=sgltriage.folder, env=sgltriage.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert b"bytes were not looked at" in done.stderr
    report = json.loads((sgltriage.folder / "r.json").read_bytes())
    assert report["diagnoses"][0]["id"] == "gpu-oom-kv-pool"
    text = b"".join(path.read_bytes() for path in sorted(sgltriage.folder.glob("s.log*"), reverse=True))
    evidence = report["diagnoses"][0]["evidence"][0]
    assert evidence["text"] in text.split(b"\n")[evidence["line"] - 1].decode()
    assert b"this report was made from its log" in done.stderr


def test_a_pipe_for_events_that_nobody_reads(sgltriage: Command) -> None:
    """Refused at once where nobody ever did; one whose reader goes away is told, and the report is made all the same."""
    pipe = sgltriage.folder / "events"
    os.mkfifo(pipe)
    refused = sgltriage("run", "--events", "events", "--", "true")
    assert (refused.returncode, refused.stderr) == (2, b"sgltriage: --events: events: is a pipe that nobody reads\n")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    script = f"head -3 {LOG}; read x; cat {LOG}; exit 3"
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", "run", "--events", "events", "--", "sh", "-c", script], cwd=sgltriage.folder,
        env=sgltriage.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    os.close(reader)
    _, said = process.communicate(b"\n", timeout=WITHIN_S)
    assert process.returncode == 3
    assert b"nobody reads the events any more" in said
    assert b"gpu-oom-kv-pool" in said
    assert b"internal error" not in said


def test_a_link_is_no_place_for_a_log(sgltriage: Command) -> None:
    """Said in words, before anything is started."""
    (sgltriage.folder / "link").symlink_to("real")
    done = sgltriage("run", "--log", "link", "--", "touch", "started")
    assert (done.returncode, done.stderr) == (2, b"sgltriage: --log: link: is a link: name the file itself\n")
    assert not (sgltriage.folder / "started").exists()


def test_a_server_that_says_nothing_and_dies(sgltriage: Command) -> None:
    """That no problem is known of is no verdict on it: what is not known is said so."""
    said = sgltriage("run", "--", "sh", "-c", "echo hello; exit 3").stderr.decode()
    assert said.startswith("sgltriage: the server ended with exit status 3\n")
    assert "nothing that it printed tells why: 1 line, no error and no known problem in them\n" in said


def test_a_child_that_outlives_the_server_is_named_and_left_alone(sgltriage: Command) -> None:
    """After a while we end with the server's status; the child lives, secrets in its command are not shown."""
    code = "import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(20)', '--api-key', 'hunter2-hunter2']); print(c.pid, flush=True); sys.exit(6)"
    began = time.monotonic()
    with (sgltriage.folder / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "triage", "run", "--no-host", "--", sys.executable, "-c", code], cwd=sgltriage.folder,
            env=sgltriage.environment, stdout=subprocess.PIPE, stderr=err,
        )  # fmt: skip
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        assert process.wait(WITHIN_S) == 6
        assert 4 < time.monotonic() - began < 18
        said = (sgltriage.folder / "err").read_text()
        assert "1 process of the server still holds its output:" in said
        assert f"process {child}: " in said
        assert "hunter2" not in said
        os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)
    assert process.stdout.read() == b""
    process.stdout.close()


def test_events_are_json_lines(sgltriage: Command) -> None:
    """For programs: what appeared, in the file that was named, with the sequence."""
    sgltriage("run", "--events", "events.jsonl", "--", "cat", LOG)
    events = [json.loads(line) for line in (sgltriage.folder / "events.jsonl").read_text().splitlines()]
    assert ("diagnosis-appeared", "gpu-oom-kv-pool") in {(event["event"], event["id"]) for event in events}
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))


def test_a_diagnosis_is_there_while_the_server_lives(sgltriage: Command) -> None:
    """In the events, as soon as it can be told."""
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", "run", "--events", "e.jsonl", "--", "sh", "-c", f"cat {LOG}; exec cat"],
        cwd=sgltriage.folder, env=sgltriage.environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    path, end = sgltriage.folder / "e.jsonl", time.monotonic() + WITHIN_S
    with process:
        assert process.stdin is not None
        while not path.exists() or "gpu-oom-kv-pool" not in path.read_text():
            assert time.monotonic() < end
            time.sleep(0.02)
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(WITHIN_S) == 0


def test_a_bug_of_ours_is_nothing_to_the_server(sgltriage: Command) -> None:
    """Knowledge that breaks while it is loaded, once the server runs: told in a line, and the server has its status."""
    broken = (
        "import triage.engine\ndef load(*_):\n    raise RuntimeError('broken on purpose')\ntriage.engine.load = load\n"
    )
    program = broken + "import sys\nfrom triage.cli.main import run\nrun()\n"
    done = subprocess.run(
        [sys.executable, "-c", program, "run", "--", "sh", "-c", "sleep 1; echo fine; exit 9"], cwd=sgltriage.folder,
        env=sgltriage.environment, capture_output=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (9, b"fine\n")
    assert b"internal error: RuntimeError: broken on purpose" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("run", "nosuch-command"), 127, "nosuch-command: command not found"),
        (("run", "--", "/"), 126, "/: Is a directory"),
        (("run",), 2, "the following arguments are required: COMMAND (sgltriage run --help)"),
        (("run", "--log-size", "1", "--", "true"), 2, "--log-size: 1 bytes are less than 4096 (sgltriage run --help)"),
        (("run", "--without", "nosuch", "--", "true"), 2, "no cause 'nosuch' (sgltriage run --help)"),
    ],
)
def test_what_is_wrong_is_one_line(sgltriage: Command, words: tuple[str, ...], status: int, said: str) -> None:
    """As a shell counts it, or as we do."""
    done = sgltriage(*words)
    assert (done.returncode, done.stderr.decode()) == (status, f"sgltriage: {said}\n")


def test_options_of_the_command_are_the_commands(sgltriage: Command) -> None:
    """With ``--`` or without, and even where they are called like ours."""
    for dashes in ((), ("--",)):
        done = sgltriage("run", *dashes, "echo", "--log", "x", "--", "--help")
        assert (done.returncode, done.stdout) == (0, b"--log x -- --help\n")


def test_what_a_server_prints_is_shown_and_not_sent_again(sgltriage: Command) -> None:
    """The output itself is unchanged; our own words hold no escape of it and no secret."""
    line = b"RuntimeError: \x1b]0;title\x07 api_key='sk-hunter2hunter2'\n"
    done = sgltriage("run", "--", "sh", "-c", "cat; exit 1", stdin=line)
    assert done.stdout == line
    assert b"\x1b" not in done.stderr
    assert b"hunter2" not in done.stderr
