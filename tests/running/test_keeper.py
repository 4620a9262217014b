"""The parts of the keeper: the log file, lines of two streams, backlogs."""

from __future__ import annotations

import ast
import errno
import itertools
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from triage.running.backlog import Backlog
from triage.running.joined import Joined, TerminalUndone
from triage.running.log_file import LogFile

ROOT = Path(__file__).parents[2]


def drained(backlog: Backlog) -> list[tuple[int, bytes, int, bytes]]:
    """All frames of a backlog that was closed."""
    backlog.close()
    return list(iter(backlog.take, None))


def joined(*pieces: tuple[int, bytes], streams: int = 2) -> bytes:
    """What comes of pieces of streams, flushed in the end."""
    side = Backlog(1 << 20)
    both = Joined(side, None, streams)
    for stream, data in pieces:
        both.put(stream, data)
    for stream in range(streams):
        both.flush(stream)
    return b"".join(data for _, _, _, data in drained(side))


def test_lines_of_two_streams_are_not_torn() -> None:
    """A line that is written in pieces stays whole, whatever the other stream writes meanwhile."""
    assert joined((0, b"begin"), (1, b"error\n"), (0, b"ning\n")) == b"error\nbeginning\n"
    assert joined((0, b"no end"), (1, b"line\n")) == b"line\nno end"


def test_what_is_left_of_a_stream_does_not_run_into_the_other() -> None:
    """A progress bar without an end, given out because nothing came for a while, is a line of its own."""
    side = Backlog(1 << 20)
    both = Joined(side, None, 2)
    both.put(1, b"50%|###  ")
    assert both.holds_back(1)
    both.flush(1)
    both.put(0, b"Traceback\n")
    assert b"".join(data for _, _, _, data in drained(side)) == b"50%|###  \nTraceback\n"


def test_one_stream_is_given_as_it_comes() -> None:
    """Nothing is held back where nobody can write into a line."""
    assert joined((0, b"a"), (0, b"b\nc"), streams=1) == b"ab\nc"


def test_a_line_of_any_length_is_not_held_for_ever() -> None:
    """Memory is bounded: beyond 64 KiB the beginning goes out."""
    side = Backlog(1 << 20)
    both = Joined(side, None, 2)
    both.put(0, b"x" * 70_000)
    assert not both.holds_back(0)


@pytest.mark.parametrize("cut", range(9))
def test_a_terminals_line_ends_are_undone_wherever_they_are_cut(cut: int) -> None:
    """A carriage return of its own stays."""
    undo, data = TerminalUndone(), b"a\r\nb\rc\r\n\r"
    assert undo(data[:cut]) + undo(data[cut:]) + undo.rest() == b"a\nb\rc\n\r"


def test_a_full_backlog_leaves_out_the_middle() -> None:
    """What came first and what came last stay, the gap is counted where it is, and frames without data always pass."""
    backlog = Backlog(8)
    for letter in (b"a", b"b", b"c", b"d"):
        backlog.put(b"D", 4, letter * 4)
    backlog.put(b"E", 9)
    for letter in (b"e", b"f"):
        backlog.put(b"D", 4, letter * 4)
    backlog.put(b"Z")
    frames = [(lost, letter, data) for lost, letter, _, data in drained(backlog)]
    assert frames == [(0, b"D", b"aaaa"), (12, b"E", b""), (4, b"D", b"ffff"), (0, b"Z", b"")]


def test_a_backlog_that_is_taken_from_has_room_again() -> None:
    """One gap for one time of too much, and nothing is missing once the reader has caught up."""
    backlog = Backlog(8)
    for letter in (b"a", b"b", b"c"):
        backlog.put(b"D", 4, letter * 4)
    assert [backlog.take() for _ in range(2)] == [(0, b"D", 4, b"aaaa"), (4, b"D", 4, b"cccc")]
    backlog.put(b"D", 4, b"dddd")
    backlog.put(b"D", 4, b"eeee")
    assert drained(backlog) == [(0, b"D", 4, b"dddd"), (0, b"D", 4, b"eeee")]


