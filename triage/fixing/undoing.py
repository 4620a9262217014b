"""Finished steps taken back, the last first, as the journal keeps them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from triage.fixing.execution import InterruptedStepError, Onlooker, OutputError
from triage.fixing.journal import Journal
from triage.fixing.journal_store import Record
from triage.fixing.perform import take_back
from triage.fixing.prepare import DIGEST_LENGTH
from triage.fixing.step_records import StepProgress, outcome_data, state_of
from triage.fixing.workshop import Workshop
from triage.records import dataclass, replace

_CUT_OFF = "it was begun, and its end was not noted: see what it did"
_UNDO_CUT_OFF = "its undo was begun, and the end of that was not noted: see what it did"


@dataclass(frozen=True, slots=True)
class UndoStep:
    """A finished step with what takes it back; ``undo`` None: nothing does."""

    step: str
    told: str
    undo: dict[str, object] | None

    @property
    def digest(self) -> str:
        """What an agreement to take it back is bound to."""
        return hashlib.sha256(json.dumps([self.step, self.undo], sort_keys=True).encode()).hexdigest()[:DIGEST_LENGTH]


class Told(Onlooker, Protocol):
    """Who is told, and who may break off."""

    def told(self, step: str, outcome: str, text: str) -> None:
        """What became of a step."""


def steps_to_undo(records: Sequence[Record]) -> tuple[UndoStep, ...]:
    """The steps that stand finished (or failed after they had done something, or were cut off), the last first."""
    progress = state_of(records)
    found: dict[str, UndoStep] = {}
    for record in records:
        if record.event in ("begin", "end") and record.step is not None:
            undo = record.data.get("undo")
            found.pop(record.step, None)
            if record.event == "begin" or record.data.get("ok") is True or isinstance(undo, dict):
                told = _CUT_OFF if record.event == "begin" else str(record.data.get("told", ""))
                found[record.step] = UndoStep(record.step, told, undo if isinstance(undo, dict) else None)
        elif record.event == "undo-begin" and record.step in found:
            found[record.step] = replace(found[record.step], told=_UNDO_CUT_OFF)
        elif record.event == "undo-end" and record.step in found:
            found[record.step] = replace(found[record.step], told=str(record.data.get("told", "")))
    standing = (StepProgress.FINISHED, StepProgress.FAILED, StepProgress.BEGUN, StepProgress.UNDOING)
    return tuple(item for item in reversed(found.values()) if progress.get(item.step) in standing)


def take_back_all(
    workshop: Workshop,
    journal: Journal,
    operator: Told,
    approve: Callable[[UndoStep], bool] = lambda _: True,
) -> Iterator[tuple[str, str]]:
    """Take back every step that can be and that ``approve`` agrees to; ends at the first that fails.

    Raises:
        JournalUnavailable: the journal cannot be written.
        InterruptedStepError: the operator broke an undo off; the journal says so.
        OSError: what an undo printed could not be shown; it went on to its end.
    """
    for item in steps_to_undo(journal.records()):
        if item.undo is None:
            operator.told(item.step, "kept", "there is nothing to take back")
            continue
        if not approve(item):
            operator.told(item.step, "kept", "")
            continue
        journal.append("undo-begin", step=item.step)
        try:
            done = take_back(item.undo, workshop, operator)
        except (InterruptedStepError, OutputError) as broken:
            ok = isinstance(broken, OutputError) and broken.executed.exit_code == 0
            journal.append("undo-end", step=item.step, ok=ok, told="broken off", **outcome_data(broken.executed))
            raise broken.__cause__ or broken from None
        journal.append("undo-end", step=item.step, ok=done.ok, told=done.told, **done.data)
        outcome = "undone" if done.ok else "failed"
        operator.told(item.step, outcome, done.told)
        yield item.step, outcome
        if not done.ok:
            return
