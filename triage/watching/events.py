"""What changed between two reports on the same sources: events, not states. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from triage.model import Diagnosis, Place, Report
from triage.records import dataclass, replace
from triage.watching.recurrence import NO_RUNS, came_again

RISE = 0.15
"""A change of confidence below this is no news."""


class EventKind(str, Enum):
    """What can happen while a server is watched."""

    APPEARED = "diagnosis-appeared"
    ROSE = "diagnosis-rose"
    FELL = "diagnosis-fell"
    EXPLAINED = "diagnosis-explained"
    RESOLVED = "diagnosis-resolved"
    WITHDRAWN = "diagnosis-withdrawn"
    VERDICT = "verdict"
    PHASE = "phase"
    SLOW_PHASE = "slow-phase"
    STALL = "stall"
    STALL_OVER = "stall-over"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Event:
    """One change. ``id`` is a diagnosis's, and the source's label for the kinds that are about a source; ``by`` names the
    cause that explains it; ``text`` is a log line, a note or what a stall was told from: hostile text. ``state`` is the
    verdict, the phase (a value of `Stage`) or, of a stall, which rank is silent (empty: the whole source). ``seconds``: how
    long the phase before lasted, this one lasts by now, or the silence; ``usual``: how long it may. ``advice``: what to look
    at next, our own words. ``again``: a diagnosis that was told of an earlier run of the server appears in a later one."""

    kind: EventKind
    id: str = ""
    title: str = ""
    severity: str = ""
    confidence: float | None = None
    before: float | None = None
    by: str = ""
    text: str = ""
    place: Place | None = None
    state: str = ""
    seconds: float | None = None
    usual: float | None = None
    advice: str = ""
    again: bool = False


def whole_percent(confidence: float) -> int:
    """As every face shows it: never 100, for nothing here is certain."""
    return min(99, round(confidence * 100))


def between(old: Report | None, new: Report, runs: Mapping[str, Sequence[int]] = NO_RUNS) -> Iterator[Event]:
    """The events that lead from one report to the next: diagnoses first, then the verdict. ``runs``: for each source lines with
    which further runs of its server begin, as far as the reports do not know of them."""
    earlier = {item.id: item for item in old.diagnoses} if old is not None else {}
    later = {item.id: item for item in new.diagnoses}
    for item in new.diagnoses:
        before = earlier.get(item.id)
        again = came_again(old, new, item, runs) if old is not None and before is not None else None
        if before is None:
            yield _of(EventKind.APPEARED, item)
        elif again is not None:
            yield replace(_of(EventKind.APPEARED, item), text=again.text, place=again.place, again=True)
        elif item.confidence - before.confidence >= RISE:
            yield _of(EventKind.ROSE, item, before.confidence)
        elif before.confidence - item.confidence >= RISE:
            yield _of(EventKind.FELL, item, before.confidence)
    for item in earlier.values():
        if item.id not in later:
            yield _gone(item, new)
    if old is None or old.verdict is not new.verdict:
        yield Event(EventKind.VERDICT, state=new.verdict.value)


def _of(kind: EventKind, item: Diagnosis, before: float | None = None) -> Event:
    first = max(
        (entry for entry in item.ledger if entry.place is not None), key=lambda entry: entry.decibans, default=None
    )
    return Event(
        kind,
        id=item.id,
        title=item.title,
        severity=item.severity.value,
        confidence=item.confidence,
        before=before,
        text=first.text if first is not None else "",
        place=first.place if first is not None else None,
    )


def _gone(item: Diagnosis, new: Report) -> Event:
    """Why a diagnosis is not shown any more."""
    wider = next((other for other in new.diagnoses if item.id in other.explains), None)
    if wider is not None:
        return Event(EventKind.EXPLAINED, item.id, item.title, item.severity.value, before=item.confidence, by=wider.id)
    over = any(other.id == item.id for other in new.recovered)
    kind = EventKind.RESOLVED if over else EventKind.WITHDRAWN
    return Event(kind, item.id, item.title, item.severity.value, before=item.confidence)
