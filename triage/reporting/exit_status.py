"""What a report means for the exit status of the command."""

from __future__ import annotations

from triage.model import Report, Severity, Verdict

FAIL_ON = ("never", "info", "warning", "error", "fatal")
"""The values of ``--fail-on``, from the most lenient to the severity that a finding must reach."""


def exit_code(report: Report, fail_on: str) -> int:
    """0 if nothing reaches the severity `fail_on`, else 1. Raises ValueError if `fail_on` is not one of `FAIL_ON`."""
    if fail_on not in FAIL_ON:
        raise ValueError(f"fail_on is one of {', '.join(FAIL_ON)}, not {fail_on!r}")
    if fail_on == "never":
        return 0
    threshold = Severity(fail_on).rank
    return int(any(severity.rank >= threshold for severity in _severities(report)))


def _severities(report: Report) -> list[Severity]:
    """Of everything that is wrong now; errors that nothing explains count as one finding of severity error."""
    found = [diagnosis.severity for diagnosis in report.diagnoses]
    if report.verdict is Verdict.UNKNOWN and (report.unexplained_count or report.unexplained):
        found.append(Severity.ERROR)
    return found
