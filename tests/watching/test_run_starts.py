"""Where another run of a server begins, as its starter tells it."""

from __future__ import annotations

import pytest

from triage.watching.run_starts import RunStarts

JOURNAL = (
    b"2026-03-01T10:00:00+0000 n1 systemd[1]: Started sglang.service - SGLang.\n"
    b"2026-03-01T10:00:03+0000 n1 python3[12]: launch_server.py: error: unrecognized arguments: --tq\n"
    b"2026-03-01T10:00:03+0000 n1 systemd[1]: sglang.service: Main process exited, code=exited, status=2\n"
    b"2026-03-01T10:00:08+0000 n1 systemd[1]: sglang.service: Scheduled restart job, restart counter is at 1.\n"
    b"2026-03-01T10:00:08+0000 n1 systemd[1]: Started sglang.service - SGLang.\n"
    b"2026-03-01T10:00:09+0000 n1 python3[14]: it said systemd[1]: as well\n"
    b"2026-03-01T10:09:00+0000 n1 systemd[1]: Stopped sglang.service - SGLang.\n"
)


@pytest.mark.parametrize("size", [1, 7, 64, 5000])
def test_a_journal_tells_of_restarts(size: int) -> None:
    """However its bytes come, with the line in which systemd says so."""
    starts, line = RunStarts(), 1
    for at in range(0, len(JOURNAL), size):
        part = JOURNAL[at : at + size]
        starts.take(part, line)
        line += part.count(b"\n")
    assert starts.lines == (4, 7)


def test_a_line_that_was_cut_off_does_not_go_on() -> None:
    """What comes next in another line is no part of it."""
    starts = RunStarts()
    starts.take(b"n1 systemd[1]: Stop", 1)
    starts.end_line()
    starts.take(b"ped sglang\n", 2)
    assert starts.lines == ()


def test_a_reader_tells_of_it_once() -> None:
    """A container that is not started again has one end, however often its client is; the memory for them has an end too."""
    starts = RunStarts()
    for line in (5, 5, 9):
        starts.begin(line)
    assert starts.lines == (5, 9)
    for line in range(10, 5000):
        starts.begin(line)
    assert (len(starts.lines), starts.lines[-1]) == (1000, 4999)
