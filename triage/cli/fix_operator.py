"""The operator of a fix: at a terminal, or by the approvals that the command line names."""

from __future__ import annotations

import sys
import termios
from collections.abc import Mapping, Sequence

from triage.cli.errors import UsageError
from triage.fixing.plan import StepState
from triage.fixing.prepare import PreparedStep
from triage.fixing.previewing import preview_step
from triage.fixing.runner import Decision
from triage.fixing.workshop import Workshop
from triage.reporting.outlet import Outlet
from triage.reporting.page import Page
from triage.reporting.plan_text import step_lines
from triage.reporting.view import View
from triage.session.fix_again import OUTCOMES


class _Teller:
    """Tells what became of steps, and passes their output on."""

    def __init__(self, outlet: Outlet, view: View) -> None:
        self.page = Page(outlet, view)
        self.broken_off = False

    def told(self, step: str, outcome: str, text: str) -> None:
        """One line a step."""
        colour = {"done": "green", "failed": "red", "undone": "cyan"}.get(outcome, "dim")
        mark = self.page.paint(colour, OUTCOMES.get(outcome, outcome))
        tail = f": {self.page.show(text)}" if text else ""
        self._write(f"   {mark}  {self.page.show(step)}{tail}")

    def output(self, line: str) -> None:
        """What a command prints, which is visible text already."""
        self._write(f"   {self.page.paint('dim', '|')} {self.page.own(line)}")

    def stop(self) -> bool:
        """Ctrl-C is asked about at a terminal; elsewhere it means it."""
        return True

    def wants_end(self) -> bool:
        """Ctrl-C reaches us."""
        return False

    def _write(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


class ApprovedOperator(_Teller):
    """Agrees to the steps that were named with the digest of what was shown, and to nothing else."""

    def __init__(self, outlet: Outlet, view: View, approved: Mapping[str, str]) -> None:
        super().__init__(outlet, view)
        self.approved = approved

    def approve(self, prepared: PreparedStep) -> Decision:
        """The digest decides: a step that changed since it was shown is not what was agreed to."""
        wanted = self.approved.get(prepared.step.id)
        if wanted == prepared.digest:
            return Decision.RUN
        if wanted is not None:
            text = f"it is not what was agreed to: now it is --yes-to {prepared.step.id}@{prepared.digest}"
            self.told(prepared.step.id, "stopped", text)
            return Decision.STOP
        return Decision.SKIP

    def unfinished(self, prepared: PreparedStep) -> Decision:
        """Nobody is there to ask: naming the step with its digest again means to repeat it."""
        if self.approved.get(prepared.step.id) == prepared.digest:
            return Decision.RUN
        text = "it was begun and has no end; see what it did, then --resume at a terminal"
        if prepared.state is StepState.READY:
            text += f", or agree to repeat it with --yes-to {prepared.step.id}@{prepared.digest}"
        self.told(prepared.step.id, "stopped", text)
        return Decision.STOP


class TerminalOperator(_Teller):
    """Asks a person. What was typed before a question is not its answer. ``order``: the ids of all steps, for their numbers."""

    def __init__(self, outlet: Outlet, view: View, workshop: Workshop, order: Sequence[str] = ()) -> None:
        super().__init__(outlet, view)
        self.workshop = workshop
        self.order = tuple(order)

    def approve(self, prepared: PreparedStep) -> Decision:
        """The step once more, as it is now, and the question."""
        self._show(prepared)
        return self._ask(
            "Do this? [y]es, [s]kip, [q]uit: ", {"y": Decision.RUN, "s": Decision.SKIP, "q": Decision.STOP}
        )

    def unfinished(self, prepared: PreparedStep) -> Decision:
        """Only a person can see what a step that was cut off did."""
        self._show(prepared)
        self._write(
            "   This step was begun in an earlier run, and its end was not noted. See what it did before you answer."
        )
        words = {"r": Decision.RUN, "d": Decision.SKIP, "q": Decision.STOP}
        return self._ask("[r]epeat it, it was [d]one, [q]uit: ", words)

    def stop(self) -> bool:
        """The first Ctrl-C asks; the step goes on meanwhile."""
        return self._ask("\nEnd this step? [y]es, [n]o: ", {"y": Decision.STOP, "n": Decision.RUN}) is Decision.STOP

    def agrees(self, question: str) -> bool:
        """A yes or no."""
        return self._ask(f"{question} [y]es, [n]o: ", {"y": Decision.RUN, "n": Decision.SKIP}) is Decision.RUN

    def _show(self, prepared: PreparedStep) -> None:
        self._write("")
        number = self.order.index(prepared.step.id) + 1 if prepared.step.id in self.order else 1
        for line in step_lines(preview_step(prepared, self.workshop), number, self.page, asking=True):
            self._write(line)

    def _ask(self, question: str, words: Mapping[str, Decision]) -> Decision:
        while True:
            # Keys that were typed ahead, or pasted, belong to no question.
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
            sys.stdout.write(question)
            sys.stdout.flush()
            answer = sys.stdin.readline()
            if not answer:
                return Decision.STOP
            found = words.get(answer.strip().lower()[:1])
            if found is not None and answer.strip().lower() in (*words, *_LONG):
                return found


_LONG = ("yes", "no", "skip", "quit", "repeat", "done")


def approvals(words: list[str]) -> dict[str, str]:
    """``STEP@HASH`` by step.

    Raises:
        UsageError: a word is not of that form.
    """
    found: dict[str, str] = {}
    for word in words:
        step, at, digest = word.rpartition("@")
        if not at or not step or not digest:
            raise UsageError(f"--yes-to {word}: write STEP@HASH, as the plan shows it")
        found[step] = digest
    return found
