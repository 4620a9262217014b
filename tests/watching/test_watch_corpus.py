"""Any log, fed to a watch in any pieces with any pauses, ends with what ``scan`` says of it."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.watching.batches import Script
from triage.engine import scan_text
from triage.knowledge.compiled import Knowledge
from triage.model import Report
from triage.watching.live_scan import LiveScan
from triage.watching.session import Watch

ROOT = Path(__file__).resolve().parents[2]
_named = os.environ.get("SGLTRIAGE_CORPUS")
CORPUS = Path(_named) if _named else ROOT.parent / "shared" / "corpus"
LOGS = {
    "fixtures": sorted((ROOT / "fixtures" / "logs").glob("*/*.log")),
    "corpus": sorted(CORPUS.glob("*/*/log.txt")),
}
_MOST = 1 << 20
_PARTS = 4
"""So that several workers share the logs."""


@pytest.mark.parametrize("part", range(_PARTS))
@pytest.mark.parametrize("kind", ["fixtures", pytest.param("corpus", marks=pytest.mark.corpus)])
def test_random_pieces_and_pauses_end_like_a_scan(kind: str, part: int, knowledge: Knowledge) -> None:
    """Pieces from a byte to half of it, pauses from none to a minute: events come and go, the end is the same."""
    if not LOGS[kind]:
        pytest.skip(f"no logs at {CORPUS}; set SGLTRIAGE_CORPUS")
    different = []
    for path in LOGS[kind][part::_PARTS]:
        data = path.read_bytes()[:_MOST]
        expected = scan_text(data, knowledge, "log")
        if _told(_watched(data, random.Random(path.parent.name), knowledge)) != _told(expected):
            different.append(str(path))
    assert different == []


def _watched(data: bytes, chance: random.Random, knowledge: Knowledge) -> Report:
    """The report in the end. A log is cut into a handful of pieces, some of them tiny."""
    steps, at = [], 0
    while at < len(data):
        size = chance.choice((1, 100, 1 + len(data) // 2, 1 + len(data) // 3))
        steps.append((chance.choice((0.0, 0.0, 0.01, 0.5, 1.5, 60.0)), "log", data[at : at + size]))
        at += size
    script = Script([*steps])
    watch = Watch(LiveScan(knowledge), script, clock=script.clock, until="exit", stop=lambda: False)
    appeared: set[str] = set()
    restarted: set[str] = set()
    for event in watch.events():
        kind = event.kind.value
        if kind == "diagnosis-appeared":
            assert event.again or event.id not in appeared, "nothing appears twice, but in a further run of the server"
            appeared.add(event.id)
            restarted.discard(event.id)
        elif kind in ("diagnosis-explained", "diagnosis-resolved", "diagnosis-withdrawn"):
            appeared.remove(event.id)
            restarted |= {event.id} if event.text else set()
    assert watch.ended is not None
    assert watch.ended.over == restarted, "events lead to how it stands"
    # What a restart got over stays in the report, if only as a trace that others explain.
    diagnoses = {item.id for item in watch.ended.report.diagnoses}
    assert appeared == diagnoses - restarted, "events lead to the report"
    return watch.ended.report


def _told(report: Report) -> tuple[object, ...]:
    """What a report answers."""
    return (
        report.verdict,
        [(item.id, round(item.confidence, 9), item.explains) for item in report.diagnoses],
        report.unexplained_count,
        [(item.lines, item.bytes) for item in report.observation.inputs],
    )
