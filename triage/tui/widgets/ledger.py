"""A diagnosis in full: its points for and against, what to look at next, how it is mended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.content import Content

from triage.model import Diagnosis, LedgerEntry, Phase, Report, Unexplained
from triage.reporting import words
from triage.tui.text import Words, joined, own, severity, stacked

if TYPE_CHECKING:
    from triage.session.session import Session


def diagnosis_page(diagnosis: Diagnosis, session: Session, ink: Words) -> Content:
    """All that is known of one cause."""
    return stacked(
        [
            *_head(diagnosis, ink),
            *_accounts(diagnosis, ink),
            *_next(diagnosis, session.report, ink),
            *_about(diagnosis, session, ink),
        ]
    )


def unexplained_page(report: Report, ink: Words) -> Content:
    """The error lines that no signature accounts for."""
    total = words.unexplained_total(report)
    lines = [own(f"{words.count(total, 'error line')} that no signature accounts for", "bold"), own("")]
    for item in report.unexplained:
        lines += _unexplained(item, ink)
    return stacked(lines)


def overview_page(report: Report, ink: Words) -> Content:
    """What to say where there is no diagnosis to select."""
    lines = [own(words.verdict(report), "bold")]
    lines += [joined("limit  ", ink.data(limit)) for limit in words.limits(report)]
    return stacked(lines)


def _head(diagnosis: Diagnosis, ink: Words) -> Iterator[Content]:
    yield joined(severity(diagnosis.severity), " ", ink.data(diagnosis.title, "bold"))
    where = [] if diagnosis.phase is Phase.UNKNOWN else [f"phase {diagnosis.phase.value}"]
    rank = [ink.data(f"rank {diagnosis.rank}")] if diagnosis.rank else []
    sure = f"{words.percent(diagnosis.confidence)} sure"
    yield joined(ink.data(diagnosis.id), sure, *where, *rank, gap="   ")
    if diagnosis.recovered:
        yield own("The server went on to serve afterwards.")
    for note in diagnosis.notes:
        yield ink.data(note)


def _accounts(diagnosis: Diagnosis, ink: Words) -> Iterator[Content]:
    ranked = sorted(diagnosis.ledger, key=lambda entry: -abs(entry.decibans))
    speaking = [entry for entry in ranked if entry.strength.is_for]
    against = [entry for entry in ranked if not entry.strength.is_for]
    for name, entries in (("For", speaking), ("Against", against)):
        yield own("")
        yield own(name if entries else f"{name}: nothing", "bold")
        for entry in entries:
            yield from _entry(entry, ink)


def _entry(entry: LedgerEntry, ink: Words) -> Iterator[Content]:
    times = f"   ({'' if entry.count_exact else 'at least '}{entry.count:,} times)" if entry.count > 1 else ""
    place = [ink.place(entry.place)] if entry.place is not None else [ink.data(entry.origin)] if entry.origin else []
    name = ink.data(entry.label or entry.evidence)
    yield joined(f"{words.points(entry.decibans):>6}  ", joined(name, *place, gap="   "), times)
    if entry.text:
        # The place is shown; only the message is of use.
        yield joined("        ", own(words.message(ink.outlet.show(entry.text), entry.place), "$text-muted"))


def _next(diagnosis: Diagnosis, report: Report, ink: Words) -> Iterator[Content]:
    yield own("")
    yield own("Next", "bold")
    for step in diagnosis.next:
        asked = joined(": ", ink.data(step.ask)) if step.ask else ""
        cost = "" if step.kind == "question" else f", about {step.cost_s:.0f} s"
        yield joined(f"  {words.kind(step)} ", ink.data(step.name), asked, f"   ({step.gain_bits:.2f} bits{cost})")
    if diagnosis.playbook:
        yield joined("  playbook ", ink.data(diagnosis.playbook))
    if not (diagnosis.next or diagnosis.playbook):
        yield own("  nothing left to check")
    if rivals := words.rivals(diagnosis, report, ink.outlet.show):
        yield own(f"  {rivals}")
    if diagnosis.explains:
        yield joined("  explains ", ink.data(", ".join(diagnosis.explains)))
    if diagnosis.not_checked:
        yield joined("  not checked: ", ink.data(", ".join(diagnosis.not_checked)))


def _about(diagnosis: Diagnosis, session: Session, ink: Words) -> Iterator[Content]:
    if diagnosis.fix:
        yield own("")
        yield own("Fix", "bold")
        yield from (ink.data(line) for line in diagnosis.fix.splitlines())
    base = session.knowledge.base
    if diagnosis.id in base:
        yield own("")
        yield own("Why it happens", "bold")
        yield from (ink.data(line) for line in base.get(diagnosis.id).explanation.strip().splitlines())


def _unexplained(item: Unexplained, ink: Words) -> Iterator[Content]:
    yield ink.place(item.place)
    yield joined("  ", own(words.message(ink.outlet.show(item.text), item.place), "$text-muted"))
    if item.origin:
        yield joined("  printed in ", ink.data(item.origin))
    if item.nearest:
        yield joined(
            "  nearest: ", ink.data(", ".join(f"{near.id} {words.percent(near.score)}" for near in item.nearest))
        )
