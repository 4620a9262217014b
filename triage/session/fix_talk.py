"""A run of a playbook in a thread of its own: what it asks and tells comes as values, and answers go back. For faces that must
not wait."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from triage.fixing.execution import InterruptedStepError
from triage.fixing.journal import Journal
from triage.fixing.opening import OpenFix
from triage.fixing.prepare import PreparedStep
from triage.fixing.previewing import preview_step
from triage.fixing.runner import Decision
from triage.fixing.runs import RunSummary
from triage.fixing.undoing import UndoStep, take_back_all
from triage.playbook import StepPreview
from triage.proof import confidence_again
from triage.records import dataclass
from triage.session.bench import Bench
from triage.session.errand import Errand
from triage.session.fix_again import open_again
from triage.session.fix_plan import ShownPlan, why_not_trusted
from triage.session.fix_run import FixRun, begin_run, carry_out

_KEPT_LINES = 2000
"""Lines of output that wait to be shown; older ones are dropped, and counted."""
_CLOSING_S = 8.0
"""What a command that is to end, and gets SIGKILL after its grace, may take."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the run waits for. Either ``step`` as it would be carried out now (``number``: its place in the plan, from 1;
    ``is_unfinished``: an earlier run began it, and its end is not known), or ``undo``: a step to be taken back."""

    step: StepPreview | None = None
    number: int = 0
    is_unfinished: bool = False
    undo: UndoStep | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a step; ``outcome`` is a key of fix_again.OUTCOMES."""

    step: str
    outcome: str
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a run. ``again``: how sure the diagnosis is since, in words; ``undone``: (step, outcome) of a taking back, for
    which ``run`` is None."""

    run: FixRun | None
    again: str = ""
    undone: tuple[tuple[str, str], ...] = ()


Work: TypeAlias = "Callable[[FixTalk], Finished]"


class FixTalk:
    """The operator of a run whose answers come from another thread.

    ``question`` is what the run waits for, None while it works. Whoever shows it gives it back with the answer, so that no
    answer can go to another question.
    """

    def __init__(self, fix: OpenFix, work: Work) -> None:
        self.fix = fix
        self.question: Question | None = None
        self.dropped = 0
        self._order = [step.id for step in fix.plan.playbook.steps]
        self._answers: queue.SimpleQueue[Decision] = queue.SimpleQueue()
        self._told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._ending, self._closed = threading.Event(), threading.Event()
        self._errand = Errand(lambda: work(self))

    @property
    def is_over(self) -> bool:
        """The run has ended."""
        return self._errand.is_over

    @property
    def is_working(self) -> bool:
        """Something is being done, and nobody is asked."""
        return not self.is_over and self.question is None

    @property
    def is_closed(self) -> bool:
        """Whoever answered has gone."""
        return self._closed.is_set()

    def finished(self) -> Finished:
        """The end of the run, waited for.

        Raises: what the run raised.
        """
        return self._errand.answer()

    def news(self) -> Iterator[Told]:
        """What was told since the last call; never waits."""
        while True:
            try:
                yield self._told.get_nowait()
            except queue.Empty:
                return

    def lines(self) -> list[str]:
        """What steps printed since the last call, visible and redacted."""
        found: list[str] = []
        while self._lines:
            found.append(self._lines.popleft())
        return found

    def reply(self, question: Question, decision: Decision) -> None:
        """The answer to ``question``; one that is not asked any more is passed over."""
        if question is self.question:
            self.question = None
            self._answers.put(decision)

    def end_step(self) -> None:
        """End what is being carried out."""
        self._ending.set()

    def close(self) -> bool:
        """Stop at the next question, end the step that is under way, and wait a while; whether all is over."""
        self._closed.set()
        self._ending.set()
        self._answers.put(Decision.STOP)
        return self._errand.wait(_CLOSING_S)

    def approve(self, prepared: PreparedStep) -> Decision:
        """See ``runner.Operator``."""
        return self._ask(self._question(prepared))

    def unfinished(self, prepared: PreparedStep) -> Decision:
        """See ``runner.Operator``."""
        return self._ask(self._question(prepared, is_unfinished=True))

    def agrees(self, item: UndoStep) -> bool:
        """Whether a step is to be taken back."""
        return self._ask(Question(undo=item)) is Decision.RUN

    def told(self, step: str, outcome: str, text: str) -> None:
        """See ``runner.Operator``."""
        self._told.put(Told(step, outcome, text))

    def output(self, line: str) -> None:
        """See ``runner.Operator``."""
        if len(self._lines) == _KEPT_LINES:
            self.dropped += 1
        self._lines.append(line)

    def stop(self) -> bool:
        """The operator was asked before ``end_step``."""
        return True

    def wants_end(self) -> bool:
        """Ctrl-C reaches no thread but the first."""
        return self._ending.is_set()

    def _question(self, prepared: PreparedStep, *, is_unfinished: bool = False) -> Question:
        name = prepared.step.id
        number = self._order.index(name) + 1 if name in self._order else 1
        return Question(preview_step(prepared, self.fix.workshop), number, is_unfinished)

    def _ask(self, question: Question) -> Decision:
        if self._closed.is_set():
            return Decision.STOP
        self._ending.clear()  # it was meant for the step before
        self.question = question
        return self._answers.get()


def begin(plan: ShownPlan, packs: Sequence[Path], bench: Bench) -> FixTalk:
    """A new run of the plan.

    Raises:
        PermissionError: nothing of it may be carried out here; the text says why.
    """
    _require_allowed(plan)

    def work(talk: FixTalk) -> Finished:
        with begin_run(plan.fix, packs, bench.environment) as journal:
            done = carry_out(plan.fix, journal, talk)
        return _finished(talk, done, packs)

    return FixTalk(plan.fix, work)


def go_on(plan: ShownPlan, packs: Sequence[Path], bench: Bench) -> FixTalk:
    """The run that was cut off, from where it was.

    Raises:
        PermissionError: see ``begin``. LookupError: there is none.
    """
    _require_allowed(plan)
    if plan.unfinished is None:
        raise LookupError("no run was cut off")
    run = plan.unfinished

    def work(talk: FixTalk) -> Finished:
        talk.fix = _opened(run, bench)
        # It was read from its file once more: that may be another one since the plan was shown.
        if reason := why_not_trusted(talk.fix.plan.playbook, bench):
            raise PermissionError(reason)
        with Journal.reopen(run.path) as journal:
            done = carry_out(talk.fix, journal, talk)
        return _finished(talk, done, packs)

    return FixTalk(plan.fix, work)


def take_back(plan: ShownPlan, bench: Bench) -> FixTalk:
    """The last run of the playbook taken back, each step with the operator's approval.

    Raises: as ``go_on``.
    """
    _require_allowed(plan)
    if plan.last is None or not plan.to_undo:
        raise LookupError("nothing is left to take back")
    run = plan.last

    def work(talk: FixTalk) -> Finished:
        talk.fix = _opened(run, bench)
        outcomes: list[tuple[str, str]] = []
        with Journal.reopen(run.path) as journal:
            try:
                outcomes.extend(take_back_all(talk.fix.workshop, journal, talk, talk.agrees))
            except InterruptedStepError:
                outcomes.append(("", "broken-off"))
        return Finished(None, undone=tuple(outcomes))

    return FixTalk(plan.fix, work)


def _opened(run: RunSummary, bench: Bench) -> OpenFix:
    """The plan of a run as it was; probes may be asked, which takes seconds."""
    return open_again(run.records[0].data, {}, bench.environment, python=bench.python, pid=bench.pid)


def _finished(talk: FixTalk, done: FixRun, packs: Sequence[Path]) -> Finished:
    # Nobody who is leaving waits for the host to be asked once more.
    again = confidence_again(talk.fix, packs) if done.found is not None and not talk.is_closed else None
    return Finished(done, again or "")


def _require_allowed(plan: ShownPlan) -> None:
    if plan.only_shown:
        raise PermissionError(plan.only_shown)
