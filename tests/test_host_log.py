"""Lines of a kernel log, placed in time against the run of a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.host_log import Run, lines_of_run, run_of

NOON = 1772366400.0
"""2026-03-01 12:00:00 UTC."""
RECORDED = "2026-03-03T12:00:00+00:00"
DAYS = 86400.0
FAULT = "NVRM: Xid (PCI:0000:00:06): 79, GPU has fallen off the bus."
KILL = "Out of memory: Killed process 4211 (python3)"
WELL = Run(NOON, NOON + 60, is_healthy=True)


def kept(
    front: str, text: str = FAULT, run: Run = WELL, recorded: str = RECORDED, uptime: str = "172800.0 1.0\n"
) -> bool:
    """Whether the line still says what it said; the host started at NOON unless ``uptime`` says otherwise."""
    line = f"{front}{text}"
    found = lines_of_run(line, uptime, recorded, run)
    assert len(found.encode()) == len(line.encode())
    assert found.startswith(front)
    return found == line


@pytest.mark.parametrize(
    ("front", "inside"),
    [
        ("[   10.000000] ", True),
        ("[100000.000000] ", False),
        ("<4>[   10.000000] ", True),
        ("[Sun Mar  1 12:00:10 2026] ", True),
        ("[Sun Feb 15 12:00:10 2026] ", False),
        ("Mar 01 12:00:10 node-1 kernel: ", True),
        ("Feb 15 12:00:10 node-1 kernel: ", False),
        ("Mar 10 12:00:10 node-1 kernel: ", False),
        ("2026-03-01T12:00:10+00:00 node-1 kernel: ", True),
        ("2026-02-15T12:00:10+00:00 node-1 kernel: ", False),
    ],
)
def test_every_way_to_name_a_time(front: str, *, inside: bool) -> None:
    """Seconds since the start, full dates, and dates without a year, which are never ahead of the recording."""
    assert kept(front) is inside


@pytest.mark.parametrize("hours", [-13, 11])
def test_no_zone_is_left_out(hours: int) -> None:
    """A server's log in another zone than the kernel's clock must not hide what happened in its run."""
    assert kept(f"[{30 * DAYS + hours * 3600:.6f}] ", recorded=RECORDED, uptime=f"{32 * DAYS:.1f} 1.0\n")
    assert not kept(f"[{30 * DAYS + hours * 3600 * 2:.6f}] ", uptime=f"{32 * DAYS:.1f} 1.0\n")


@pytest.mark.parametrize(
    ("recorded", "uptime"),
    [("", "172800.0 1.0\n"), ("yesterday", "172800.0 1.0\n"), (RECORDED, ""), (RECORDED, "5.0 1.0\n")],
)
def test_what_cannot_be_placed_stays(recorded: str, uptime: str) -> None:
    """Without the time of the recording, or with a clock that is not that of the log."""
    assert kept("[100000.000000] ", recorded=recorded, uptime=uptime)


@pytest.mark.parametrize(
    ("run", "fault", "kill"),
    [
        (Run(NOON, NOON, is_healthy=True), False, False),
        (Run(NOON, NOON, is_healthy=True, has_gpu_fault=True), True, False),
        (Run(NOON, NOON, is_healthy=False), True, False),
        (Run(None, None, is_healthy=True), False, False),
        (Run(None, None, is_healthy=False), True, True),
    ],
)
def test_what_is_over_and_what_lasts(run: Run, *, fault: bool, kill: bool) -> None:
    """Of lines from another day."""
    assert kept("[100000.000000] ", FAULT, run) is fault
    assert kept("[100000.000000] ", KILL, run) is kill


def test_the_run_of_a_log() -> None:
    """Its first and last time; what names no date tells nothing."""
    run = run_of("2026-03-01 12:00:00", "2026-03-01 12:01:00", is_healthy=True, has_gpu_fault=False)
    assert run == WELL
    assert run_of("12:00:00", None, is_healthy=True, has_gpu_fault=False).first is None


@given(st.text(max_size=200), st.text(max_size=20), st.text(max_size=30))
def test_any_text(text: str, uptime: str, recorded: str) -> None:
    """Nothing raises, and as many lines come out."""
    assert lines_of_run(text, uptime, recorded, WELL).count("\n") == text.count("\n")
