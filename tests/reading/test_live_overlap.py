"""A client that is started anew prints some lines again: each comes once, and what cannot be known is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.reading.following import Clock
from triage.reading.live import Chunk, Item
from triage.reading.live_child import LiveClient
from triage.reading.live_overlap import Overlap
from triage.reading.live_sources import ClientCommand

STAMP = b"2026-03-01T10:00:%02d.%09dZ "


def line(second: int, text: bytes, fraction: int = 0) -> bytes:
    """A line as docker and kubectl print it with time stamps."""
    return STAMP % (second, fraction) + text + b"\n"


def again(before: bytes, after: bytes, size: int = 7) -> bytes:
    """What comes of a second run, in pieces of ``size`` bytes, after a first one."""
    overlap = Overlap()
    overlap.take(before)
    overlap.begin_again()
    pieces = [after[at : at + size] for at in range(0, len(after), size)]
    return b"".join([*map(overlap.take, pieces), overlap.rest()])


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_lines_that_came_are_left_out(size: int) -> None:
    """Whatever the pieces; what is new comes whole."""
    old, new = line(1, b"a") + line(2, b"b") + line(2, b"b"), line(2, b"c") + line(3, b"b")
    assert again(old, line(2, b"b") * 2 + new, size) == new


def test_equal_lines_are_counted() -> None:
    """Of three lines that are the same to the letter, two came before: the third is new."""
    assert again(line(1, b"x") * 2, line(1, b"x") * 3) == line(1, b"x")


def test_a_line_without_a_time_is_not_taken_for_another() -> None:
    """Servers print the same words again and again."""
    assert again(b"retrying\n", b"retrying\nretrying\n") == b"retrying\n" * 2


def test_a_message_of_several_lines() -> None:
    """journalctl stamps only the first line: the others go with it."""
    head = b"2026-03-01T10:00:01+0000 node sglang[7]: Traceback\n"
    assert again(head + b"    frame\n", head + b"    frame\n    frame\n") == b"    frame\n"


def test_half_a_line_comes_whole() -> None:
    """The line that the first run was cut in is printed again, and is no repetition of its half."""
    whole = line(5, b"a whole line")
    assert again(line(4, b"a") + whole[:30], line(4, b"a") + whole) == whole


def test_nothing_is_held_back_for_long() -> None:
    """Once more came than can be repeated, half lines pass at once."""
    overlap = Overlap()
    overlap.take(line(1, b"gone"))
    overlap.begin_again()
    assert overlap.take(line(7, b"x" * 100)) == line(7, b"x" * 100)
    assert overlap.take(b"half") == b"half"


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        (b"2026-03-01T10:00:41.123456789Z ", 1772359240.0),
        (b"2026-03-01T10:00:41+0000 ", 1772359240.0),
        (b"2026-03-01T12:00:41.5+02:00 ", 1772359240.0),
        (b"[pod/a-0/server] 2026-03-01T10:00:41Z ", 1772359240.0),
        (b"2026-13-01T10:00:41Z ", None),
        (b"[2026-03-01 10:00:41 TP0] ", None),
    ],
)
def test_from_when_it_goes_on(stamp: bytes, seconds: float | None) -> None:
    """A second before the last line that has a time, by the clock of the client's host."""
    overlap = Overlap()
    overlap.take(stamp + b"text\n    no time\n")
    assert overlap.since() == seconds


def test_what_is_not_remembered_is_said() -> None:
    """More than four megabytes within the last second cannot all be known again; older ones need not be."""
    overlap = Overlap()
    block = line(30, b"x" * 1000) * 1000
    for _ in range(6):
        overlap.take(block)
    assert overlap.since() is not None
    assert not overlap.complete
    overlap.take(line(59, b"later"))
    overlap.since()
    assert overlap.complete


def test_a_client_goes_on_where_it_stopped(clock: Clock, tmp_path: Path) -> None:
    """Killed within a line, the client is started again from a second before; each line comes once, and no loss is noted."""
    log = tmp_path / "log"
    log.write_bytes(line(1, b"one") + line(2, b"two") + line(3, b"three")[:-3])
    program = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
    asked: list[float | None] = []

    def argv(since: float | None) -> list[str]:
        asked.append(since)
        return [sys.executable, "-c", program, str(log)]

    source = LiveClient(ClientCommand("a", argv, errors_apart=True), clock=clock)
    items = ended(source)
    log.write_bytes(line(2, b"two") + line(3, b"three") + line(4, b"four"))
    clock.now += 2
    items += ended(source)
    source.close()
    chunks = [item for item in items if isinstance(item, Chunk)]
    assert b"".join(item.data for item in chunks if item.generation == 1) == line(3, b"three") + line(4, b"four")
    assert not any(item.loss for item in items if not isinstance(item, Chunk))
    assert 1772359202.0 in asked


def ended(source: LiveClient) -> list[Item]:
    """All that comes up to the client's end."""
    items: list[Item] = []
    while not any(not isinstance(item, Chunk) and item.kind == "ended" for item in items):
        items += source.poll()
    return items
