"""What the tests of carrying out share: playbooks from text, a workshop on this machine, and operators that answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from triage.fixing.journal import Journal
from triage.fixing.parameters import resolve
from triage.fixing.plan import Plan, make_plan
from triage.fixing.prepare import PreparedStep
from triage.fixing.runner import Decision
from triage.fixing.surroundings import Surroundings
from triage.fixing.workshop import Workshop
from triage.knowledge.errors import Problems
from triage.knowledge.pack import PackFile
from triage.knowledge.playbooks import decode_playbooks
from triage.playbook import Case, Missing, Playbook, Typed

HEAD = "id: sample\ntitle: A sample\nfixes: [port-in-use]\nwatch_for: ready\n"


class Operator:
    """Answers each question with the next of ``decisions``, and yes when there are none left; keeps what it is told.

    ``on_approve`` and ``on_output`` happen besides; ``stops``: what Ctrl-C means.
    """

    def __init__(
        self,
        *decisions: Decision,
        on_approve: Callable[[], object] = lambda: None,
        on_output: Callable[[str], object] = lambda _: None,
        stops: bool = True,
    ) -> None:
        self.decisions = list(decisions)
        self.on_approve, self.on_output, self.stops = on_approve, on_output, stops
        self.asked: list[str] = []
        self.in_doubt: list[str] = []
        self.heard: list[tuple[str, str, str]] = []
        self.lines: list[str] = []

    def approve(self, prepared: PreparedStep) -> Decision:
        """The next answer."""
        self.asked.append(prepared.step.id)
        self.on_approve()
        return self._next()

    def unfinished(self, prepared: PreparedStep) -> Decision:
        """The next answer."""
        self.in_doubt.append(prepared.step.id)
        return self._next()

    def told(self, step: str, outcome: str, text: str) -> None:
        """Kept."""
        self.heard.append((step, outcome, text))

    def output(self, line: str) -> None:
        """Kept."""
        self.lines.append(line)
        self.on_output(line)

    def stop(self) -> bool:
        """Whether Ctrl-C is meant."""
        return self.stops

    def wants_end(self) -> bool:
        """Never."""
        return False

    def _next(self) -> Decision:
        return self.decisions.pop(0) if self.decisions else Decision.RUN


@pytest.fixture
def operator() -> Callable[..., Operator]:
    """Makes operators."""
    return Operator


@pytest.fixture
def playbook() -> Callable[[str], Playbook]:
    """A playbook from the text behind its head."""

    def read(text: str) -> Playbook:
        item = PackFile("test/sample.yaml", "test", (HEAD + text).encode())
        return next(decode_playbooks([item], Problems())).playbook

    return read


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """This machine, with the interpreter of the tests and an environment of nothing."""
    python = Path(sys.executable)
    surroundings = Surroundings(python=python, is_venv=True, has_pip=True, user="tester")
    return Workshop(surroundings=surroundings, environment={}, backups=tmp_path / "state" / "backups")


@pytest.fixture
def planned(playbook: Callable[[str], Playbook]) -> Callable[..., Plan]:
    """The plan of a playbook text, for given values and what is known of a case."""

    def plan(text: str, case: Case | None = None, **given: str) -> Plan:
        case, read = case or Case(), playbook(text)
        values: dict[str, Typed | Missing] = resolve(read.parameters, case, given)
        values["python"] = Typed(sys.executable, sys.executable, "this host")
        return make_plan(read, case, values)

    return plan


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A run that was just begun."""
    with Journal.create(tmp_path / "state" / "journal", {"playbook": "sample"}) as found:
        yield found
