"""``sgltriage watch`` beside a server that is started again, fails again, or whose clock is set."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema

from tests.cli.test_watch_listeners import CAUSE, LOG, SCHEMA, feed, next_event, wait_for
from tests.cli.watching import watching

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.cli.conftest import Command

    Event = dict[str, Any]
    Process = subprocess.Popen[bytes]


def hooked(file: Path, count: int) -> list[Event]:
    """What a hook wrote to a file, once there are so many events of the cause; within 20 s."""
    end = time.monotonic() + 20
    while True:
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        found = [event for event in map(json.loads, lines) if event["id"] == CAUSE]
        if len(found) >= count:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.02)


@contextmanager
def crashed_twice(sgltriage: Command, *, cooldown_s: int) -> Iterator[tuple[Process, Event, Event]]:
    """A watcher whose hook writes to ``hooked.jsonl``, and the events of the two crashes that it saw."""
    words = ("--format", "jsonl", "--on-diagnosis", "tee -a hooked.jsonl", "--hook-cooldown", str(cooldown_s))
    with watching(sgltriage, *words) as process:
        feed(process, LOG)
        first = next_event(process, "diagnosis-appeared", CAUSE)
        hooked(sgltriage.folder / "hooked.jsonl", 1)
        feed(process, LOG)
        yield process, first, next_event(process, "diagnosis-appeared", CAUSE)


def test_each_crash_of_a_server_calls_the_hook(sgltriage: Command) -> None:
    """The second run of it fails as the first did: an event and an alert of its own, with its own line."""
    with crashed_twice(sgltriage, cooldown_s=0) as (_, first, second):
        told = hooked(sgltriage.folder / "hooked.jsonl", 2)
    assert "again" not in first
    assert second["again"] is True
    assert second["line"] == first["line"] + LOG.count(b"\n")
    assert second["text"] == first["text"]
    assert told == [first, second]
    jsonschema.Draft202012Validator(SCHEMA).validate(second)


def test_a_crash_in_the_cool_down_is_told_late_and_says_so(sgltriage: Command) -> None:
    """A server that dies all the time does not ring all the time, and nothing of it is lost."""
    with crashed_twice(sgltriage, cooldown_s=600) as (process, first, second):
        note = next_event(process, "note", "hook")
        while "held back" not in note["text"]:
            note = next_event(process, "note", "hook")
        assert note["text"].startswith(f"{CAUSE}: again after a restart, ")
        assert len(hooked(sgltriage.folder / "hooked.jsonl", 1)) == 1
        assert process.stdin is not None
        process.stdin.close()
        # The end of watching is the end of waiting.
        assert hooked(sgltriage.folder / "hooked.jsonl", 2) == [first, second]


START = b"[2025-10-08 11:30:00] server_args=ServerArgs(model_path='m', tp_size=1)\n"
READY = b"[2025-10-08 11:31:00] The server is fired up and ready to roll!\n"
ACTIVE = f"sgltriage_diagnosis_active {CAUSE} fatal"


def test_a_server_that_was_started_again_and_is_ready_is_well(sgltriage: Command) -> None:
    """Events, hook and metrics say that the crash is over, and that it came back; the status is that of the report."""
    first = LOG.count(b"\n") + 1
    words = ("--format", "jsonl", "--on-diagnosis", "tee -a hooked.jsonl", "--hook-cooldown", "0", "--metrics", "0")
    with watching(sgltriage, *words) as process:
        url = str(next_event(process, "note", "metrics")["text"]).rpartition(" ")[2]
        feed(process, LOG)
        told = [next_event(process, "diagnosis-appeared", CAUSE)]
        wait_for(url, lambda found: found.get(ACTIVE) == 1)
        feed(process, START)
        feed(process, READY)
        told.append(next_event(process, "diagnosis-resolved", CAUSE))
        found = wait_for(url, lambda found: found.get(ACTIVE) == 0)
        assert found["sgltriage_events_total diagnosis-resolved"] == 1
        feed(process, LOG)
        told.append(next_event(process, "diagnosis-appeared", CAUSE))
        wait_for(url, lambda found: found.get(ACTIVE) == 1)
        feed(process, START + READY)
        told.append(next_event(process, "diagnosis-resolved", CAUSE))
        wait_for(url, lambda found: found.get(ACTIVE) == 0)
        assert hooked(sgltriage.folder / "hooked.jsonl", 4) == told
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=60) == 1
    assert [event.get("again", False) for event in told] == [False, False, True, False]
    assert [event["line"] for event in told[1::2]] == [first, 2 * first + 1]
    assert told[1]["text"] == f"started again in line {first}, ready"
    for event in told:
        jsonschema.Draft202012Validator(SCHEMA).validate(event)


def test_the_report_keeps_what_a_restart_got_over(sgltriage: Command) -> None:
    """Told as a line while it runs; in the end the report is that of `scan`, and so is the status."""
    log = LOG + START + READY
    watched, scanned = sgltriage("watch", stdin=log), sgltriage("scan", stdin=log)
    line = LOG.count(b"\n") + 1
    assert f" - fatal {CAUSE} resolved  -:{line}  started again in line {line}, ready\n".encode() in watched.stdout
    assert watched.stdout.endswith(scanned.stdout)
    assert CAUSE.encode() in scanned.stdout
    assert (watched.returncode, scanned.returncode) == (1, 1)


def test_a_service_that_systemd_started_again(sgltriage: Command) -> None:
    """The run begins where systemd says so."""
    said = [
        f"python3[12]: {line}"
        for line in (
            START.decode().strip(),
            "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.",
        )
    ]
    again = [
        "systemd[1]: sglang.service: Scheduled restart job, restart counter is at 1.",
        said[0],
        f"python3[12]: {READY.decode().strip()}",
    ]
    lines = [f"2026-03-01T10:00:0{second}+0000 n1 {text}\n".encode() for second, text in enumerate(said + again)]
    with watching(sgltriage, "--format", "jsonl") as process:
        feed(process, b"".join(lines[:2]))
        next_event(process, "diagnosis-appeared", CAUSE)
        feed(process, b"".join(lines[2:]))
        event = next_event(process, "diagnosis-resolved", CAUSE)
    assert (event["line"], event["text"]) == (3, "started again in line 3, ready")


IMPORT = "ModuleNotFoundError: No module named 'setproctitle'"


def docker(sgltriage: Command, script: str) -> None:
    """A client of containers: ``script`` may ``say`` a line of the log in a run with the number ``$run``, counted from 1."""
    tools = sgltriage.folder / "bin"
    tools.mkdir()
    count = f"'{sgltriage.folder}/runs'"
    (tools / "docker").write_text(
        f"#!/bin/sh\necho x >> {count}\nrun=$(wc -l < {count})\n"
        f'say() {{ echo "$(date -u +%Y-%m-%dT%H:%M:%S.%NZ) $1"; }}\n{script}\nexit 0\n'
    )
    (tools / "docker").chmod(0o755)
    sgltriage.environment["PATH"] = f"{tools}:{sgltriage.environment['PATH']}"


def test_a_container_that_came_back(sgltriage: Command) -> None:
    """Its client ended and was started again: over once the new one is ready."""
    start, ready = START.decode().strip(), READY.decode().strip()
    docker(
        sgltriage,
        f'say "{start}"\nif test $run = 1; then say "{IMPORT}"; else say "{ready}"; exec sleep 60; fi',
    )
    with watching(sgltriage, "--source", "docker:sglang", "--format", "jsonl") as process:
        next_event(process, "diagnosis-appeared", "missing-python-module")
        event = next_event(process, "diagnosis-resolved", "missing-python-module")
    assert (event["source"], event["line"], event["text"]) == ("docker:sglang", 3, "started again in line 3, ready")


def test_a_container_that_dies_before_it_prints_its_arguments(sgltriage: Command) -> None:
    """Each time that it was started again is told, though its log does not say that it was."""
    # The lines of one run, and the client's end with that of the container; the second run goes on.
    docker(sgltriage, f'say "{IMPORT}"\ntest $run -gt 1 && exec sleep 60')
    with watching(sgltriage, "--source", "docker:sglang", "--format", "jsonl") as process:
        first = next_event(process, "diagnosis-appeared", "missing-python-module")
        second = next_event(process, "diagnosis-appeared", "missing-python-module")
    assert [(event.get("again"), event["line"]) for event in (first, second)] == [(None, 1), (True, 2)]


def test_a_service_that_dies_before_it_prints_its_arguments(sgltriage: Command) -> None:
    """Its journal tells that systemd started it again; the same words a second time in one run are no news."""
    said = f"2026-03-01T10:00:03+0000 n1 python3[12]: {IMPORT}\n".encode()
    systemd = (
        b"2026-03-01T10:00:08+0000 n1 systemd[1]: sglang.service: Scheduled restart job, restart counter is at 1.\n"
    )
    with watching(sgltriage, "--format", "jsonl") as process:
        feed(process, said)
        first = next_event(process, "diagnosis-appeared", "missing-python-module")
        feed(process, said)
        feed(process, systemd + said)
        second = next_event(process, "diagnosis-appeared", "missing-python-module")
    assert [(event.get("again"), event["line"]) for event in (first, second)] == [(None, 1), (True, 4)]


def test_a_clock_that_is_set_back_is_told_at_once(sgltriage: Command) -> None:
    """As a note while it runs, and with the limits of the report, which is that of `scan`."""
    work = "Decode batch, #running-req: 3, #token: 4096, gen throughput (token/s): 61.2"
    log = "".join(
        f"[2026-03-01 {at}:{second:02d}] {work}\n" for at in ("10:00", "09:00") for second in range(5)
    ).encode()
    with watching(sgltriage, "--format", "jsonl") as process:
        feed(process, log)
        assert next_event(process, "note", "-")["text"].startswith("clock went back 3604 s at line 6 of -")
    text = sgltriage("watch", stdin=log).stdout
    assert text.endswith(sgltriage("scan", stdin=log).stdout)
    assert text.count(b"clock went back 3604 s at line 6") == 2
