"""A plan carried out step by step: look, ask, note, do, note, verify. What is not in the journal does not happen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Protocol

from triage.fixing.checks import CheckAnswer, carry_out, carry_out_after_change
from triage.fixing.execution import InterruptedStepError, Onlooker, OutputError
from triage.fixing.file_edit import EditRefused
from triage.fixing.journal import Journal
from triage.fixing.journal_store import Record
from triage.fixing.perform import Performed, begin_data, finished, perform
from triage.fixing.plan import Plan, PlannedStep, StepState
from triage.fixing.prepare import PreparedStep, prepare
from triage.fixing.processes import ProcessIdentity, is_same
from triage.fixing.step_records import StepProgress, state_of
from triage.fixing.undoing import take_back_all
from triage.fixing.workshop import Workshop
from triage.playbook import EndProcess, OnFailure, StepKind
from triage.records import dataclass, replace
from triage.safety.redact import Redactor


class Decision(str, Enum):
    """What the operator says to a step: carry it out, leave it out, or end here."""

    RUN = "run"
    SKIP = "skip"
    STOP = "stop"


class Operator(Onlooker, Protocol):
    """Who approves, and who is told."""

    def approve(self, prepared: PreparedStep) -> Decision:
        """Shown exactly what would be done; the answer holds for that alone."""

    def unfinished(self, prepared: PreparedStep) -> Decision:
        """The step was begun (or its undo was) in an earlier run, and whether it is done is not known. SKIP: it is."""

    def told(self, step: str, outcome: str, text: str) -> None:
        """What became of a step."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """``outcomes``: what became of each step, in order: done, already, skipped, shown, left-out, unavailable, failed, stopped,
    broken-off (while it was under way), undone. ``stopped``: steps are left that were not looked at."""

    outcomes: tuple[tuple[str, str], ...]
    stopped: bool = False

    @property
    def changed(self) -> bool:
        """Something was done."""
        return any(outcome in ("done", "failed", "broken-off", "undone") for _, outcome in self.outcomes)

    @property
    def failed(self) -> bool:
        """A step did not do what it should."""
        return any(outcome == "failed" for _, outcome in self.outcomes)


def run_plan(plan: Plan, workshop: Workshop, journal: Journal, operator: Operator) -> RunResult:
    """Every step of ``plan`` that the journal does not call finished.

    Raises:
        JournalUnavailable: the journal cannot be written; nothing was done that it does not hold, but for the step whose end
            it could not take.
        OSError: what a step printed could not be shown; the step itself went on to its end, which the journal holds.
    """
    before = state_of(journal.records())
    outcomes: list[tuple[str, str]] = []
    for planned in plan.steps:
        outcome, text, workshop = _Turn(planned, workshop, journal, operator, before).take()
        if (
            outcome == "failed"
            and planned.step.kind is StepKind.CHECK
            and planned.step.on_failure is OnFailure.CONTINUE
        ):
            outcome = "noted"  # it was only to be looked at
        outcomes.append((planned.step.id, outcome))
        operator.told(planned.step.id, outcome, text)
        if outcome in ("stopped", "broken-off"):
            return RunResult(tuple(outcomes), stopped=True)
        if outcome == "failed" and planned.step.on_failure is not OnFailure.CONTINUE:
            if planned.step.on_failure is OnFailure.UNDO:
                outcomes.extend(take_back_all(workshop, journal, operator))
            return RunResult(tuple(outcomes), stopped=True)
    return RunResult(tuple(outcomes))


class _Turn:
    """One step's turn."""

    def __init__(
        self,
        planned: PlannedStep,
        workshop: Workshop,
        journal: Journal,
        operator: Operator,
        before: dict[str, StepProgress],
    ) -> None:
        self.planned, self.workshop, self.journal, self.operator = planned, workshop, journal, operator
        self.progress = before.get(planned.step.id)
        self.redactor = Redactor()

    def take(self) -> tuple[str, str, Workshop]:
        """Its outcome, what to tell of it, and the workshop as it is for the next step."""
        prepared = prepare(self.planned, self.workshop)
        after = self.workshop.after(prepared.launch, container_changed=prepared.changes_container)
        if self.progress is StepProgress.FINISHED:
            return (*self._finished(prepared), after)
        if self.progress in (StepProgress.BEGUN, StepProgress.UNDOING):
            # Even if it could not be done now: it may be done already, which is why.
            decided = self._unfinished(prepared)
            if decided is not None:
                return (*decided, after)
        if prepared.state is not StepState.READY:
            is_refused = prepared.state is StepState.UNAVAILABLE
            self._note("refuse" if is_refused else "skip", prepared, prepared.reason)
            return prepared.state.value, prepared.reason, self.workshop if is_refused else after
        outcome, text = self._ask(prepared)
        return outcome, text, after if outcome in ("done", "already") else self.workshop

    def _unfinished(self, prepared: PreparedStep) -> tuple[str, str] | None:
        """The outcome of a step that an earlier run began, or None where it is to be done again."""
        answer = self._check(prepared.step.already_done) if self._is_filled else None
        if answer is not None and answer.holds:
            return self._already(prepared, answer.proof)
        if isinstance(prepared.step.action, EndProcess) and (ended := self._ended_process()):
            return self._already(prepared, ended)
        decision = self.operator.unfinished(prepared)
        if decision is Decision.SKIP:
            return self._already(prepared, "done in an earlier run, says the operator")
        return None if decision is Decision.RUN else ("stopped", "")

    def _finished(self, prepared: PreparedStep) -> tuple[str, str]:
        """A step that ended well in an earlier run. If that was cut off before it was verified, this is done now."""
        told = "done in an earlier run"
        events = [item.event for item in self._records if item.event in ("end", "verify")]
        if events[-1:] == ["verify"] or not self._is_filled:
            return "already", told
        outcome, text = self._verified(prepared, told)
        return "already" if outcome == "done" else outcome, text

    @property
    def _is_filled(self) -> bool:
        """The step's texts hold values, not the names of parameters."""
        return self.planned.state in (StepState.READY, StepState.SHOWN)

    @property
    def _records(self) -> list[Record]:
        return [item for item in self.journal.records() if item.step == self.planned.step.id]

    def _kept(self, event: str) -> Mapping[str, Any]:
        """What the newest record of that event says of the step."""
        return next((item.data for item in reversed(self._records) if item.event == event), {})

    def _ended_process(self) -> str:
        """That the process which an earlier run was about to end does not run any more, or an empty text."""
        pid, start = self._kept("begin").get("pid"), self._kept("begin").get("start_ticks")
        if not isinstance(pid, int) or not isinstance(start, int) or is_same(ProcessIdentity(pid, start, "", 0, ())):
            return ""
        return f"process {pid}, which was to end, does not run any more"

    def _already(self, prepared: PreparedStep, proof: str) -> tuple[str, str]:
        """Nothing has to be done; what an earlier run began has its end by that, and can be taken back."""
        if self.progress in (StepProgress.BEGUN, StepProgress.UNDOING):
            self._note(
                "end", prepared, proof, ok=True, told=self.redactor.redact(proof), undo=self._kept("begin").get("undo")
            )
        else:
            self._note("skip", prepared, proof)
        return "already", proof

    def _ask(self, prepared: PreparedStep) -> tuple[str, str]:
        decision = self.operator.approve(prepared)
        if decision is not Decision.RUN:
            self._note("skip" if decision is Decision.SKIP else "refuse", prepared, "the operator said no")
            return ("skipped", "") if decision is Decision.SKIP else ("stopped", "")
        # Whoever looked long may have looked at something that is not so any more.
        again = prepare(self.planned, self.workshop)
        if again.digest != prepared.digest:
            self._note("refuse", again, "it changed while it was being approved")
            return "failed", "it changed while it was being approved; look at it again"
        self._note("approve", prepared, "")
        answer = self._check(prepared.step.already_done)
        if answer is not None and answer.holds:
            return self._already(prepared, answer.proof)
        if prepared.edit is not None and not prepared.edit.changes:
            return self._already(prepared, f"{prepared.edit.path} says so already")
        return self._do(prepared)

    def _do(self, prepared: PreparedStep) -> tuple[str, str]:
        try:
            begin = begin_data(prepared, self.workshop, self.redactor)
        except EditRefused as error:
            self._note("refuse", prepared, str(error))
            return "failed", str(error)
        self.journal.append("begin", **begin)
        try:
            done = perform(prepared, self.workshop, self.operator)
        except InterruptedStepError as broken:
            self._end(prepared, replace(finished(prepared, broken.executed), ok=False, told="broken off"))
            return "broken-off", "what it did so far stays"
        except OutputError as broken:
            self._end(prepared, finished(prepared, broken.executed))
            raise broken.__cause__ or broken from None
        self._end(prepared, done)
        if not done.ok:
            return "failed", done.told
        return self._verified(prepared, done.told)

    def _end(self, prepared: PreparedStep, done: Performed) -> None:
        data: dict[str, Any] = {"step": prepared.step.id, "told": done.told, **done.data}
        self.journal.append("end", ok=done.ok, undo=done.undo, **data)

    def _verified(self, prepared: PreparedStep, told: str) -> tuple[str, str]:
        if prepared.step.verify is None:
            return "done", told
        answer = carry_out_after_change(prepared.step.verify, self.workshop)
        self.journal.append("verify", step=prepared.step.id, ok=answer.holds, proof=answer.proof)
        if answer.holds is False:
            return "failed", f"{told}, but {answer.proof}"
        return "done", f"{told}; {'verified: ' if answer.holds else 'not verified: '}{answer.proof}"

    def _check(self, check: Any) -> CheckAnswer | None:
        return None if check is None else carry_out(check, self.workshop)

    def _note(self, event: Any, prepared: PreparedStep, reason: str, **data: Any) -> None:
        self.journal.append(
            event, step=prepared.step.id, digest=prepared.digest, reason=self.redactor.redact(reason), **data
        )


def ready_steps(plan: Plan, workshop: Workshop) -> Iterator[PreparedStep]:
    """Every step as it would be if all before it were done: for a preview of the whole."""
    for planned in plan.steps:
        prepared = prepare(planned, workshop)
        if prepared.state is not StepState.UNAVAILABLE:
            workshop = workshop.after(prepared.launch, container_changed=prepared.changes_container)
        yield prepared
