"""What changed between two reports on the same sources: events, not states. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import Enum

from triage.model import Diagnosis, Place, Report
from triage.records import dataclass, replace
from triage.watching.recurrence import Turn, course, got_over
from triage.watching.server_runs import ServerRuns

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
    cause that explains it; ``text`` is a log line, a note, what a stall was told from, or which restart got over a diagnosis, with
    the first line of that run as ``place``: hostile text. ``state`` is the
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


def between(
    old: Report | None, new: Report, runs: ServerRuns | None = None, over: Collection[str] | None = None
) -> Iterator[Event]:
    """The events that lead from one report to the next: diagnoses first, then the verdict. ``runs``: those of the servers of
    ``new``; ``over``: the ids of diagnoses that were told to be over though reports have, or had, them. Without these both
    are what the reports themselves say."""
    runs = ServerRuns(new.observation.launches) if runs is None else runs
    if over is None:
        over = got_over(old, ServerRuns(old.observation.launches)) if old is not None else ()
    earlier = {item.id: item for item in old.diagnoses} if old is not None else {}
    later = {item.id: item for item in new.diagnoses}
    holds_no_more = got_over(new, runs)
    for item in new.diagnoses:
        if item.id in earlier:
            yield from _went_on(old, new, earlier[item.id], item, runs, stands=item.id not in over)
        elif item.id not in over:
            yield from _appeared(new, item, runs)
        elif item.id not in holds_no_more:
            yield _of(EventKind.APPEARED, item)
    for item in earlier.values():
        if item.id not in later and item.id not in over:
            yield _gone(item, new)
    if old is None or old.verdict is not new.verdict:
        yield Event(EventKind.VERDICT, state=new.verdict.value)


def _appeared(new: Report, item: Diagnosis, runs: ServerRuns) -> Iterator[Event]:
    """What happened to a diagnosis that no report had."""
    yield _of(EventKind.APPEARED, item)
    # The first step is just that, and the line that says most is known best.
    for number, turn in enumerate(course(None, new, item, runs, stands=False)):
        if number:
            yield _turned(turn, item)


def _went_on(
    old: Report | None, new: Report, before: Diagnosis, item: Diagnosis, runs: ServerRuns, *, stands: bool
) -> Iterator[Event]:
    """What happened to a diagnosis of both reports. How sure one is that is over concerns nobody."""
    turns = list(course(old, new, item, runs, stands=stands))
    yield from (_turned(turn, item) for turn in turns)
    if not turns and stands and abs(item.confidence - before.confidence) >= RISE:
        kind = EventKind.ROSE if item.confidence > before.confidence else EventKind.FELL
        yield _of(kind, item, before.confidence)


def _turned(turn: Turn, item: Diagnosis) -> Event:
    if turn.is_over:
        return Event(
            EventKind.RESOLVED, item.id, item.title, item.severity.value, before=item.confidence,
            text=turn.text, place=turn.place,
        )  # fmt: skip
    return replace(_of(EventKind.APPEARED, item), text=turn.text, place=turn.place, again=turn.is_again)


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
