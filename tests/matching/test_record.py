"""What scanning one source leaves behind stays small and keeps what matters."""

from __future__ import annotations

import pytest

from triage.matching.record import FRUITLESS, KEPT_PHASES, KEPT_SHAPES, SourceScan
from triage.model import Context, Hit, Phase, Place, Prefix


def _hit(key: str, line: int, text: str = "x", context: Context = Context.NORMAL) -> Hit:
    return Hit(key, Place("log", line, line), text, context=context)


def test_a_fruitless_pattern_is_put_aside() -> None:
    """Ten thousand candidate lines without one match: muted, and named in the limits once."""
    scan = SourceScan("log")
    for _ in range(FRUITLESS + 100):
        scan.add_refusal("a/b/0")
    assert "a/b/0" in scan.muted
    assert len(scan.limits) == 1
    assert "a/b/0" in scan.limits[0]


def test_a_pattern_that_held_once_is_not_put_aside() -> None:
    """One match makes it worth the looks."""
    scan = SourceScan("log")
    scan.add_hit(_hit("a/b/0", 1), 0)
    for _ in range(FRUITLESS + 100):
        scan.add_refusal("a/b/0")
    assert "a/b/0" not in scan.muted
    assert scan.limits == []


def test_equal_errors_are_kept_once() -> None:
    """Errors that differ in numbers alone share a place in the list; all of them count."""
    scan = SourceScan("log")
    for line in range(1, 101):
        scan.add_error(_hit("@error:exception", line, f"ValueError: bad value {line} at 0x{line:x}"), Prefix(), b"", 0)
    scan.add_error(_hit("@error:exception", 200, "ValueError: another"), Prefix(), b"", 0)
    assert [error.place.line for error in scan.errors.values()] == [1, 200]
    assert scan.error_lines == 101


def test_error_shapes_are_capped() -> None:
    """A log that invents error texts does not make the record grow without end."""
    scan = SourceScan("log")
    for line in range(1, 3 * KEPT_SHAPES):
        text = "ValueError: " + "".join(chr(97 + int(digit)) for digit in str(line))
        scan.add_error(_hit("@error:exception", line, text), Prefix(), b"", 0)
    assert len(scan.errors) <= KEPT_SHAPES


def test_the_origin_of_an_error_is_the_frame_above() -> None:
    """The nearest source frame above the line is where the message was raised."""
    above = b'Traceback (most recent call last):\n  File "/a/x.py", line 3, in f\n    g()\n  File "/a/y.py", line 9, in g\n    boom()\n'
    scan = SourceScan("log")
    scan.add_error(_hit("@error:exception", 6, "ValueError: x"), Prefix(), above, len(above))
    assert [error.origin for error in scan.errors.values()] == ["/a/y.py:9 in g"]


def test_a_line_matched_by_two_markers_counts_once() -> None:
    """``ERROR ... ValueError: x`` is one error line."""
    scan = SourceScan("log")
    for key in ("@error:exception", "@error:level-error"):
        scan.add_error(_hit(key, 7, "ERROR ValueError: x"), Prefix(level="error"), b"", 0)
    assert scan.error_lines == 1


@pytest.mark.parametrize("level", [None, "info", "warning"])
def test_the_word_error_without_the_level(level: str | None) -> None:
    """ERROR in the text of a line of another level is no error line by itself."""
    scan = SourceScan("log")
    scan.add_error(_hit("@error:level-error", 7, "shows ERROR"), Prefix(level=level), b"", 0)
    assert (scan.error_lines, scan.errors) == (0, {})


def test_phases() -> None:
    """A phase is taken from the software's own lines, never from a request's text, and their number is capped."""
    scan = SourceScan("log")
    scan.add_phase(_hit("@phase:ready", 3))
    scan.add_phase(_hit("@phase:ready", 4, context=Context.REQUEST_DUMP))
    assert [(change.phase, change.place.line) for change in scan.phases] == [(Phase.SERVING, 3)]
    for line in range(KEPT_PHASES + 10):
        scan.add_phase(_hit("@phase:ready", line))
    assert len(scan.phases) <= KEPT_PHASES


def test_facts_of_a_request_are_nobodys() -> None:
    """A fact line inside a request dump tells nothing; one of the software is taken with its place."""
    scan = SourceScan("log")
    key = "@fact:nccl-version"
    scan.add_fact_line(_hit(key, 5, context=Context.REQUEST_DUMP), "NCCL version 2.27.3+cuda12.8")
    assert scan.facts == []
    scan.add_fact_line(_hit(key, 9), "NCCL version 2.27.3+cuda12.8")
    assert ("nccl.version", "2.27.3", "log:9") in [(fact.name, fact.value, fact.origin) for _, fact in scan.facts]


def test_what_is_counted_of_a_storm() -> None:
    """A series that storms takes uncounted lines; an error marker's only raise the number of error lines."""
    scan = SourceScan("log")
    scan.add_hit(_hit("a/b/0", 1), 0)
    scan.add_uncounted("a/b/0", 10, Place("log", 11, 0))
    scan.add_uncounted("@error:exception", 5, Place("log", 12, 0))
    assert (scan.series["a/b/0"].count, scan.error_lines) == (11, 5)
