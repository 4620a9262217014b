"""Which roots claim which lines with evidence that decides, whatever comes of it when they are weighed."""

from __future__ import annotations

from collections.abc import Iterator

from triage.knowledge.base import KnowledgeBase
from triage.model import Observation, Role, Strength
from triage.reasoning.evidence import seen_by_source, weigh
from triage.records import dataclass

_DECIDING = (Strength.DECISIVE, Strength.STRONG)


@dataclass(frozen=True, slots=True)
class Claim:
    """Item ``evidence`` of ``signature`` applies, and rests on ``line`` of the source."""

    signature: str
    evidence: str
    line: int
    text: str


def claims(observation: Observation, base: KnowledgeBase) -> Iterator[Claim]:
    """Every claim of decisive or strong evidence, by signature."""
    views = seen_by_source(observation.findings, observation.facts)
    touched = sorted({finding.key.partition("/")[0] for finding in observation.findings})
    for identifier in touched:
        signature = base.get(identifier) if identifier in base else None
        if signature is None or signature.role is not Role.ROOT:
            continue
        for seen in views.values():
            for item in weigh(signature.evidence, seen).supports:
                if item.hits and item.evidence.strength in _DECIDING:
                    first = item.hits[0]
                    yield Claim(identifier, item.evidence.id, first.place.line, first.text)
