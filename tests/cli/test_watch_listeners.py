"""``sgltriage watch`` with hooks, webhooks, metrics and a terminal."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.cli.watching import watching
from tests.watching.telling import samples

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Sit

ROOT = Path(__file__).parents[2]
LOG = (ROOT / "examples" / "gpu-oom-kv-pool" / "server.log").read_bytes()
SCHEMA = json.loads((ROOT / "triage" / "reporting" / "event.schema.json").read_text(encoding="utf-8"))
CAUSE = "gpu-oom-kv-pool"


def feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Write to it."""
    assert process.stdin is not None
    process.stdin.write(data)
    process.stdin.flush()


def next_event(process: subprocess.Popen[bytes], kind: str, identifier: str) -> dict[str, Any]:
    """The next event of that kind; what comes before is passed over."""
    assert process.stdout is not None
    for line in iter(process.stdout.readline, b""):
        event: dict[str, Any] = json.loads(line)
        if (event["event"], event["id"]) == (kind, identifier):
            return event
    raise AssertionError(f"no {kind} {identifier}")


def python(script: str) -> str:
    """The words of ``--on-diagnosis`` that run a Python script."""
    return shlex.join((sys.executable, "-c", script))


def test_a_hook_gets_the_event(sgltriage: Command) -> None:
    """The same JSON as stdout, with the labels; the report is that of a watcher without hooks."""
    done = sgltriage(
        "watch", "--on-diagnosis", "tee -a hooked.jsonl", "--label", "host=node7", "--format", "jsonl", stdin=LOG
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    for event in told:
        jsonschema.Draft202012Validator(SCHEMA).validate(event)
    hooked = [json.loads(line) for line in (sgltriage.folder / "hooked.jsonl").read_bytes().splitlines()]
    (appeared,) = [event for event in told if event["event"] == "diagnosis-appeared" and event["id"] == CAUSE]
    assert appeared in hooked
    assert appeared["labels"] == {"host": "node7"}
    assert [event["sequence"] for event in told] == list(range(1, len(told) + 1))
    # What the hook printed is told too, as an event of its own.
    assert any(
        event["event"] == "note" and event["id"] == "hook" and event["text"].startswith("tee: {") for event in told
    )


def test_the_report_comes_last_on_stdout(sgltriage: Command) -> None:
    """What a hook has to say after it goes to standard error."""
    done = sgltriage("watch", "--on-diagnosis", python("import time; time.sleep(0.3); print('paged')"), stdin=LOG)
    assert done.returncode == 1
    assert done.stdout.endswith(sgltriage("scan", stdin=LOG).stdout)
    assert b"paged" in done.stderr
    assert b"paged" not in done.stdout


def test_a_hook_that_fails_or_hangs_does_not_stop_watching(sgltriage: Command) -> None:
    """Events go on, and what became of the hook is told."""
    hang = python("import time; time.sleep(600)")
    fail = python("import sys; sys.exit(7)")
    words = ("--on-diagnosis", hang, "--on-diagnosis", fail, "--hook-timeout", "1", "--format", "jsonl")
    with watching(sgltriage, *words) as process:
        feed(process, LOG)
        next_event(process, "diagnosis-appeared", CAUSE)
        notes = [next_event(process, "note", "hook")["text"] for _ in range(2)]
        assert any("ended with exit status 7" in text for text in notes)
        assert any("took more than 1 s" in text for text in notes)
        feed(process, b"ModuleNotFoundError: No module named 'setproctitle'\n")
        next_event(process, "diagnosis-appeared", "missing-python-module")


def test_hostile_text_reaches_a_hook_as_json_alone(sgltriage: Command) -> None:
    """Neither a shell nor an argument nor a variable ever holds text of a log."""
    data = LOG.replace(
        b"RuntimeError: Not", b"RuntimeError: $(touch pwned)`touch pwned`';touch pwned;' \x1b]0;x\x07 Not"
    )
    script = "import json, os, sys; json.dump([json.load(sys.stdin), sys.argv, dict(os.environ)], open('got', 'w'))"
    sgltriage("watch", "--on-diagnosis", python(script), "--alert-level", "fatal", stdin=data)
    event, argv, environment = json.loads((sgltriage.folder / "got").read_text())
    assert event["id"] == environment["SGLTRIAGE_ID"] == CAUSE
    assert "touch pwned" in event["text"]
    assert "\x1b" not in event["text"]
    assert argv == ["-c"]
    assert not any("pwned" in value for value in environment.values())
    assert not (sgltriage.folder / "pwned").exists()


class Receiver(ThreadingHTTPServer):
    """Refuses the first two posts, and keeps the others."""

    daemon_threads = True

    def __init__(self) -> None:
        self.tries = 0
        self.got: list[dict[str, Any]] = []
        self.tokens: set[str | None] = set()
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tries += 1
        self.server.tokens.add(self.headers["Authorization"])
        is_taken = self.server.tries > 2
        if is_taken:
            self.server.got.append(json.loads(body))
        self.send_response(200 if is_taken else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture(name="receiver")
def receiver_fixture() -> Iterator[Receiver]:
    """On loopback."""
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_that_is_down_at_first(sgltriage: Command, receiver: Receiver) -> None:
    """What it missed is posted when it is there, also when watching ended meanwhile; no token in argv, in URL or on a screen."""
    (sgltriage.folder / "token").write_text("Bearer s3cr3t-t0ken-value\n")
    done = sgltriage(
        "watch", "--webhook", "env:HOOK", "--webhook-header", "Authorization: file:token", "--format", "jsonl", stdin=LOG,
        env={"HOOK": f"http://127.0.0.1:{receiver.server_address[1]}/T0/s3cr3t-path"},
    )  # fmt: skip
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert CAUSE in [event["id"] for event in receiver.got]
    assert all(event in told for event in receiver.got)
    assert receiver.tokens == {"Bearer s3cr3t-t0ken-value"}
    assert b"answered with status 503: tried again" in done.stdout
    assert b"s3cr3t" not in done.stdout + done.stderr


def test_a_webhook_that_is_not_there(sgltriage: Command) -> None:
    """Costs at most five seconds in the end, and a note."""
    began = time.monotonic()
    done = sgltriage("watch", "--webhook", "http://127.0.0.1:9/", stdin=LOG)
    assert done.returncode == 1
    assert b"given up for this alert" in done.stderr
    assert time.monotonic() - began < 30


def scrape(url: str) -> dict[str, float]:
    """Every sample by its name and the values of its labels."""
    request = urllib.request.Request(url, headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    with urllib.request.urlopen(request, timeout=20) as response:
        return samples(response.read().decode())


def wait_for(url: str, is_so: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """The first scrape of which it is true, within 20 s."""
    end = time.monotonic() + 20
    while not is_so(found := scrape(url)):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def test_metrics_while_it_runs(sgltriage: Command) -> None:
    """Scraped by a real client, before and after a diagnosis, with what became of a hook."""
    words = ("--metrics", "0", "--on-diagnosis", python("import sys; sys.exit(1)"), "--format", "jsonl")
    with watching(sgltriage, *words) as process:
        feed(process, b"[2026-03-01 09:00:00] server_args=ServerArgs(model_path='m', tp_size=1)\n")
        url = str(next_event(process, "note", "metrics")["text"]).rpartition(" ")[2]
        wait_for(url, lambda found: found.get("sgltriage_lines_total -", 0) == 1)
        feed(process, LOG)
        found = wait_for(url, lambda found: f"sgltriage_diagnosis_active {CAUSE} fatal" in found)
        assert found[f"sgltriage_diagnosis_active {CAUSE} fatal"] == 1
        assert found["sgltriage_lines_total -"] == 1 + LOG.count(b"\n")
        found = wait_for(url, lambda found: found["sgltriage_alerts_total hook failed"] >= 1)
        assert found["sgltriage_events_total diagnosis-appeared"] >= 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 130


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--on-diagnosis", "no-such-program-here"), b"no-such-program-here: there is no such program"),
        (("--on-diagnosis", "cat | cat"), b"runs no shell"),
        (("--webhook", "ftp://x/s3cr3t"), b"begins with https://"),
        (("--webhook-header", "X-A: b"), b"--webhook-header needs --webhook"),
        (("--webhook", "https://x/", "--webhook-header", "Authorization: s3cr3t"), b"must not stand in the command"),
        (("--metrics", "x"), b"no port"),
        (("--metrics", "192.0.2.1:0"), b"--metrics: 192.0.2.1:0"),
        (("--hook-timeout", "0"), b"less than 1"),
        (("--alert-level", "loud"), b"none of info, warning, error, fatal"),
        (("--label", "x"), b"no NAME=VALUE"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_read(sgltriage: Command, words: tuple[str, ...], said: bytes) -> None:
    """In one line, with status 2, and without a secret."""
    done = sgltriage("watch", *words, stdin=LOG)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr
    assert b"s3cr3t" not in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_full_disk_does_not_stop_hooks(sgltriage: Command) -> None:
    """stdout is lost, which is told once, and the command fails in the end; the hook ran all the same."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "triage", "watch", "--on-diagnosis", "tee hooked"], input=LOG, stdout=full,
            stderr=subprocess.PIPE, cwd=sgltriage.folder, env=sgltriage.environment, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count(b"No space left") == 2
    assert CAUSE.encode() in (sgltriage.folder / "hooked").read_bytes()


def test_a_status_line_and_events_do_not_mix(sit: Sit) -> None:
    """On a terminal every line of events stands by itself once the status was drawn over."""
    terminal = sit(sys.executable, "-m", "triage", "watch", columns=200, stdin=subprocess.PIPE)
    feed(terminal.process, LOG)
    terminal.wait_for(CAUSE.encode())
    terminal.wait_for(b"lines/s")
    assert terminal.process.stdin is not None
    terminal.process.stdin.close()
    assert terminal.end() == 1
    lines = [on_screen(line) for line in terminal.seen.decode().split("\r\n")]
    (event,) = [line for line in lines if f"+ fatal {CAUSE}" in line]
    assert re.match(r"\d\d:\d\d:\d\d \+ fatal ", event)
    assert not any("lines/s" in line for line in lines)


def on_screen(line: str) -> str:
    """What a terminal shows of a line whose parts were written over each other."""
    cells: list[str] = []
    for part in line.split("\r"):
        cells[: len(part)] = part
    return "".join(cells).rstrip()


def test_no_status_line_where_the_server_prints(sgltriage: Command) -> None:
    """Nor where nobody looks: a pipe gets the same bytes as ever."""
    done = sgltriage("watch", stdin=LOG, env={"TERM": "xterm"})
    assert b"lines/s" not in done.stdout + done.stderr
    assert b"\r" not in done.stdout + done.stderr


def test_who_asks_for_nothing_loads_nothing(sgltriage: Command) -> None:
    """Neither TLS nor HTTP is imported where nobody is to be told over a network."""
    done = sgltriage("watch", stdin=b"x\n", env={"PYTHONPROFILEIMPORTTIME": "1"})
    rows = [row for row in done.stderr.decode().splitlines() if row.startswith("import time:")]
    modules = {row.rpartition("|")[2].strip() for row in rows}
    assert "triage.watching.fan_out" in modules
    assert modules & {"ssl", "http", "http.client", "http.server", "socketserver", "asyncio", "triage.child"} == set()
