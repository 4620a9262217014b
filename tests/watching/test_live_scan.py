"""What is known of logs that grow; that they end where ``scan`` ends is shown by test_watch_corpus.py."""

from __future__ import annotations

from triage.knowledge.compiled import Knowledge
from triage.model import Phase
from triage.watching.live_scan import LiveScan

FRACTION = "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static."


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
    assert [change.phase for change in live.phase_changes()["b"]] == [Phase.SERVING]


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


def test_an_unfinished_line_is_looked_at_when_asked(knowledge: Knowledge) -> None:
    """Without being taken for the whole line: what follows is added to it."""
    live = LiveScan(knowledge)
    live.take("a", FRACTION.encode())
    assert live.report().diagnoses == ()
    assert live.report(paused=["a"]).diagnoses[0].id == "gpu-oom-kv-pool"
    assert live.report().diagnoses == (), "nothing was consumed"
    live.take("a", b" and more\n")
    assert live.finish().observation.inputs[0].lines == 1
