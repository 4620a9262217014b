"""What follows from a state is what the core makes of its logs, host and answers."""

from __future__ import annotations

from triage.engine import load, observe_text, scan_text
from triage.session.state import Origin, State
from triage.session.state_report import report_of

_LOG = b"[2026-03-01 10:00:00 TP0] RuntimeError: the frobnicator is out of cheese\n[2026-03-01 10:00:01 TP0] OSError: [Errno 98] Address already in use\n"


def test_a_state_of_logs_alone() -> None:
    """It gives what a scan of the same text gives, and without a cause what a scan without it would."""
    knowledge = load()
    seen = observe_text(_LOG, knowledge)
    report = report_of(State(seen, "2026-03-01T10:00:00+00:00"), knowledge)
    assert report == scan_text(_LOG, knowledge)
    first = report.diagnoses[0].id
    other = report_of(State(seen, "2026-03-01T10:00:00+00:00", (first,)), knowledge)
    assert first not in [item.id for item in other.diagnoses]


def test_origins_are_told() -> None:
    """Where an unexplained line is printed, as it was looked up before, stands beside that line only."""
    knowledge = load()
    seen = observe_text(_LOG, knowledge)
    line = report_of(State(seen, ""), knowledge).unexplained[0]
    origin = Origin(line.place.source, line.place.line, "sglang/srt/cheese.py:7")
    found = report_of(State(seen, "", origins=(origin,)), knowledge).unexplained
    assert {item.origin for item in found if item.place.line == line.place.line} == {"sglang/srt/cheese.py:7"}
    assert {item.origin for item in found if item.place.line != line.place.line} <= {""}
