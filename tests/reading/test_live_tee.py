"""Passing through while watching: the output is unchanged and never waits, whatever becomes of the watcher."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.reading.live_items import drained, joined
from triage.reading.live import Item, Note
from triage.reading.live_tee import LiveTee

ROOT = Path(__file__).resolve().parents[2]


def end_of(source: LiveTee, *, within_s: float = 10.0) -> list[Item]:
    """All items up to the end, once the process has gone too."""
    end = time.monotonic() + within_s
    items = drained(source, within_s=within_s)
    while source._pid is not None and time.monotonic() < end:
        source.close()
        time.sleep(0.001)
    return items


def test_bytes_reach_both(tmp_path: Path) -> None:
    """What is written comes out unchanged, and is watched, to its end."""
    ours, theirs = os.pipe()
    with (tmp_path / "out").open("wb") as out:
        source = LiveTee(ours, out.fileno())
    sent = os.urandom(3 << 20)
    with open(theirs, "wb") as stream:
        stream.write(sent)
    items = end_of(source)
    assert joined(items) == sent
    assert items[-1] == Note("ended", "end of input")
    assert (tmp_path / "out").read_bytes() == sent
    os.close(ours)


def test_output_is_at_once() -> None:
    """Single bytes are on the other side at once, not in blocks."""
    (ours, theirs), (read, write) = os.pipe(), os.pipe()
    source = LiveTee(ours, write)
    os.close(write)
    os.write(theirs, b"!")
    assert os.read(read, 10) == b"!"
    delays = []
    for _ in range(50):
        began = time.monotonic()
        os.write(theirs, b"line\n")
        assert os.read(read, 10) == b"line\n"
        delays.append(time.monotonic() - began)
    assert sorted(delays)[25] < 0.01
    os.close(theirs)
    assert os.read(read, 10) == b""
    assert joined(end_of(source)) == b"!" + b"line\n" * 50
    os.close(read)
    os.close(ours)


def test_slow_watcher_does_not_hold_up_the_output(tmp_path: Path) -> None:
    """While nobody polls the output is complete; what the watcher missed is told, in its place."""
    ours, theirs = os.pipe()
    with (tmp_path / "out").open("wb") as out:
        source = LiveTee(ours, out.fileno(), backlog=1 << 20)
    total = 32 << 20
    with open(theirs, "wb") as stream:
        stream.write(b"x" * total)
    end = time.monotonic() + 10
    while (tmp_path / "out").stat().st_size < total:
        assert time.monotonic() < end
        time.sleep(0.01)
    items = end_of(source)
    missed = [item for item in items if isinstance(item, Note) and item.kind == "dropped"]
    assert missed
    assert all(note.loss for note in missed)
    count = sum(int(note.text.split()[0].replace(",", "")) for note in missed)
    assert len(joined(items)) + count == total
    os.close(ours)


def test_closed_watcher_does_not_end_the_output(tmp_path: Path) -> None:
    """Bytes that come after the watcher has failed and closed are passed through all the same."""
    ours, theirs = os.pipe()
    with (tmp_path / "out").open("wb") as out:
        source = LiveTee(ours, out.fileno())
    os.write(theirs, b"before\n")
    source.close()
    os.write(theirs, b"after\n")
    os.close(theirs)
    end = time.monotonic() + 5
    while source._pid is not None:
        assert time.monotonic() < end
        source.close()
        time.sleep(0.01)
    assert (tmp_path / "out").read_bytes() == b"before\nafter\n"
    os.close(ours)


def test_nobody_reads_the_output() -> None:
    """The writer is told by SIGPIPE, as without us, and the source ends cleanly."""
    (ours, theirs), (read, write) = os.pipe(), os.pipe()
    source = LiveTee(ours, write)
    os.close(write)
    os.close(ours)
    os.close(read)
    os.write(theirs, b"to nobody\n")
    items = end_of(source)
    assert [item.kind for item in items if isinstance(item, Note)] == ["output", "ended"]
    with pytest.raises(BrokenPipeError):
        os.write(theirs, b"again\n")
    os.close(theirs)


def test_full_disk_does_not_end_the_writer() -> None:
    """Output that cannot be written is lost with a note; the writer lives and is watched on."""
    ours, theirs = os.pipe()
    with open("/dev/full", "wb") as out:
        source = LiveTee(ours, out.fileno())
    for _ in range(3):
        os.write(theirs, b"line\n")
        time.sleep(0.05)
    os.close(theirs)
    items = end_of(source)
    assert joined(items) == b"line\n" * 3
    notes = [item for item in items if isinstance(item, Note)]
    assert [note.kind for note in notes] == ["output", "ended"]
    assert "No space left" in notes[0].text
    os.close(ours)


def test_killed_helper_is_told() -> None:
    """If the process that passes the bytes through is killed, the source ends with a note of loss."""
    ours, theirs = os.pipe()
    null = os.open(os.devnull, os.O_WRONLY)
    source = LiveTee(ours, null)
    assert source._pid is not None
    os.kill(source._pid, signal.SIGKILL)
    (note,) = end_of(source)
    assert isinstance(note, Note)
    assert (note.kind, note.loss) == ("ended", True)
    for fd in (ours, theirs, null):
        os.close(fd)


_WATCHER = """
import os, sys, time
from triage.reading.live_tee import LiveTee
source = LiveTee(0, 1)
print("watching", os.getpid(), file=sys.stderr, flush=True)
time.sleep(float(sys.argv[1]))
while not source.ended:
    source.poll()
    time.sleep(0.01)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_watcher_in_a_pipeline(tmp_path: Path, number: int) -> None:
    """kill -9, SIGTERM or SIGINT of the watcher: the writer's output is complete and unharmed."""
    with (tmp_path / "out").open("wb") as out:
        watcher = subprocess.Popen(
            [sys.executable, "-c", _WATCHER, "60"], stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE, cwd=ROOT
        )
    assert watcher.stdin is not None
    assert watcher.stderr is not None
    assert watcher.stderr.readline().startswith(b"watching")
    digest = hashlib.sha256()
    with watcher.stdin as stream:
        for turn in range(64):
            block = os.urandom(1 << 16)
            digest.update(block)
            stream.write(block)
            if turn == 20:
                watcher.send_signal(number)
                watcher.wait(10)
    end = time.monotonic() + 10
    while (tmp_path / "out").stat().st_size < 64 << 16 and time.monotonic() < end:
        time.sleep(0.01)
    watcher.stderr.close()
    assert hashlib.sha256((tmp_path / "out").read_bytes()).digest() == digest.digest()
