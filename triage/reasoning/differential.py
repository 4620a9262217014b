"""A wide cause and narrower ones on its line: until a probe has told them apart, none of them is sure."""

from __future__ import annotations

from collections.abc import Sequence

from triage.model import Role, Strength
from triage.reasoning.candidate import Candidate
from triage.reasoning.weights import PRIOR, STRENGTH

_TELLS_APART = (Strength.DECISIVE, Strength.STRONG, Strength.RULES_OUT)


def share_with_narrower(shown: Sequence[Candidate]) -> None:
    """Divide the confidence of each wide cause among it and the narrower ones shown that a probe would tell from it.

    A line that decides for the wide cause is printed whichever of them it is: it says nothing for one against the other.
    What is left are the priors, and what else is known of the narrower ones. Order and number of ``shown`` stay.
    """
    groups = {wide.id: (wide, narrower) for wide in shown if (narrower := _narrower(wide, shown))}
    inside = {item.id for _, narrower in groups.values() for item in narrower}
    for wide, narrower in groups.values():
        if wide.id in inside or not any(map(_waits, narrower)):
            continue
        prior = PRIOR[wide.signature.prevalence]
        # A part is never more frequent than the whole, whatever their authors say of each alone.
        odds = [10.0 ** (min(0.0, _own(item, wide) - prior) / 10.0) for item in narrower]
        whole, total = wide.confidence, 1.0 + sum(odds)
        for item, weight in zip((wide, *narrower), (1.0, *odds), strict=True):
            item.confidence = whole * weight / total
        wide.rivals = list(dict.fromkeys((*wide.rivals, *(item.id for item in narrower))))
        for item in narrower:
            item.rivals = list(dict.fromkeys((wide.id, *item.rivals)))


def _narrower(wide: Candidate, shown: Sequence[Candidate]) -> list[Candidate]:
    """Those that refine ``wide``, and rest on a line of its own best evidence by more than a hint."""
    return [
        item
        for item in shown
        if wide.id in item.signature.refines
        and item.signature.role is wide.signature.role is Role.ROOT
        and STRENGTH[item.best] >= STRENGTH[Strength.SUPPORTS]
        and item.lines() & wide.lines()
    ]


def _waits(item: Candidate) -> bool:
    """Would a probe that did not run decide on ``item``?"""
    return any(
        evidence.probe in item.not_checked and evidence.strength in _TELLS_APART
        for evidence in item.signature.evidence
        if evidence.probe is not None
    )


def _own(item: Candidate, wide: Candidate) -> float:
    """Decibans of ``item`` without what its lines in common with ``wide`` gave it."""
    shared = wide.lines()
    common = sum(
        entry.decibans
        for entry in item.ledger
        if entry.place is not None and (entry.place.source, entry.place.line) in shared
    )
    return item.decibans - common
