"""One triage: what is known, what follows from it by the core, and every change as a new session with what it moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import cached_property

from triage.host_view import with_answers
from triage.knowledge.compiled import Knowledge
from triage.model import Diagnosis, Fact, NextStep, Observation, Report, Value
from triage.probing.snapshot import Snapshot
from triage.records import dataclass, replace
from triage.session.moves import moves_between
from triage.session.questions import Prompt, open_prompts, read_answer
from triage.session.state import Action, Move, Origin, RunNote, State
from triage.session.state_report import report_of
from triage.session.timeline import Row, time_line

Now = Callable[[], datetime]

_NEVER_TRIED = ("", "not-run")


class FrozenSessionError(RuntimeError):
    """A session that was recorded on another machine shows what it showed there, and cannot be changed."""


@dataclass(frozen=True, slots=True)
class Change:
    """A session after something new, and what that moved, the most first."""

    session: Session
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What one answer to a question would move. ``answer``: as the operator would type it."""

    answer: str
    moves: tuple[Move, ...]


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(timezone.utc)


class Session:
    """Immutable: methods that change something return another session.

    ``recorded``: the report of a session of another machine; it stands, and everything that would change it raises
    FrozenSessionError. ``now`` is asked for the times of actions.
    """

    def __init__(
        self, state: State, knowledge: Knowledge, *, recorded: Report | None = None, now: Now = utc_now
    ) -> None:
        self.state = state
        self.knowledge = knowledge
        self._recorded = recorded
        self._now = now

    @classmethod
    def begin(
        cls,
        observation: Observation,
        knowledge: Knowledge,
        *,
        without: Sequence[str] = (),
        packs: Sequence[str] = (),
        report: Report | None = None,
        now: Now = utc_now,
    ) -> Session:
        """A new triage of what was seen in logs. ``report``: what a scan made of just that, by the same knowledge: it need not be
        weighed once more."""
        begun = cls(State(observation, _stamp(now()), tuple(without), tuple(packs)), knowledge, now=now)
        if report is not None:
            begun.__dict__["report"] = report  # as its cached property would
        return begun

    @property
    def is_frozen(self) -> bool:
        """It was recorded elsewhere: nothing can be changed."""
        return self._recorded is not None

    @property
    def is_elsewhere(self) -> bool:
        """What is known of a host is not known of this one: nothing may be carried out here, nor asked."""
        return self.is_frozen or self.state.is_recorded_host

    @cached_property
    def report(self) -> Report:
        """What follows from all that is known."""
        if self._recorded is not None:
            return self._recorded
        return report_of(self.state, self.knowledge)

    @cached_property
    def prompts(self) -> tuple[Prompt, ...]:
        """The questions that are open, the most telling first."""
        return () if self.is_frozen else open_prompts(self.report, self.knowledge.base, self.state.skipped)

    @cached_property
    def time_line(self) -> tuple[Row, ...]:
        """What happened when, on which rank."""
        return time_line(self.report)

    def diagnosis(self, identifier: str) -> Diagnosis:
        """The diagnosis of that id.

        Raises:
            KeyError: the report has none.
        """
        found = next((item for item in self.report.diagnoses if item.id == identifier), None)
        if found is None:
            raise KeyError(identifier)
        return found

    def next_step(self) -> NextStep | None:
        """The check that tells the most for its price among those that were neither tried nor skipped; None: none is left."""
        if self.is_frozen:
            return None
        outcomes = {item.name: item.outcome for item in self.report.probes}
        for diagnosis in self.report.diagnoses:
            for step in diagnosis.next:
                tried = outcomes.get(step.name, "") not in _NEVER_TRIED or self.state.is_recorded_host
                if not (step.name in self.state.skipped if step.kind == "question" else tried):
                    return step
        return None

    def answer(self, name: str, text: str) -> Change:
        """The operator's answer to the open question ``name``.

        Raises:
            AnswerError: it does not fit. KeyError: that question is not open. FrozenSessionError: see the class.
        """
        self._require_open()
        value = read_answer(self._prompt(name).question, text)
        fact = Fact(name, value, "answer")
        return self._changed(
            replace(self.state, answers=(*self.state.answers, fact)), "answer", f"{name} = {text.strip()}"
        )

    def skip(self, name: str) -> Change:
        """The operator cannot or will not answer that question."""
        self._require_open()
        self._prompt(name)
        return Change(self._noted(replace(self.state, skipped=(*self.state.skipped, name)), "skip", name), ())

    def previews(self, prompt: Prompt) -> tuple[Preview, ...]:
        """What each possible answer would move; empty where any value may be answered."""
        return tuple(self.preview(prompt, word) for word in prompt.choices)

    def preview(self, prompt: Prompt, text: str) -> Preview:
        """What this answer would move.

        Raises:
            AnswerError: it does not fit.
        """
        weighed = self._weighed(prompt.name, read_answer(prompt.question, text))
        return Preview(text.strip(), moves_between(self.report, weighed))

    def with_host(self, snapshot: Snapshot, label: str = "") -> Change:
        """A host that was recorded (``label``: its file) instead of all that was asked of a host so far."""
        self._require_open()
        return self._changed(
            replace(self.state, host=snapshot, is_recorded_host=True),
            "host",
            " ".join(filter(None, ("recorded host", label))),
        )

    def with_probe(self, snapshot: Snapshot) -> Change:
        """What probes of this host said just now, beside what others said before.

        Raises:
            ValueError: the session has a recorded host, and facts of two hosts are not weighed together.
        """
        self._require_open()
        if self.state.is_recorded_host:
            raise ValueError("the host of this session was recorded: what this host says does not belong to it")
        text = ", ".join(sorted(snapshot.transcripts))
        return self._changed(replace(self.state, host=_joined(self.state.host, snapshot)), "probe", text)

    def with_observation(self, observation: Observation) -> Change:
        """More of the logs was read; this is no action of the operator."""
        self._require_open()
        after = self._of(replace(self.state, observation=observation))
        return Change(after, moves_between(self.report, after.report))

    def with_origins(self, report: Report) -> Session:
        """Where unexplained lines are printed, as far as ``report`` (this one, after a look at installed packages) says it."""
        self._require_open()
        found = tuple(
            Origin(item.place.source, item.place.line, item.origin) for item in report.unexplained if item.origin
        )
        return self._of(replace(self.state, origins=found))

    def record_run(self, run: RunNote) -> Session:
        """A playbook was carried out, or begun."""
        self._require_open()
        text = f"{run.playbook} for {run.diagnosis}: {run.verdict}"
        return self._noted(replace(self.state, runs=(*self.state.runs, run)), "fix", text)

    def note(self, text: str) -> Session:
        """Something else that was done, in words."""
        self._require_open()
        return self._noted(self.state, "note", text)

    @property
    def time(self) -> str:
        """Now, as actions are stamped."""
        return _stamp(self._now())

    def _weighed(self, name: str, value: Value) -> Report:
        return with_answers(self.report, self.knowledge, [Fact(name, value, "answer")], frozenset(self.state.without))

    def _prompt(self, name: str) -> Prompt:
        found = next((item for item in self.prompts if item.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def _of(self, state: State) -> Session:
        return Session(state, self.knowledge, now=self._now)

    def _changed(self, state: State, kind: str, text: str) -> Change:
        moves = moves_between(self.report, self._of(state).report)
        action = Action(self.time, kind, text, moves)
        return Change(self._of(replace(state, actions=(*state.actions, action))), moves)

    def _noted(self, state: State, kind: str, text: str) -> Session:
        """The session with an action from which nothing follows for the diagnoses: they are not weighed again."""
        after = self._of(replace(state, actions=(*state.actions, Action(self.time, kind, text))))
        after.__dict__["report"] = self.report  # as its cached property would
        return after

    def _require_open(self) -> None:
        if self.is_frozen:
            raise FrozenSessionError("this session was recorded on another machine: it can be read, not changed")


def _stamp(now: datetime) -> str:
    return now.replace(microsecond=0).isoformat()


def _joined(old: Snapshot | None, new: Snapshot) -> Snapshot:
    if old is None:
        return new
    counts = {name: old.redacted.get(name, 0) + new.redacted.get(name, 0) for name in {**old.redacted, **new.redacted}}
    return replace(new, transcripts={**old.transcripts, **new.transcripts}, redacted=counts)
