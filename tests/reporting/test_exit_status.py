"""What a report means for the exit status."""

from __future__ import annotations

from dataclasses import replace

import pytest

from triage.model import Report, Severity, Verdict
from triage.reporting.exit_status import FAIL_ON, exit_code


@pytest.mark.parametrize("severity", list(Severity))
@pytest.mark.parametrize("fail_on", FAIL_ON)
def test_threshold(severity: Severity, fail_on: str, crash: Report) -> None:
    """1 exactly when a diagnosis reaches the severity that was asked for."""
    report = replace(crash, diagnoses=(replace(crash.diagnoses[0], severity=severity),))
    order = ["info", "warning", "error", "fatal", "never"]
    assert exit_code(report, fail_on) == int(order.index(severity.value) >= order.index(fail_on))


@pytest.mark.parametrize(("fail_on", "code"), [("never", 0), ("info", 1), ("warning", 1), ("error", 1), ("fatal", 0)])
def test_unexplained_errors_of_an_unknown_report(fail_on: str, code: int, unknown: Report) -> None:
    """Errors without an answer count as one finding of severity error, also where only their number is known."""
    assert exit_code(unknown, fail_on) == code
    assert exit_code(replace(unknown, unexplained=()), fail_on) == code


def test_unknown_without_errors(unknown: Report) -> None:
    """Nothing to explain is nothing to fail on."""
    assert exit_code(replace(unknown, unexplained=(), unexplained_count=0), "info") == 0


def test_recovered_and_explained_errors_do_not_count(healthy: Report, crash: Report) -> None:
    """What the server got over, and error lines of a healthy log, are no findings."""
    assert exit_code(replace(healthy, recovered=crash.diagnoses, unexplained_count=2), "info") == 0
    assert exit_code(replace(crash, diagnoses=(), verdict=Verdict.HEALTHY), "info") == 0


def test_unknown_level(healthy: Report) -> None:
    """A misspelt level is an error, not a silent pass."""
    with pytest.raises(ValueError, match="fail_on is one of never, info"):
        exit_code(healthy, "errors")
