"""``sgltriage watch`` beside a server that is started again, fails again, or whose clock is set."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema

from tests.cli.test_watch_listeners import CAUSE, LOG, SCHEMA, feed, next_event
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


IMPORT = "ModuleNotFoundError: No module named 'setproctitle'"


def test_a_container_that_dies_before_it_prints_its_arguments(sgltriage: Command) -> None:
    """Each time that it was started again is told, though its log does not say that it was."""
    tools = sgltriage.folder / "bin"
    tools.mkdir()
    # The lines of one run, and the client's end with that of the container; the third run goes on.
    (tools / "docker").write_text(
        "#!/bin/sh\necho x >> runs\n"
        f'echo "$(date -u +%Y-%m-%dT%H:%M:%S.%NZ) {IMPORT}"\n'
        "test $(wc -l < runs) -gt 1 && exec sleep 60\nexit 0\n".replace("runs", f"'{sgltriage.folder}/runs'")
    )
    (tools / "docker").chmod(0o755)
    sgltriage.environment["PATH"] = f"{tools}:{sgltriage.environment['PATH']}"
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
