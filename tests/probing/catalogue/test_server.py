"""SGLang processes: recorded, and a real child that looks like a server."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from triage.model import Value
from triage.probing.capture import capture
from triage.probing.catalogue.processes import Process, from_text, running, to_text
from triage.probing.catalogue.server import SERVER_PROCESS
from triage.probing.catalogue.text_forms import ASKED
from triage.probing.probe import Target, Transcript

COMMAND = ("/opt/venv/bin/python3", "-m", "sglang.launch_server", "--model-path", "/models/m", "--port", "30001")
# Listens, tells its port, and ends by itself whatever becomes of the test.
PROGRAM = """import socket, sys, time
server = socket.create_server(("127.0.0.1", 0))
print("listening", server.getsockname()[1], flush=True)
time.sleep(30)
"""


def facts(*processes: Process, asked: str = "") -> dict[str, Value]:
    """The facts of recorded processes."""
    made = [Transcript("processes of SGLang", "ok", to_text(processes)), Transcript(ASKED, "ok", asked)]
    return dict(SERVER_PROCESS.parse(made))


@pytest.fixture
def fake_server(tmp_path: Path) -> Iterator[tuple[int, int, Path]]:
    """A child with a server's command line: its number, its port and its log."""
    package = tmp_path / "sglang"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "launch_server.py").write_text(PROGRAM)
    log = tmp_path / "server.log"
    command = (sys.executable, "-m", "sglang.launch_server", "--api-key", "sk-not-a-real-key-123456")
    with open(log, "wb") as output, subprocess.Popen(command, cwd=tmp_path, stdout=output) as child:
        try:
            end = time.monotonic() + 20
            while "listening" not in log.read_text() and time.monotonic() < end:
                time.sleep(0.05)
            yield child.pid, int(log.read_text().split()[1]), log
        finally:
            child.kill()


def test_no_process() -> None:
    """That none runs is told too."""
    assert facts() == {"server_process.running": False, "router_process.running": False}


def test_server_router_and_parts() -> None:
    """Each kind has its facts; a child that died and was not waited for is counted."""
    found = facts(
        Process(
            10, "server", COMMAND, 1, "S", "2026-01-02T03:04:05Z", "/opt/venv/bin/python3", "/logs/a.log", (30001,)
        ),
        Process(11, "router", (), 1, "S", ports=(30000,)),
        Process(12, "part", (), 10, "S"),
        Process(13, "part", (), 10, "Z"),
    )
    assert found == {
        "server_process.running": True,
        "server_process.count": 1,
        "server_process.pid": 10,
        "server_process.command": COMMAND,
        "server_process.ports": (30001,),
        "server_process.python": "/opt/venv/bin/python3",
        "server_process.started": "2026-01-02T03:04:05Z",
        "server_process.log": "/logs/a.log",
        "server_process.state": "S",
        "router_process.running": True,
        "router_process.count": 1,
        "router_process.pid": 11,
        "router_process.ports": (30000,),
        "router_process.state": "S",
        "server_process.parts": 2,
        "server_process.dead_parts": 1,
    }


def test_of_several_servers_the_one_that_is_asked_about() -> None:
    """The port of the launch chooses; else the first is taken, and the count says that there are more."""
    first, second = Process(10, "server", ("sglang", "serve")), Process(20, "server", COMMAND)
    assert facts(first, second)["server_process.pid"] == 10
    assert facts(first, second, asked="server_port 30001\n")["server_process.pid"] == 20
    assert facts(first, second)["server_process.count"] == 2


def test_recordings() -> None:
    """What is written is read again, odd ends of lines in a command included; other text is refused."""
    made = (Process(10, "server", ("a\u2028b", "c\nd", "\x85")),)
    assert from_text(to_text(made)) == made
    for text in ("{}", "[1]", '{"pid": "x"}', "nothing", "[" * 100_000):
        with pytest.raises(ValueError):
            from_text(text)


def test_a_real_process(fake_server: tuple[int, int, Path]) -> None:
    """A child with a server's command is found with its port, its log and its start, and its key is not shown."""
    pid, port, log = fake_server
    found = next(item for item in running() if item.pid == pid)
    assert found.kind == "server"
    assert found.command[:3] == (sys.executable, "-m", "sglang.launch_server")
    assert "not-a-real-key" not in " ".join(found.command)
    assert found.python == sys.executable
    assert found.log == str(log)
    assert found.ports == (port,)
    assert found.started.startswith("20")
    assert found.started.endswith("Z")
    transcripts = [capture(read, {}) for read in SERVER_PROCESS.reads(Target(pid=pid, facts={"server.port": port}))]
    told = dict(SERVER_PROCESS.parse(transcripts))
    assert (told["server_process.pid"], told["server_process.count"]) == (pid, 1)


def test_a_process_that_is_gone() -> None:
    """Of a number that no process has nothing is found."""
    assert [item for item in running(2**22 + 5) if item.kind == "server"] == []
