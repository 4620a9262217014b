"""A log that grows ends where ``scan`` ends, however its bytes arrive."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from triage.engine import scan_text
from triage.knowledge.compiled import Knowledge
from triage.model import Phase, Report
from triage.watching.live_scan import LiveScan

FIXTURES = Path(__file__).parents[2] / "fixtures" / "logs"
LOGS = sorted(FIXTURES.glob("*/*.log"))
FRACTION = "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static."


def told(report: Report) -> tuple[object, ...]:
    """What a report answers."""
    return (
        report.verdict,
        [(item.id, round(item.confidence, 9), item.explains) for item in report.diagnoses],
        report.unexplained_count,
        [(item.lines, item.bytes) for item in report.observation.inputs],
    )


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_random_pieces_end_like_a_scan(path: Path, knowledge: Knowledge) -> None:
    """Pieces of any size, with looks in between at what is known by then."""
    data = path.read_bytes()[: 1 << 20]
    chance = random.Random(path.name)
    live = LiveScan(knowledge)
    at = 0
    while at < len(data):
        size = chance.choice((1, 7, 100, 4_000, 200_000))
        live.take("log", data[at : at + size])
        at += size
        if chance.random() < 0.05:
            live.report()
    assert told(live.finish()) == told(scan_text(data, knowledge, "log"))


def test_a_cause_is_told_before_the_end(knowledge: Knowledge) -> None:
    """As soon as its line is complete, and not before."""
    live = LiveScan(knowledge)
    live.take("a", b"[2025-10-08 11:20:31 TP0] Load weight begin. avail mem=78.58 GB\n")
    assert live.report().diagnoses == ()
    live.take("a", FRACTION.encode())
    assert live.report().diagnoses == ()
    live.take("a", b"\n")
    assert live.is_news
    assert live.report().diagnoses[0].id == "gpu-oom-kv-pool"
    assert not live.is_news


def test_a_line_does_not_go_on_in_the_next_file(knowledge: Knowledge) -> None:
    """Half a line before a rotation and half a line after it are no line."""
    live = LiveScan(knowledge)
    live.take("a", FRACTION[:30].encode(), generation=0)
    live.take("a", FRACTION[30:].encode() + b"\n", generation=1)
    report = live.finish()
    assert report.diagnoses == ()
    assert report.observation.inputs[0].lines == 2


def test_sources_are_told_apart(knowledge: Knowledge) -> None:
    """Pieces of several sources come in any order; each has its phases."""
    live = LiveScan(knowledge)
    line = FRACTION.encode() + b"\n"
    live.take("a", line[:10])
    live.take("b", b"INFO:     Application startup complete.\nThe server is fired up and ready to roll!\n")
    live.take("a", line[10:])
    report = live.finish()
    assert [entry.place.source for entry in report.diagnoses[0].ledger if entry.place] == ["a"]
    assert live.phases()["b"] in (Phase.SERVING, Phase.WARMUP)


def test_what_was_lost_is_said(knowledge: Knowledge) -> None:
    """A report on part of the bytes calls itself so."""
    live = LiveScan(knowledge)
    live.take("a", FRACTION[:30].encode())
    live.note("a", "500 bytes were not looked at")
    live.take("a", FRACTION[30:].encode() + b"\n")
    report = live.finish()
    assert report.diagnoses == (), "halves with a gap between them are no line"
    (told_of,) = report.observation.inputs
    assert told_of.truncated
    assert told_of.notes == ("500 bytes were not looked at",)
