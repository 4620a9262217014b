"""The playbook that is looked at: its plan, the run that is under way, what became of each step. Knows nothing of widgets."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

from triage.fixing.journal_store import JournalUnavailable
from triage.fixing.parameters import ParameterError
from triage.knowledge.errors import KnowledgeError
from triage.session.bench import Bench
from triage.session.errand import Errand
from triage.session.fix_plan import ShownPlan, show_plan
from triage.session.fix_run import NoPlaybookError, run_note
from triage.session.fix_talk import Finished, FixTalk, Question, Told, begin, go_on, take_back
from triage.session.session import Session

_KEPT_LINES = 500
_REFUSALS = (NoPlaybookError, ParameterError, JournalUnavailable, KnowledgeError, LookupError, PermissionError, OSError)


class Fixing:
    """``revision`` grows with every change. ``trouble``: what is wrong, in one line of data; ``given``: values by name that
    the operator typed."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.diagnosis = ""
        self.given: dict[str, str] = {}
        self.plan: ShownPlan | None = None
        self.trouble = ""
        self.told: dict[str, Told] = {}
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self.printed = 0
        self.finished: Finished | None = None
        self.revision = 0
        self._talk: FixTalk | None = None
        self._opening: Errand[ShownPlan] | None = None
        self._seen: Question | None = None

    @property
    def question(self) -> Question | None:
        """What a run waits for."""
        return self._talk.question if self._talk is not None else None

    @property
    def is_open(self) -> bool:
        """A run is under way, or waits for an answer."""
        return self._talk is not None

    @property
    def is_working(self) -> bool:
        """A step is being carried out, or checked."""
        return self._talk is not None and self._talk.is_working

    @property
    def is_opening(self) -> bool:
        """The plan is being made."""
        return self._opening is not None

    def open(self, session: Session, diagnosis: str) -> None:
        """Make the plan for another diagnosis, unless a run is under way."""
        if self.is_open:
            return
        if diagnosis != self.diagnosis:
            self.diagnosis, self.given, self.plan = diagnosis, {}, None
            self.told, self.finished = {}, None
            self.lines.clear()
            self.printed = 0
        self._make(session)

    def give(self, session: Session, name: str, text: str) -> None:
        """A value that the operator types; the plan is made again."""
        if not self.is_open:
            self.given[name] = text
            self._make(session)

    def begin(self, session: Session) -> None:
        """Carry the plan out, step by step."""
        self._talk_by(lambda plan: begin(plan, _packs(session), self.bench))

    def go_on(self, session: Session) -> None:
        """Carry on with the run that was cut off."""
        self._talk_by(lambda plan: go_on(plan, _packs(session), self.bench))

    def take_back(self) -> None:
        """Take the last run back."""
        self._talk_by(lambda plan: take_back(plan, self.bench))

    def answer(self, question: Question, key: str) -> None:
        """Answer the question that was shown: ``run``, ``skip`` or ``stop``."""
        from triage.fixing.runner import Decision

        if self._talk is not None:
            self._talk.reply(question, Decision(key))
            self.revision += 1

    def end_step(self) -> None:
        """End the step that is under way."""
        if self._talk is not None:
            self._talk.end_step()

    def take_news(self, session: Session | None) -> Session | None:
        """Hear what happened; the session with the run in it, when one ended."""
        self._take_plan()
        talk = self._talk
        if talk is None:
            return None
        is_over = talk.is_over  # before the rest is read: nothing comes after it
        for item in talk.news():
            self.told[item.step] = item
            self.revision += 1
        lines = talk.lines()
        self.lines.extend(lines)
        self.printed += len(lines)
        if lines or talk.question is not self._seen:
            self._seen = talk.question
            self.revision += 1
        return self._end(talk, session) if is_over else None

    def close(self) -> None:
        """End the run at its next question, and the step that is under way."""
        if self._talk is not None:
            self._talk.close()

    def _make(self, session: Session) -> None:
        self.trouble = ""
        given, diagnosis = dict(self.given), self.diagnosis
        self._opening = Errand(lambda: show_plan(session, diagnosis, given, self.bench))
        self.revision += 1

    def _take_plan(self) -> None:
        opening = self._opening
        if opening is None or not opening.is_over:
            return
        self._opening = None
        self.revision += 1
        try:
            self.plan = opening.answer()
        except KeyError:
            self.trouble = f"the diagnosis {self.diagnosis} is not in the list any more"
        except _REFUSALS as error:
            self.trouble = str(error)
            if self.given:
                # What was given last is what is wrong.
                self.given.popitem()

    def _talk_by(self, start: Callable[[ShownPlan], FixTalk]) -> None:
        if self.plan is None or self.is_open or self.is_opening:
            return
        self.told, self.finished, self.trouble = {}, None, ""
        self.lines.clear()
        self.printed = 0
        try:
            self._talk = start(self.plan)
        except _REFUSALS as error:
            self.trouble = str(error)
        self.revision += 1

    def _end(self, talk: FixTalk, session: Session | None) -> Session | None:
        self._talk = self._seen = None
        self.revision += 1
        try:
            self.finished = done = talk.finished()
        except _REFUSALS as error:
            self.trouble = str(error)
            return None
        if session is None or session.is_frozen:
            return None
        if done.run is not None:
            after = session.record_run(run_note(talk.fix, done.run, session.time, done.again))
        else:
            after = session.note(f"{talk.fix.plan.playbook.id}: taking back was asked for")
        # What is there now is another plan: digests, what is done already, what can be taken back.
        self._make(after)
        return after


def _packs(session: Session) -> list[Path]:
    return [Path(path) for path in session.state.packs]
