"""Causes that claim the same line without knowing of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from triage.knowledge.base import KnowledgeBase
from triage.model import Role, Signature
from triage.records import dataclass


class Claim(Protocol):
    """Deciding evidence of a root that rests on a line."""

    @property
    def signature(self) -> str: ...
    @property
    def evidence(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Overlap:
    """``other`` claims a line that decides for the owner of the example."""

    owner: str
    example: int
    other: str
    evidence: str
    text: str

    def __str__(self) -> str:
        return (
            f"{self.owner}: example {self.example}: '{self.other}' claims the same line ({self.evidence}): {self.text}; "
            "relate the two (refines, explains), or name the message they share in 'confusions' of both"
        )


def overlaps(base: KnowledgeBase, claims_on: Callable[[bytes], Iterable[Claim]]) -> Iterator[Overlap]:
    """Each pair of unrelated roots once, with the first example that shows it. ``claims_on`` gives the claims that all
    signatures of ``base`` make on a text."""
    seen: set[frozenset[str]] = set()
    for owner in base:
        if owner.role is not Role.ROOT:
            continue
        for number, example in enumerate(owner.examples, 1):
            claims = list(claims_on(example.encode()))
            own = {claim.line for claim in claims if claim.signature == owner.id}
            for claim in claims:
                pair = frozenset((owner.id, claim.signature))
                if len(pair) < 2 or claim.line not in own or pair in seen or related(owner, base.get(claim.signature)):
                    continue
                seen.add(pair)
                yield Overlap(owner.id, number, claim.signature, claim.evidence, claim.text.strip()[:160])


def related(one: Signature, other: Signature) -> bool:
    """Do the authors know of each other?"""
    return bool(
        other.id in (*one.refines, *one.explains)
        or one.id in (*other.refines, *other.explains)
        or set(one.confusions) & set(other.confusions)
    )
