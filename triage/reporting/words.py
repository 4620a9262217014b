"""Phrases that the formats for people share. Nothing here is data: every name and path is shown by the caller."""

from __future__ import annotations

from triage.model import Diagnosis, LedgerEntry, NextStep, Place, ProbeResult, Report, Verdict
from triage.reporting.exit_status import exit_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CHECKED = frozenset({"ok", "not-applicable"})
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_CERTAIN = 99


def count(number: int, noun: str) -> str:
    """``1 line``, ``41,208 lines``, ``2 near misses``."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def size(number: int) -> str:
    """``812 bytes``, ``9.6 MB``: decimal units, as file managers count."""
    amount = float(number)
    for unit in _UNITS:
        if amount < 1000 or unit == _UNITS[-1]:
            break
        amount /= 1000
    return f"{number:,} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"


def percent(confidence: float) -> str:
    """``97%``; never 100%, for nothing here is certain."""
    return f"{min(_CERTAIN, round(confidence * 100))}%"


def points(decibans: float) -> str:
    """``+15.2``."""
    return f"{decibans:+.1f}"


def span(first: str, last: str) -> str:
    """``2026-03-01 10:00:00–10:04:31`` of two times as they are shown: the date is not repeated."""
    if not first or not last or first == last:
        return first or last
    date, gap, clock = last.partition(" ")
    return f"{first}–{clock if gap and first.startswith(date + ' ') else last}"


def placed(diagnosis: Diagnosis) -> list[LedgerEntry]:
    """What speaks for a diagnosis and can be pointed at, the weightiest first."""
    found = [entry for entry in diagnosis.ledger if entry.strength.is_for and (entry.place is not None or entry.text)]
    return sorted(found, key=lambda entry: (-entry.decibans, entry.place is None))


def message(shown: str, place: Place | None) -> str:
    """A shown log line without the bracketed prefix that only repeats the time and rank of its place."""
    line = shown.strip()
    if place is None or not place.time or not line.startswith(f"[{place.time}"):
        return line
    return line.partition("] ")[2].lstrip() or line


def nothing_missing(report: Report) -> str:
    """What to say where no probe is listed as not checked."""
    return "nothing: every probe asked for was run" if report.probes else "the host: no probe was run"


def not_checked(report: Report) -> Iterator[ProbeResult]:
    """Probes that gave no answer, and those a diagnosis asked for that nobody ran."""
    named = set()
    for probe in report.probes:
        named.add(probe.name)
        if probe.outcome not in _CHECKED:
            yield probe
    for name in dict.fromkeys(name for diagnosis in report.diagnoses for name in diagnosis.not_checked):
        if name not in named:
            yield ProbeResult(name, "not-run")


def limits(report: Report) -> tuple[str, ...]:
    """What was cut short, from reading to reasoning, each once."""
    notes = (note for source in report.observation.inputs for note in source.notes)
    return tuple(dict.fromkeys((*notes, *report.observation.limits_hit, *report.limits_hit)))


def rivals(diagnosis: Diagnosis, report: Report, show: Callable[[str], str]) -> str:
    """``or: torch-duplicate-install 12% - probe python-packages tells them apart``; empty without rivals."""
    confidence = {other.id: other.confidence for other in report.diagnoses}
    named = [
        f"{show(rival)} {percent(confidence[rival])}" if rival in confidence else show(rival)
        for rival in diagnosis.rivals
    ]
    if not named:
        return ""
    step = diagnosis.next[0] if diagnosis.next else None
    apart = f" - {kind(step)} {show(step.name)} tells them apart" if step else ""
    return f"or: {', '.join(named)}{apart}"


def kind(step: NextStep) -> str:
    """``probe`` or ``question``."""
    return "question" if step.kind == "question" else "probe"


def unexplained_total(report: Report) -> int:
    """How many error lines no signature accounts for, listed or not."""
    return max(report.unexplained_count, len(report.unexplained))


def verdict(report: Report) -> str:
    """The report in one sentence."""
    if report.verdict is Verdict.HEALTHY:
        return _healthy(report)
    if report.verdict is Verdict.UNKNOWN:
        number = unexplained_total(report)
        if not report.observation.lines:
            return "unknown: nothing was read"
        errors = (
            f"{count(number, 'error line')} that no signature explains" if number else "no error line was recognised"
        )
        return f"unknown: {errors}"
    return f"{report.verdict.value}: {severities(report.diagnoses)}"


def severities(diagnoses: Iterable[Diagnosis]) -> str:
    """``1 error, 2 warnings``, the worst first."""
    numbers: dict[str, int] = {}
    for diagnosis in sorted(diagnoses, key=lambda diagnosis: -diagnosis.severity.rank):
        numbers[diagnosis.severity.value] = numbers.get(diagnosis.severity.value, 0) + 1
    return ", ".join(
        f"{number} {name}" if name in ("fatal", "info") else count(number, name) for name, number in numbers.items()
    )


def exit_meaning(report: Report, fail_on: str) -> str:
    """``exit 1 (a finding at or above error)``."""
    if fail_on == "never":
        return "exit 0 (--fail-on never)"
    code = exit_code(report, fail_on)
    return f"exit {code} ({'a finding' if code else 'nothing'} at or above {fail_on})"


def _healthy(report: Report) -> str:
    inputs = report.observation.inputs
    lines = count(report.observation.lines, "line")
    of = f" of {len(inputs)} inputs" if len(inputs) > 1 else ""
    unexplained = count(unexplained_total(report), "unexplained error")
    return f"no known problem in {lines}{of}; {unexplained}; {count(len(list(not_checked(report))), 'probe')} not run"
