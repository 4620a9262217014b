"""Error lines that no signature accounts for, and the signatures whose examples look most like them."""

from __future__ import annotations

from collections.abc import Sequence

from triage.knowledge.base import KnowledgeBase
from triage.model import ErrorLine, Launch, Observation, Unexplained
from triage.reasoning.candidate import Candidate
from triage.reasoning.recovery import went_on_after

_SHOWN = 50
_COMPARED = 5


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
    if not errors:
        return ()
    from triage.reasoning.nearest import nearest

    shown = errors[:_SHOWN]
    alike = nearest([error.text for error in shown[:_COMPARED]], base)
    alike += [()] * (len(shown) - len(alike))
    return tuple(
        Unexplained(error.text, error.place, error.origin, near) for error, near in zip(shown, alike, strict=True)
    )


def _is_head(error: ErrorLine) -> bool:
    return "Traceback (most recent call last)" in error.text
