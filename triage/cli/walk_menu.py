"""The menu of ``walk``: what may be chosen, and what each choice does to the session."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from triage.cli.fix import write
from triage.cli.walk_host import ask_probes, walk_through_host
from triage.cli.walk_prompt import Keyboard
from triage.cli.walk_text import (
    evidence_lines,
    moves_lines,
    overview_lines,
    preview_lines,
    question_lines,
    step_in_words,
    time_line_lines,
    unexplained_lines,
)
from triage.model import Diagnosis
from triage.probing.catalogue import all_probes
from triage.reporting.outlet import Outlet
from triage.reporting.page import Page
from triage.reporting.view import View
from triage.reporting.words import count
from triage.session.bench import Bench
from triage.session.keeper import Keeper
from triage.session.new_file import NewFileError, write_new
from triage.session.questions import AnswerError, Prompt
from triage.session.session import Change, Session
from triage.session.session_file import SessionFileError, save_session
from triage.session.summary import summary_lines

_MENU = (
    ("1", "evidence", "every point for and against a diagnosis"),
    ("2", "next check", "the probe or question that tells the most"),
    ("3", "fix", "show how it is put right, and do it step by step"),
    ("4", "time line", "what happened when, on which rank"),
    ("5", "questions", "what only you can know"),
    ("6", "host", "what probes said of the host"),
    ("7", "summary", "show it, write it as Markdown, save the session"),
    ("8", "diagnoses", "the list again"),
    ("0", "quit", ""),
)


class Walk:
    """One walk: the session as it stands, and whom to ask."""

    def __init__(
        self,
        session: Session,
        keyboard: Keyboard,
        outlet: Outlet,
        view: View,
        *,
        keeper: Keeper,
        bench: Bench,
    ) -> None:
        self.session, self.keyboard = session, keyboard
        self.outlet, self.view, self.page = outlet, view, Page(outlet, view)
        self.keeper, self.bench = keeper, bench
        self._told_where = False

    def begin(self) -> None:
        """The list, and where the session is kept."""
        if self.session.is_frozen:
            self.tell("This session was recorded on another machine: it can be read, not changed.")
        write(overview_lines(self.session, self.page))
        self._keep()

    def loop(self) -> None:
        """Ask until the operator quits; Ctrl-C inside a choice goes back to the menu.

        Raises:
            EndOfInput: there is nobody to answer any more. KeyboardInterrupt: Ctrl-C was typed at the menu.
        """
        chosen: dict[str, Callable[[], None]] = {
            "1": self._evidence, "2": self._next_check, "3": self._fix, "4": self._time_line, "5": self._questions,
            "6": self._host, "7": self._summary, "8": self._list, "": self._menu, "?": self._menu,
        }  # fmt: skip
        self._menu()
        while True:
            write([""])
            answer = self.keyboard.choose(
                "Choose 1 to 8, 0 quits, ? shows the menu:", [*(key for key, _, _ in _MENU), "?"], _is_empty
            )
            if answer == "0":
                self.end()
                return
            try:
                chosen[answer]()
            except KeyboardInterrupt:
                self.tell("", "Back to the menu.")

    def end(self) -> None:
        """Save, or say how it would have been."""
        self._keep()
        if self.keeper.path is None and self.keeper.lacks(self.session):
            self.tell("The session was not saved: --session FILE keeps it.")

    def tell(self, *lines: str) -> None:
        """Lines of our own words, or shown data."""
        write([self.page.own(line) for line in lines])

    def changed(self, change: Change) -> None:
        """Go on with another session, and say what moved."""
        self.session = change.session
        write(moves_lines(change.moves, self.page))
        self.tell(f"Next check: {step_in_words(self.session.next_step(), self.page)}")
        self._keep()

    def pick_diagnosis(self, question: str) -> Diagnosis | None:
        """One of the list."""
        return self.keyboard.pick(question, self.session.report.diagnoses, lambda item: self.page.show(item.id))

    def keep(self, session: Session) -> None:
        """Go on with another session in which no diagnosis moved."""
        self.session = session
        self._keep()

    def _keep(self) -> None:
        """Save to the file that was named, if something changed."""
        if self.keeper.path is not None and self.keeper.needs(self.session):
            self._save(self.keeper.path)

    def _save(self, path: Path) -> None:
        is_kept = path == self.keeper.path
        try:
            counts = save_session(self.session, path)
        except SessionFileError as error:
            self.tell(f"Not saved: {self.page.show(str(error))}")
            return
        self.keeper.holds(self.session)
        if not (is_kept and self._told_where):
            hidden = sum(counts.values())
            self.tell(
                f"Saved to {self.page.show(str(path))}" + (f"; {count(hidden, 'secret')} replaced" if hidden else "")
            )
        self._told_where = self._told_where or is_kept

    def _menu(self) -> None:
        self.tell("", *(f"  {key}  {name}" + (f": {text}" if text else "") for key, name, text in _MENU))

    def _list(self) -> None:
        write(overview_lines(self.session, self.page))

    def _evidence(self) -> None:
        report = self.session.report
        if report.diagnoses:
            item = self.pick_diagnosis("Evidence for which diagnosis?")
            if item is not None:
                write(evidence_lines(item, self.session, self.outlet, self.page))
        if report.unexplained:
            write(unexplained_lines(self.session, self.page))
        if not report.diagnoses and not report.unexplained:
            self.tell("There is no diagnosis and no unexplained error line.")

    def _time_line(self) -> None:
        write(time_line_lines(self.session.time_line, self.page))

    def _next_check(self) -> None:
        step = self.session.next_step()
        self.tell(f"Next check: {step_in_words(step, self.page)}")
        if step is None:
            return
        if step.kind == "question":
            prompt = next((item for item in self.session.prompts if item.name == step.name), None)
            if prompt is not None:
                self._put(prompt)
            return
        ask_probes(self, [item for item in all_probes() if item.name == step.name])

    def _questions(self) -> None:
        prompts = self.session.prompts
        if not prompts:
            self.tell("No question is open.")
            return
        prompt = self.keyboard.pick("Which question?", prompts, lambda item: self.page.show(item.question.ask))
        if prompt is not None:
            self._put(prompt)

    def _put(self, prompt: Prompt) -> None:
        """One question: what answers would move, then the answer."""
        write(question_lines(prompt, self.session.previews(prompt), self.page))
        # Where any value may be answered, 0 is one.
        words = (" or " if len(prompt.choices) == 2 else ", ").join(prompt.choices) or "a value"
        back = "0 goes back" if prompt.choices else "an empty line goes back"
        while True:
            answer = self.keyboard.ask(f"{self.page.show(words)}, s skips it, {back}:")
            if not answer or (answer == "0" and prompt.choices):
                return
            try:
                if answer != "s" and not self._wants(prompt, answer):
                    continue
                self.changed(
                    self.session.skip(prompt.name) if answer == "s" else self.session.answer(prompt.name, answer)
                )
            except AnswerError as error:
                self.tell(self.page.show(str(error)))
            else:
                return

    def _wants(self, prompt: Prompt, answer: str) -> bool:
        """Where any value may be answered, what this one would move is shown before it is taken."""
        if prompt.choices:
            return True
        write(preview_lines([self.session.preview(prompt, answer)], self.page))
        return self.keyboard.agrees("Take this answer?")

    def _host(self) -> None:
        walk_through_host(self)

    def _summary(self) -> None:
        write(map(self.page.own, summary_lines(self.session, self.outlet)))
        self.tell("  1  write it to a file", "  2  save the session", "  0  back")
        answer = self.keyboard.choose("Choose:", ("0", "1", "2"))
        if answer == "0":
            return
        name = self.keyboard.ask("Name of the new file:")
        if not name:
            return
        if answer == "2" and self.session.is_frozen:
            self.tell("It is saved already, and was not changed.")
        elif os.path.lexists(name):
            self.tell(f"{self.page.show(name)} is there already: name another file.")
        elif answer == "2":
            self._save(Path(name))
        else:
            self._write(Path(name), summary_lines(self.session, self.outlet))

    def _write(self, path: Path, lines: Iterator[str]) -> None:
        try:
            write_new(path, "".join(f"{line}\n" for line in lines))
        except NewFileError as error:
            self.tell(f"Not written: {self.page.show(str(error))}")
            return
        self.tell(f"Wrote {self.page.show(str(path))}")

    def _fix(self) -> None:
        from triage.cli.walk_fix import walk_through_fix

        walk_through_fix(self)


def _is_empty(answer: str) -> bool:
    return not answer
