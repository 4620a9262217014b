"""A report from the stored log, where watching left something out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from triage.knowledge.compiled import Knowledge
from triage.running.log_file import LogFile
from triage.running.server import LogPlan
from triage.running.stored import report_from_log, stored

CAUSE = b"RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.\n"
LINES = [b"%05d %s\n" % (number, b"x" * (number % 50)) for number in range(500)]


def written(path: Path, lines: list[bytes], *, size: int = 1000, keep: int = 100) -> LogPlan:
    """A log with these lines, as the keeper stores them."""
    file = LogFile(os.fsencode(path), size, keep)
    for line in lines:
        file.write(line)
    return LogPlan(str(path), size, keep)


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 5000])
def test_the_last_bytes_of_all_files(tmp_path: Path, size: int) -> None:
    """In the order in which they were printed, wherever the files change."""
    log, text = written(tmp_path / "s.log", LINES), b"".join(LINES)
    assert len(list(tmp_path.iterdir())) > 5
    assert b"".join(stored(log, size)) == text[len(text) - size :]
    assert b"".join(stored(log, len(text))) == b"".join(stored(log, len(text) + 1)) == text


def test_what_was_there_before_is_left_out(tmp_path: Path, knowledge: Knowledge) -> None:
    """A cause of an earlier run is none of this one, and lines count from its begin."""
    log = written(tmp_path / "s.log", [CAUSE, *LINES, CAUSE], size=0)
    size = len(b"".join(LINES)) + len(CAUSE)
    report = report_from_log(log, size, "output", knowledge, frozenset())
    assert report is not None
    (found,) = report.diagnoses
    assert {entry.place.line for entry in found.ledger if entry.place} == {501}
    assert "made from its log" in report.observation.limits_hit[-1]
    assert not report.observation.inputs[0].truncated


def test_a_log_that_is_not_all_there_makes_no_report(tmp_path: Path, knowledge: Knowledge) -> None:
    """Renamed away, or gone."""
    log = written(tmp_path / "s.log", LINES, keep=2)
    assert report_from_log(log, len(b"".join(LINES)), "s.log", knowledge, frozenset()) is None
    assert report_from_log(LogPlan(str(tmp_path / "absent"), 0, 2), 5, "s.log", knowledge, frozenset()) is None


def test_patience_ends(tmp_path: Path, knowledge: Knowledge) -> None:
    """Nobody waits longer than a minute for a dead server."""
    log, times = written(tmp_path / "s.log", LINES), iter((0.0, 59.0, 61.0, 61.0, 61.0, 61.0))
    assert report_from_log(log, 3000, "s.log", knowledge, frozenset(), clock=lambda: next(times)) is None


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Somebody who owns the folder does not choose what is read."""
    (tmp_path / "other").write_bytes(b"secret")
    (tmp_path / "s.log").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="symbolic"):
        list(stored(LogPlan(str(tmp_path / "s.log"), 0, 1), 6))
