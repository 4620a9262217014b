"""Error lines that no signature accounts for, and the signatures whose examples look most like them."""

from __future__ import annotations

from collections.abc import Sequence

from triage.knowledge.base import KnowledgeBase
from triage.model import ErrorLine, Launch, Nearest, Observation, Unexplained
from triage.reasoning.candidate import Candidate
from triage.reasoning.recovery import went_on_after

_SHOWN = 50
_COMPARED = 5
_NEAREST = 3
_MIN_SCORE = 60.0


def unexplained_errors(observation: Observation, accounted: Sequence[Candidate]) -> list[ErrorLine]:
    """The error lines outside every line, traceback and record of ``accounted``; a traceback's head only if nothing else
    of it is an error line."""
    lines = {place for item in accounted for place in item.lines()}
    blocks = {place for item in accounted for place in item.blocks()}
    rest = [
        error
        for error in observation.errors
        if (error.place.source, error.place.line) not in lines and (error.place.source, error.block) not in blocks
    ]
    speaking = {(error.place.source, error.block) for error in rest if not _is_head(error)}
    return [error for error in rest if not (_is_head(error) and (error.place.source, error.block) in speaking)]


def lasting(errors: Sequence[ErrorLine], launches: Sequence[Launch]) -> list[ErrorLine]:
    """Those after which the server is not seen to have gone on."""
    return [error for error in errors if not went_on_after(error.place, launches)]


def describe(errors: Sequence[ErrorLine], base: KnowledgeBase) -> tuple[Unexplained, ...]:
    """The first of them for the report; the very first ones with the nearest signatures."""
    found: list[Unexplained] = []
    for number, error in enumerate(errors[:_SHOWN]):
        nearest = _nearest(error.text, base) if number < _COMPARED else ()
        found.append(Unexplained(error.text, error.place, error.origin, nearest))
    return tuple(found)


def _nearest(text: str, base: KnowledgeBase) -> tuple[Nearest, ...]:
    # Only reports with something unexplained pay for this import.
    from rapidfuzz import fuzz, process

    samples: list[str] = []
    owners: list[str] = []
    for identifier, record in base.records.items():
        for example in record.data["examples"]:
            for line in str(example).splitlines():
                if len(line) > 12:
                    samples.append(line)
                    owners.append(identifier)
    best: dict[str, float] = {}
    for _, score, index in process.extract(
        text[:400], samples, scorer=fuzz.token_set_ratio, score_cutoff=_MIN_SCORE, limit=12
    ):
        best.setdefault(owners[index], score)
    ranked = sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))[:_NEAREST]
    return tuple(Nearest(identifier, round(score / 100.0, 3)) for identifier, score in ranked)


def _is_head(error: ErrorLine) -> bool:
    return "Traceback (most recent call last)" in error.text
