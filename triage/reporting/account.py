"""The whole ledger of one cause on one log: what ``why`` and ``why-not`` print."""

from __future__ import annotations

from collections.abc import Iterator

from triage.model import Diagnosis, LedgerEntry, Report, Signature
from triage.reporting.outlet import Outlet


def account(signature: Signature, report: Report, outlet: Outlet) -> Iterator[str]:
    """Plain lines, redacted and made visible by ``outlet``."""
    for position, diagnosis in enumerate(report.diagnoses, 1):
        if diagnosis.id == signature.id:
            yield f"{signature.id}: place {position} of {len(report.diagnoses)}, confidence {diagnosis.confidence:.0%}, {diagnosis.decibans:+.1f} dB with its prior"
            yield from diagnosis_account(diagnosis, report, outlet)
            return
    for diagnosis in report.recovered:
        if diagnosis.id == signature.id:
            yield f"{signature.id}: was seen, but the server got ready or served on afterwards"
            yield from _ledger_lines(diagnosis.ledger, outlet)
            return
    for diagnosis in report.diagnoses:
        if signature.id in diagnosis.explains:
            yield f"{signature.id}: was seen, and {diagnosis.id} ({diagnosis.confidence:.0%}) accounts for it"
            return
    for rejected in report.rejected:
        if rejected.id == signature.id:
            yield f"{signature.id}: {rejected.reason} ({rejected.decibans:+.1f} dB with its prior)"
            yield from _ledger_lines(rejected.ledger, outlet)
            return
    yield from _never_seen(signature, report, outlet)


def diagnosis_account(diagnosis: Diagnosis, report: Report, outlet: Outlet) -> Iterator[str]:
    """Every point for and against a diagnosis of the report, its rivals, what it accounts for and what was not checked."""
    yield from _ledger_lines(diagnosis.ledger, outlet)
    confidences = {item.id: item.confidence for item in report.diagnoses}
    for rival in diagnosis.rivals:
        share = f" {confidences[rival]:.0%}" if rival in confidences else ""
        yield f"  rests on the same lines: {rival}{share}"
    if diagnosis.explains:
        yield f"  accounts for: {', '.join(diagnosis.explains)}"
    for step in diagnosis.next:
        yield f"  would tell more: {step.kind} {step.name} ({step.gain_bits:.2f} bits)"
    if diagnosis.not_checked:
        yield f"  not checked: {', '.join(diagnosis.not_checked)}"
    for note in diagnosis.notes:
        yield f"  note: {outlet.show(note)}"


def _ledger_lines(ledger: tuple[LedgerEntry, ...], outlet: Outlet) -> Iterator[str]:
    for entry in ledger:
        name = entry.label or entry.evidence
        yield f"  {entry.decibans:+6.1f} dB  {entry.strength.value:<11} {outlet.show(name)}{_times(entry)}"
        if entry.place is not None:
            place = f"{entry.place.source}:{entry.place.line}"
            yield f"             {outlet.show(place)}: {outlet.show(entry.text)}"
        elif entry.origin and entry.origin != "versions":
            yield f"             fact: {outlet.show(entry.origin)}"


def _times(entry: LedgerEntry) -> str:
    if entry.count <= 1:
        return ""
    return f"  ({'' if entry.count_exact else '≥'}{entry.count} lines)"


def _never_seen(signature: Signature, report: Report, outlet: Outlet) -> Iterator[str]:
    seen = {finding.key: finding for finding in report.observation.findings}
    keys = [pattern.key for pattern in signature.patterns()]
    partly = [seen[key] for key in keys if key in seen]
    if not partly:
        yield f"{signature.id}: none of its patterns ({len(keys)}) occurs in {report.observation.lines:,} lines"
    else:
        yield f"{signature.id}: parts of its evidence occur, but none that speaks for it by itself"
        for finding in partly:
            place = finding.first.place
            yield f"  {outlet.show(f'{place.source}:{place.line}')}: {outlet.show(finding.first.text)}"
    if report.diagnoses:
        best = report.diagnoses[0]
        yield f"  the first answer is {best.id} ({best.confidence:.0%})"
