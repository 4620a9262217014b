"""How far each step got, as its records tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.fixing.journal_store import EVENTS, Event, Record
from triage.fixing.step_records import StepProgress, state_of


def record(event: Event, step: str | None = "a", ok: bool | None = None) -> Record:
    """A record about a step."""
    data: dict[str, Any] = {} if step is None else {"step": step}
    return Record(1, "", "run", event, data if ok is None else {**data, "ok": ok}, "", "")


RECORDS = st.builds(
    record, st.sampled_from(sorted(EVENTS)), st.sampled_from(["a", "b", "c", None]), st.sampled_from([True, False, None])
)  # fmt: skip


@pytest.mark.parametrize(
    ("events", "progress"),
    [
        ([], None),
        ([("approve", None)], None),
        ([("refuse", None)], None),
        ([("skip", None)], StepProgress.SKIPPED),
        ([("approve", None), ("begin", None)], StepProgress.BEGUN),
        ([("begin", None), ("end", True)], StepProgress.FINISHED),
        ([("begin", None), ("end", False)], StepProgress.FAILED),
        ([("begin", None), ("end", True), ("verify", True)], StepProgress.FINISHED),
        ([("begin", None), ("end", True), ("verify", None)], StepProgress.FINISHED),
        ([("begin", None), ("end", True), ("verify", False)], StepProgress.FAILED),
        ([("begin", None), ("verify", True)], StepProgress.BEGUN),
        ([("begin", None), ("verify", False)], StepProgress.BEGUN),
        ([("begin", None), ("end", False), ("begin", None)], StepProgress.BEGUN),
        ([("begin", None), ("end", True), ("undo-begin", None)], StepProgress.UNDOING),
        ([("begin", None), ("end", True), ("undo-begin", None), ("undo-end", True)], StepProgress.UNDONE),
        ([("begin", None), ("end", True), ("undo-begin", None), ("undo-end", False)], StepProgress.FAILED),
        (
            [("begin", None), ("end", True), ("undo-begin", None), ("undo-end", True), ("begin", None)],
            StepProgress.BEGUN,
        ),
    ],
)
def test_a_life(events: list[tuple[Event, bool | None]], progress: StepProgress | None) -> None:
    """Each course of a step and what it comes to."""
    assert state_of(record(event, "a", ok) for event, ok in events).get("a") is progress


@given(st.lists(RECORDS, max_size=20))
def test_steps_do_not_touch_each_other(records: list[Record]) -> None:
    """What one step came to depends on its own records alone, and records about no step tell nothing."""
    found = state_of(records)
    for step in ("a", "b", "c"):
        assert found.get(step) == state_of(item for item in records if item.step == step).get(step)
    assert set(found) <= {"a", "b", "c"}


@given(st.lists(RECORDS, max_size=20))
def test_finished_means_a_good_end_and_no_doubt_since(records: list[Record]) -> None:
    """A finished step has a good end, after which nothing was begun, undone, failed or checked in vain."""
    for step, progress in state_of(records).items():
        own = [item for item in records if item.step == step]
        ends = [at for at, item in enumerate(own) if item.event == "end" and item.data.get("ok") is True]
        later = own[ends[-1] + 1 :] if ends else []
        doubt = {(item.event, item.data.get("ok")) for item in later}
        spoiled = any(event in ("begin", "skip", "undo-begin", "undo-end", "end") for event, _ in doubt)
        spoiled = spoiled or ("verify", False) in doubt
        assert (progress is StepProgress.FINISHED) == (bool(ends) and not spoiled)


@given(st.lists(RECORDS, max_size=12), st.lists(RECORDS, max_size=12))
def test_a_beginning_is_never_forgotten(before: list[Record], after: list[Record]) -> None:
    """Once begun a step stays in the account, whatever comes; and until an end or a new turn it stands as begun."""
    found = state_of([*before, record("begin"), *after])
    assert "a" in found
    turns = {"end", "skip", "undo-begin", "undo-end"}
    if not any(item.step == "a" and item.event in turns for item in after):
        assert found["a"] is StepProgress.BEGUN
