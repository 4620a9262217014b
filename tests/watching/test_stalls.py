"""Silence is told where requests cannot have ended unseen, and nowhere else."""

from __future__ import annotations

import pytest

from tests.watching.batches import decode, kinds
from triage.matching.batch_lines import BatchSample
from triage.watching.events import Event
from triage.watching.stalls import StallWatch


def live(watch: StallWatch, until: int = 10, *, running: int = 8, queued: int = 0, rank: str | None = None) -> None:
    """A line a second, as a server at work prints them; the last comes at ``until``."""
    for second in range(until + 1):
        list(watch.take([decode(second, running=running, queued=queued, rank=rank)], 0, float(second)))


def silence(watch: StallWatch, start: float, seconds: float) -> list[Event]:
    """What is told while nothing comes."""
    found: list[Event] = []
    at = start
    while at < start + seconds:
        at += 0.5
        found += watch.take([], 0, at)
        found += watch.check(at)
    return found


@pytest.mark.parametrize(("running", "queued"), [(8, 0), (0, 3), (1, 1), (4, 0)])
def test_requests_and_no_batch(running: int, queued: int) -> None:
    """After half a minute, once, with what the last line showed; and the next line ends it."""
    watch = StallWatch("log")
    live(watch, running=running, queued=queued)
    assert silence(watch, 10, 29.5) == []
    (stall,) = silence(watch, 39.5, 100)
    assert (stall.kind.value, stall.id, stall.state) == ("stall", "log", "")
    assert stall.seconds == pytest.approx(30.5)
    assert f"{running} running and {queued} waiting" in stall.text
    assert ("ended at once" in stall.text) is (queued == 0)
    assert "py-spy" in stall.advice
    assert watch.is_stalled
    (over,) = watch.take([decode(150)], 0, 150.0)
    assert (over.kind.value, over.seconds) == ("stall-over", 140.0)
    assert not watch.is_stalled


@pytest.mark.parametrize("running", [0, 1, 3])
def test_an_idle_server_is_silent(running: int) -> None:
    """Without requests SGLang prints nothing, and few requests may have ended between two lines."""
    watch = StallWatch("log")
    live(watch, running=running)
    assert silence(watch, 10, 600) == []


def test_answers_explain_the_silence() -> None:
    """As many requests were answered since as were running; with fewer the rest still runs."""
    for answers, told in ((8, []), (7, ["stall"])):
        watch = StallWatch("log")
        live(watch)
        list(watch.take([], answers, 11.0))
        assert kinds(iter(silence(watch, 11, 100))) == told


def test_waiting_requests_of_a_disaggregated_server_count() -> None:
    """They wait in queues of their own."""
    watch = StallWatch("log")
    for second in range(10):
        list(watch.take([BatchSample("decode", running=0, queued=0, elsewhere=2)], 0, float(second)))
    assert kinds(iter(silence(watch, 10, 100))) == ["stall"]


def test_a_finished_log_that_is_read_fast() -> None:
    """Ten seconds of log a second: when it stops that says nothing about a server."""
    watch = StallWatch("log")
    for second in range(30):
        list(watch.take([decode(second * 10.0)], 0, float(second)))
    assert silence(watch, 30, 600) == []


def test_what_was_written_before_we_came() -> None:
    """An hour in one piece, then nothing: it may have ended long ago."""
    watch = StallWatch("log")
    list(watch.take([decode(second) for second in range(3600)], 0, 1.0))
    assert silence(watch, 1, 600) == []


def test_lines_without_a_date_are_live_when_they_come_in_turns() -> None:
    """Their arrival is all there is."""
    watch = StallWatch("log")
    for second in range(5):
        list(watch.take([decode(None)], 0, float(second)))
    assert kinds(iter(silence(watch, 5, 100))) == ["stall"]


def test_a_slow_server_gets_more_time() -> None:
    """Where a line comes every 20 s, silence is five times that."""
    watch = StallWatch("log")
    for second in range(0, 201, 20):
        list(watch.take([decode(second)], 0, float(second)))
    assert silence(watch, 200, 99) == []
    assert kinds(iter(silence(watch, 299, 10))) == ["stall"]


def test_pauses_of_an_idle_server_do_not_count_as_usual() -> None:
    """A night without requests does not make a stall take five nights."""
    watch = StallWatch("log")
    live(watch, running=0)
    for second in range(30_000, 30_011):
        list(watch.take([decode(second)], 0, float(second)))
    assert kinds(iter(silence(watch, 30_010, 60))) == ["stall"]


def test_a_rank_that_falls_silent() -> None:
    """Its silence is told with its name, while others speak; and that it speaks again."""
    watch = StallWatch("log")
    found: list[Event] = []
    for second in range(60):
        samples = [decode(second, rank="DP0 TP0")]
        if second <= 10 or second >= 55:
            samples.append(decode(second, rank="DP1 TP1"))
        found += watch.take(samples, 0, float(second))
        found += watch.check(float(second))
    assert [(event.kind.value, event.state) for event in found] == [("stall", "DP1 TP1"), ("stall-over", "DP1 TP1")]
    assert "while other ranks go on" in found[0].text


def test_another_file_or_server_starts_anew() -> None:
    """Nothing that was awaited from the old one is."""
    watch = StallWatch("log")
    live(watch)
    watch.restart()
    assert silence(watch, 10, 600) == []
    assert not watch.is_stalled


def test_ranks_are_bounded() -> None:
    """Names of ranks come from the log, and a hostile one does not fill the memory."""
    watch = StallWatch("log")
    for number in range(2000):
        list(watch.take([decode(0, rank=f"TP{number}")], 0, 1.0))
    assert len(watch._lanes) == 512