def test_a_disk_that_hangs_is_waited_for_once() -> None:
    """The first time as long as patience lasts, then not at all until half is free."""
    backlog = Backlog(10)
    backlog.put(b"D", 8, b"a" * 8)
    waiting = threading.Thread(target=backlog.wait_for_room, args=(0.05,))
    waiting.start()
    waiting.join(10)
    assert not waiting.is_alive()
    backlog.wait_for_room(1e6)  # would not come back if it waited again
    backlog.take()
    backlog.put(b"D", 1, b"b")
    backlog.wait_for_room(1e6)


def test_rotation_keeps_every_line_once(tmp_path: Path) -> None:
    """Files change at line ends, the newest beside FILE is FILE.1, and no more are kept than asked for."""
    path = tmp_path / "server.log"
    file = LogFile(os.fsencode(path), 1000, 100)
    lines = [b"%05d %s\n" % (number, b"x" * (number % 50)) for number in range(500)]
    for piece in (
        itertools.batched(lines, 7)
        if hasattr(itertools, "batched")
        else (lines[at : at + 7] for at in range(0, 500, 7))
    ):
        file.write(b"".join(piece))
    names = sorted(tmp_path.iterdir(), key=lambda item: -int(item.suffix[1:]) if item.suffix != ".log" else 0)
    assert b"".join(name.read_bytes() for name in names) == b"".join(lines)
    assert len(names) > 5
    for name in names[:-1]:
        data = name.read_bytes()
        assert data.endswith(b"\n")
        assert 1000 <= len(data) < 1100
    assert {name.stat().st_mode & 0o777 for name in names} == {0o600}


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_as_many_files_as_asked_for(tmp_path: Path, keep: int) -> None:
    """The oldest go."""
    path = tmp_path / "server.log"
    file = LogFile(os.fsencode(path), 100, keep)
    for number in range(100):
        file.write(b"line %04d\n" % number)
    assert sorted(item.name for item in tmp_path.iterdir()) == [
        "server.log", *(f"server.log.{number}" for number in range(1, keep + 1))
    ]  # fmt: skip
    assert path.read_bytes().endswith(b"line 0099\n")


def test_a_log_is_gone_on_with(tmp_path: Path) -> None:
    """A second run appends, and counts what is there."""
    path = tmp_path / "server.log"
    path.write_bytes(b"earlier line\n" * 10)
    LogFile(os.fsencode(path), 100, 2).write(b"new\n")
    assert path.read_bytes() == b"new\n"
    assert (tmp_path / "server.log.1").read_bytes() == b"earlier line\n" * 10


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Whoever may write to the folder does not choose the file."""
    (tmp_path / "server.log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError) as refused:
        LogFile(os.fsencode(tmp_path / "server.log"), 0, 0).write(b"x\n")
    assert refused.value.errno == errno.ELOOP


def test_a_full_disk_is_tried_again() -> None:
    """Each write says so by itself."""
    file = LogFile(b"/dev/full", 0, 0)
    for _ in range(2):
        with pytest.raises(OSError) as refused:
            file.write(b"x\n")
        assert refused.value.errno == errno.ENOSPC


def test_the_keeper_needs_the_standard_library_alone(tmp_path: Path) -> None:
    """It runs without site-packages, and from wherever it lies."""
    program = "import sys; sys.path.append(sys.argv[1]); import triage.running.keeper; print(sorted(n for n in sys.modules if n.startswith('triage')))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(ROOT)], capture_output=True, cwd=tmp_path, check=True
    )
    found = {
        f"triage{name}"
        for name in (
            "",
            ".running",
            *(f".running.{part}" for part in ("backlog", "joined", "keeper", "log_file", "pump")),
        )
    }
    assert set(ast.literal_eval(done.stdout.decode())) == found
