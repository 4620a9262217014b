"""A log whose times go back says where; orderly ones, and those of several machines, say nothing."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import pytest

from triage.engine import observe_text, scan_text
from triage.knowledge.compiled import Knowledge
from triage.matching.clock_lane import ClockLane
from triage.matching.clock_watch import EXACT, STRIDE
from triage.model import ClockStep
from triage.watching.live_scan import LiveScan

START = datetime(2026, 3, 1, 9, 0, 0)
"""The time that the first line of each log prints."""


def line(
    second: float, text: str = "Decode batch, #running-req: 3, #token: 4096, gen throughput (token/s): 61.2"
) -> str:
    """A line of a server's log, so many seconds after the first."""
    return f"[{START + timedelta(seconds=second):%Y-%m-%d %H:%M:%S} TP0] {text}\n"


def steps(knowledge: Knowledge, lines: Iterable[str], chunk: int | None = None) -> tuple[ClockStep, ...]:
    """Where the clock of a log goes back."""
    return observe_text("".join(lines).encode(), knowledge, "a.log", chunk).inputs[0].clock_steps


def serving(first: float, count: int, every: float = 1.0) -> Iterator[str]:
    """So many lines from a moment on."""
    return (line(first + number * every) for number in range(count))


def test_a_clock_that_is_set_back_is_told(knowledge: Knowledge) -> None:
    """The line, the seconds, and what it means for the reader; whole half hours may be another time zone."""
    log = [*serving(0, 10), *serving(-2000, 10)]
    assert steps(knowledge, log) == (ClockStep(11, 2009.0),)
    (told_of,) = scan_text("".join(log).encode(), knowledge, "a.log").observation.inputs
    assert told_of.notes == (
        "clock went back 2009 s at line 11 of a.log: the order of its lines counts, not their times",
    )
    hour = observe_text("".join([*serving(0, 10), *serving(-3591, 10)]).encode(), knowledge, "a.log").inputs[0]
    assert (
        "clock went back 3600 s at line 11 of a.log (another time zone, or the end of daylight saving time?)"
        in hour.notes[0]
    )


def test_the_first_place_and_how_often(knowledge: Knowledge) -> None:
    """One note a source, however often its clock is set."""
    log = [*serving(0, 10), *serving(-2000, 10), *serving(-5000, 10)]
    note = observe_text("".join(log).encode(), knowledge, "a.log").inputs[0].notes
    assert len(note) == 1
    assert note[0].startswith("clock went back 2009 s at line 11 of a.log, and 1 more times: ")


def _restarted() -> list[str]:
    return [*serving(0, 10), *serving(90_000, 10)]


def _disordered() -> list[str]:
    return [line(number + 50 * (number % 2)) for number in range(60)]


def _two_machines() -> list[str]:
    """Their clocks differ by ten minutes, and one of them has the last word."""
    ours, theirs = ([line(shift + number) for number in range(40)] for shift in (0, -600))
    turns = [part for at in range(0, 40, 4) for part in (*ours[at : at + 4], *theirs[at : at + 4])]
    return [*turns, *serving(-560, 20)]


def _two_forms() -> list[str]:
    """A router that prints UTC beside a server in local time."""
    return [
        part
        for number in range(30)
        for part in (
            line(number + 28_800),
            f"{START + timedelta(seconds=number):%Y-%m-%d %H:%M:%S},123 - router - INFO - up\n",
        )
    ]


def _quoted() -> list[str]:
    """Lines that quote another log, or that a client wrote."""
    return [*serving(0, 10), line(-90_000, "as seen yesterday"), *serving(10, 10), line(-80_000)]


def _without_times() -> list[str]:
    return [
        *serving(0, 5),
        "node1:77:77 [0] NCCL INFO Using network Socket\n",
        "[   12.345678] Out of memory\n",
        *serving(5, 5),
    ]


@pytest.mark.parametrize(
    "make", [_restarted, _disordered, _two_machines, _two_forms, _quoted, _without_times], ids=lambda make: make.__name__[1:]
)  # fmt: skip
def test_what_is_no_step_is_not_told(knowledge: Knowledge, make: object) -> None:
    """A restart hours later, ranks out of order, clocks that differ, other forms of line, a single odd line."""
    assert callable(make)
    assert steps(knowledge, make()) == ()


def test_nodes_have_clocks_of_their_own(knowledge: Knowledge) -> None:
    """One of two pods is set back: the other's times are not compared with it."""

    def pod(name: str, second: float) -> str:
        return f"[pod/{name}/server] {line(second)}"

    log = [pod(name, number + shift) for number in range(20) for name, shift in (("a", 0.0), ("b", -700.0))]
    assert steps(knowledge, log) == ()
    back = [pod(name, number + shift) for number in range(20) for name, shift in (("a", 20.0), ("b", -4000.0))]
    assert steps(knowledge, [*log, *back]) == (ClockStep(42, 3319.0, "b"),)


@pytest.mark.parametrize("every", [0.2, 60.0])
def test_far_into_a_log_the_line_is_exact(knowledge: Knowledge, every: float) -> None:
    """Where only samples are looked at, the lines around a step are looked at again: in a busy log, and in one that prints a
    line a minute, in which an hour could go unseen."""
    count = (EXACT + 5 * STRIDE) // len(line(0)) + 17
    log = [*serving(0, count, every), *serving(count * every - 3600, count, every)]
    (found,) = steps(knowledge, log)
    assert found.line == count + 1
    assert found.seconds == pytest.approx(3600, abs=every + 1)


def test_the_answer_does_not_depend_on_the_pieces(knowledge: Knowledge) -> None:
    """Fed as a whole, in pieces of any size, or watched: the same steps, over lines with and without times, and long ones."""
    rng = random.Random(20)
    second, log = 0.0, []
    for number in range(4000):
        second += rng.random() * 4
        if number in (300, 2500, 3100):
            second -= 5000
        log.append(
            rng.choice([line(second), line(second), '  File "/x.py", line 3, in f\n', f"{'y' * rng.randrange(900)}\n"])
        )
    log[2000] = "z" * (2 << 20) + "\n"
    whole = steps(knowledge, log)
    assert [step.line // 10 for step in whole] == [30, 250, 310]
    data = "".join(log).encode()
    for chunk in (997, 65_536, 1 << 20):
        assert steps(knowledge, log, chunk) == whole
    live, at = LiveScan(knowledge), 0
    while at < len(data):
        size = rng.randrange(1, 300_000)
        live.take("a.log", data[at : at + size])
        live.report(paused=["a.log"])
        at += size
    assert live.finish().observation.inputs[0].clock_steps == whole


@pytest.mark.parametrize(
    ("fell_s", "later_s", "settled"), [(7200.0, 10.0, True), (600.0, 10.0, False), (600.0, 1300.0, True)]
)
def test_when_a_step_is_over(fell_s: float, later_s: float, settled: bool) -> None:
    """Lines that go on a little can take back a short step, until their time has passed it; a long one they cannot."""
    lane = ClockLane(None, 100_000.0)
    for further in (0.0, 1.0, 2.0):
        lane.take(100_000.0 - fell_s + further, lambda: 7)
    lane.take(100_000.0 - fell_s + later_s, lambda: 8)
    assert [step.line for step in lane.found()] == [7]
    assert lane.is_settled is settled
