"""Candidates against each other: the special wins over the wide, causes of one line compete, roots take their cascades."""

from __future__ import annotations

from collections.abc import Sequence

from triage.model import Role, Severity, Strength
from triage.reasoning.candidate import Candidate
from triage.reasoning.evidence import PLAN
from triage.reasoning.weights import LATER_IN_CHAIN, STRENGTH, SUSPECT_CAP, probability

_SLACK_LINES = 40
_SLACK_SECONDS = 5.0


def compete(candidates: Sequence[Candidate]) -> None:
    """Set every candidate's confidence with its rivals in view.

    Causes that rest on the same line or traceback exclude one another: the posterior of each is its odds over one plus
    the odds of all. Advice competes with nothing.
    """
    roots = [item for item in candidates if item.signature.role is Role.ROOT]
    odds = {item.id: 10.0 ** ((item.decibans + _chain_penalty(item, roots)) / 10.0) for item in roots}
    for item in roots:
        rivals = [
            other for other in roots if other is not item and _share_a_record(item, other) and not _related(item, other)
        ]
        total = 1.0 + odds[item.id] + sum(odds[other.id] for other in rivals)
        item.confidence = odds[item.id] / total
        item.rivals = [other.id for other in sorted(rivals, key=lambda other: (-odds[other.id], other.id))]
    for item in candidates:
        if item.signature.role is not Role.ROOT:
            item.confidence = probability(item.decibans)
        if item.suspect:
            item.confidence = min(item.confidence, SUSPECT_CAP)
            item.notes.append("rests on lines that a client may have written")


def fold(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates that stand on their own; the others are named in ``explains`` of the one that accounts for them."""
    by_id = {item.id: item for item in candidates}
    taken: dict[str, str] = {}
    for item in candidates:
        for wider in item.signature.refines:
            if wider in by_id and _wins_over_wider(item, by_id[wider]):
                taken.setdefault(wider, item.id)
    for item in candidates:
        for other_id in item.signature.explains:
            other = by_id.get(other_id)
            if other is not None and other_id not in taken and _accounts_for(item, other):
                taken[other_id] = item.id
    _fold_cascades(candidates, taken)
    for loser in sorted(taken):
        winner = _final(taken, loser)
        if winner is not None:
            by_id[winner].explains.append(loser)
    return [item for item in candidates if item.id not in taken or _final(taken, item.id) is None]


def _fold_cascades(candidates: Sequence[Candidate], taken: dict[str, str]) -> None:
    """A cascade is accounted for by the surest root that began no later, even where no file says so in words."""
    roots = sorted(
        (item for item in candidates if item.is_root and item.id not in taken), key=lambda item: -item.confidence
    )
    for cascade in candidates:
        if cascade.signature.role is not Role.CASCADE or cascade.id in taken:
            continue
        for root in roots:
            serious = root.signature.severity in (Severity.FATAL, Severity.ERROR)
            if serious and root.best in (Strength.DECISIVE, Strength.STRONG) and _not_later(root, cascade):
                taken[cascade.id] = root.id
                break


def _final(taken: dict[str, str], identifier: str) -> str | None:
    """Who accounts for ``identifier`` in the end; None when the chain turns in a circle."""
    seen = {identifier}
    while identifier in taken:
        identifier = taken[identifier]
        if identifier in seen:
            return None
        seen.add(identifier)
    return identifier


def _wins_over_wider(item: Candidate, wider: Candidate) -> bool:
    """Evidence of its own: at least as strong as what the wider cause has, or as likely as not by itself."""
    return item.decibans >= wider.decibans or (item.decibans >= 0 and STRENGTH[item.best] >= STRENGTH[Strength.STRONG])


def _accounts_for(item: Candidate, other: Candidate) -> bool:
    if other.id in item.signature.refines:
        return False
    credible = item.signature.role is not Role.ADVICE and (item.confidence >= 0.35 or item.decibans >= other.decibans)
    return credible and _not_later(item, other)


def _not_later(item: Candidate, other: Candidate) -> bool:
    """Did ``item`` begin no later than ``other``? Lines of one dying moment come in any order, so a little slack is given."""
    first, second = item.onset, other.onset
    if first.place.source == second.place.source:
        if first.block <= second.place.line:
            return True
        near = first.place.line - second.place.line <= _SLACK_LINES
        if first.place.seconds is not None and second.place.seconds is not None:
            return first.place.seconds - second.place.seconds <= _SLACK_SECONDS
        return near
    if first.place.seconds is not None and second.place.seconds is not None:
        return first.place.seconds - second.place.seconds <= _SLACK_SECONDS
    return True


def _related(item: Candidate, other: Candidate) -> bool:
    """One refines or explains the other: no rivals, one account."""
    return (
        other.id in item.signature.refines
        or item.id in other.signature.refines
        or other.id in item.signature.explains
        or item.id in other.signature.explains
    )


def _share_a_record(item: Candidate, other: Candidate) -> bool:
    shared = (item.lines() & other.lines()) | (item.blocks() & other.blocks())
    # One word of a planned command can be wrong in two ways at once; one line of a log tells of one failure.
    return any(source != PLAN[0] for source, _ in shared)


def _chain_penalty(item: Candidate, roots: Sequence[Candidate]) -> float:
    """In a chain of exceptions the innermost is printed first; the later one is what became of it."""
    for other in roots:
        if other is item or other.best is not item.best or other.onset.place.source != item.onset.place.source:
            continue
        if other.onset.block == item.onset.block and other.onset.place.line < item.onset.place.line:
            return LATER_IN_CHAIN
    return 0.0
