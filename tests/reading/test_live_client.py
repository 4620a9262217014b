"""Clients as sources: read, ended with all that they started, run again after a pause."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.reading.following import Clock
from tests.reading.live_items import joined
from triage.reading.live import Chunk, Item, Note
from triage.reading.live_child import LiveClient
from triage.reading.live_sources import ClientCommand

Make = Callable[..., LiveClient]


@pytest.fixture
def client(clock: Clock) -> Iterator[Make]:
    """Makes clients that run a Python program; they are closed after the test."""
    made: list[LiveClient] = []

    def make(
        program: str, *, errors_apart: bool = True, asked: list[float | None] | None = None, **options: object
    ) -> LiveClient:
        def argv(since: float | None) -> list[str]:
            if asked is not None:
                asked.append(since)
            return [sys.executable, "-c", program]

        made.append(LiveClient(ClientCommand("a", argv, errors_apart), clock=clock, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for source in made:
        source.close()


def until(source: LiveClient, kind: str, *, within_s: float = 10.0) -> list[Item]:
    """Items up to a note of this kind, or a chunk."""
    items: list[Item] = []
    end = time.monotonic() + within_s
    while not any((item.kind if isinstance(item, Note) else "chunk") == kind for item in items):
        assert time.monotonic() < end
        items += source.poll()
        time.sleep(0.002)
    return items


def test_output_and_end(client: Make) -> None:
    """All that it printed comes before the note of its end, which has its last words and status."""
    source = client("import sys; print('x' * 100_000); sys.exit('no such unit')", restart=False)
    items = until(source, "ended")
    assert joined(items) == b"x" * 100_000 + b"\n"
    assert isinstance(items[-1], Note)
    assert items[-1].text == f"{sys.executable} ended with exit status 1: no such unit"
    assert source.ended


def test_stderr_of_a_container_is_log(client: Make) -> None:
    """Where the client's stderr carries the log it is read as such."""
    items = until(client("import sys; print('log', file=sys.stderr)", errors_apart=False, restart=False), "ended")
    assert joined(items) == b"log\n"


def test_started_again_with_pauses(client: Make, clock: Clock) -> None:
    """It is run again after 1, 2, 4 seconds, from a little before its last line, as a new generation."""
    asked: list[float | None] = []
    source = client("print('x')", asked=asked, wall_clock=lambda: 1000.0)
    for generation, pause_s in enumerate((1, 2, 4)):
        items = until(source, "ended")
        # However many reads it took.
        assert {item.generation for item in items if isinstance(item, Chunk)} == {generation}
        assert joined(items) == b"x\n"
        assert any(isinstance(item, Note) and item.kind == "restarted" and item.loss for item in items) == (
            generation > 0
        )
        assert isinstance(items[-1], Note)
        assert items[-1].text.endswith(f"again in {pause_s} s")
        clock.now += pause_s - 0.1
        assert source.poll() == []
        clock.now += 0.2
    assert {since for since in asked[1:] if since is not None} == {999.0}


def test_missing_client(clock: Clock) -> None:
    """A client that is not installed is a note, and is tried again."""
    source = LiveClient(ClientCommand("a", lambda since: ["no-such-client"], True), clock=clock)
    (note,) = source.poll()
    assert isinstance(note, Note)
    assert "cannot be started: No such file or directory" in note.text
    assert not source.ended
    source.close()


def test_close_ends_all_that_it_started(client: Make, tmp_path: Path) -> None:
    """A client that ignores SIGTERM, and its own child, are gone after close."""
    program = f"""
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"])
open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
print("up", flush=True)
time.sleep(60)
"""
    source = client(program)
    until(source, "chunk")
    pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
    source.close()
    end = time.monotonic() + 5
    while any(_is_alive(pid) for pid in pids):
        assert time.monotonic() < end
        time.sleep(0.01)


def _is_alive(pid: int) -> bool:
    try:
        # What nobody has waited for yet is dead all the same.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_silent_client_does_not_block(client: Make) -> None:
    """A client that prints nothing costs no time, and has a descriptor to wait on."""
    source = client("import time; time.sleep(60)")
    started = time.monotonic()
    for _ in range(50):
        assert source.poll() == []
    assert time.monotonic() - started < 2
    fd = source.fileno()
    assert fd is not None
    assert not os.get_blocking(fd)
