"""What the records of a journal say about steps: how a command and its end are put down, and how far each step got."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from triage.fixing.execution import Executed
from triage.fixing.journal_store import Record
from triage.safety.redact import Redactor


class StepProgress(str, Enum):
    """How far a step got, by the last record about it."""

    FINISHED = "finished"
    BEGUN = "begun-without-end"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNDOING = "undo-begun-without-end"
    UNDONE = "undone"


_BEGINNINGS = {"begin": StepProgress.BEGUN, "skip": StepProgress.SKIPPED, "undo-begin": StepProgress.UNDOING}


def state_of(records: Iterable[Record]) -> dict[str, StepProgress]:
    """How far each step got, in the order in which they were first begun or skipped. The last record about a step decides.
    Approvals and refusals change nothing, nor does a check, unless it fails for a step that had ended well."""
    found: dict[str, StepProgress] = {}
    for record in records:
        if record.step is None:
            continue
        progress = _progress(record, found.get(record.step))
        if progress is not None:
            found[record.step] = progress
    return found


def _progress(record: Record, before: StepProgress | None) -> StepProgress | None:
    ok = record.data.get("ok")
    if record.event == "end":
        return StepProgress.FINISHED if ok is True else StepProgress.FAILED
    if record.event == "undo-end":
        return StepProgress.UNDONE if ok is True else StepProgress.FAILED
    if record.event == "verify":
        return StepProgress.FAILED if ok is False and before is StepProgress.FINISHED else None
    return _BEGINNINGS.get(record.event)


def command_data(argv: Sequence[str], redactor: Redactor) -> dict[str, Any]:
    """A command for a record: as it may be shown, and the SHA-256 of what it exactly is (its words, each with a NUL)."""
    exact = b"".join(os.fsencode(word) + b"\0" for word in argv)
    return {"argv": list(redactor.redact_arguments(argv)), "argv_sha256": hashlib.sha256(exact).hexdigest()}


def outcome_data(executed: Executed) -> dict[str, Any]:
    """What became of a command, for a record."""
    return {
        "exit": executed.exit_code,
        "signal": executed.signal,
        "timed_out": executed.timed_out,
        "tail": executed.tail,
        "output_sha256": executed.digest,
        "output_bytes": executed.bytes,
        "seconds": executed.seconds,
    }
