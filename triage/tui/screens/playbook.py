"""A playbook: its plan, each step agreed to by itself, what it prints, what it came to, and the way back."""

from __future__ import annotations

import contextlib
import termios
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Log, Static

from triage.reporting.outlet import Outlet
from triage.safety.redact import Redactor
from triage.session.fix_talk import Question
from triage.tui.desk import Desk
from triage.tui.fixing import Fixing
from triage.tui.screens.base import DeskScreen
from triage.tui.text import joined, own, stacked
from triage.tui.widgets.approval import ApprovalRow
from triage.tui.widgets.ask_box import AskBox
from triage.tui.widgets.key_bar import KeyBar
from triage.tui.widgets.page_scroll import PageScroll
from triage.tui.widgets.plan_page import command_text, finished_page, plan_page, question_page, question_words
from triage.tui.widgets.status_bar import StatusBar
from triage.tui.widgets.step_list import StepList

_SETTLE_S = 0.2
"""Nobody answers sooner to what he has just been shown."""
_OUTPUT_LINES = 500


class PlaybookScreen(DeskScreen):
    """The only screen from which anything is carried out. What runs, and what it asked, lives on the desk: leaving loses nothing."""

    TITLE_WORD = "Playbook"
    FIRST = "PageScroll"
    CSS = """
    PlaybookScreen #output { height: 30%; border-top: solid $panel; scrollbar-size-vertical: 1; display: none; background: $background; }
    PlaybookScreen #output.-some { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "begin", "Run"),
        Binding("R", "go_on", "Resume"),
        Binding("u", "take_back", "Undo"),
        Binding("v", "give", "Value"),
        Binding("E", "end_step", "End step"),
        Binding("c", "copy", "Copy"),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
        Binding("escape", "leave", "Back", show=False),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        # Plans hold no text of a user's request, and their commands are to stay complete.
        self._outlet = Outlet(Redactor(hide_prompts=False))
        self._asked: Question | None = None
        self._seen, self._printed = -1, 0

    @property
    def fixing(self) -> Fixing:
        """What is shown."""
        return self.desk.fixing

    def compose(self) -> ComposeResult:
        """Status, steps, the page, output, question, keys."""
        yield StatusBar(self.desk, self.TITLE_WORD)
        yield StepList()
        with PageScroll():
            yield Static(id="page", markup=False)
        yield Log(id="output", max_lines=_OUTPUT_LINES, highlight=False)
        yield ApprovalRow()
        yield AskBox()
        yield KeyBar()

    def on_resize(self) -> None:
        """There is room for more steps, or fewer."""
        self._seen = -1

    def on_screen_resume(self) -> None:
        """What was asked is asked again: what another screen was shown is no answer."""
        self._asked = None
        super().on_screen_resume()

    def on_screen_suspend(self) -> None:
        """Nothing is agreed to while another screen is in front."""
        self._asked = None
        if self.is_drawn:
            self.query_one(ApprovalRow).shut()

    def look(self) -> None:
        """Plans and runs go on beside the screen."""
        super().look()
        if not self.is_drawn:
            return
        if self.fixing.revision != self._seen:
            self._seen = self.fixing.revision
            self._draw()
        if self.is_current and self.fixing.question is not self._asked:
            self._ask(self.fixing.question)

    def tell(self) -> None:
        """The session changed: nothing here but the status shows it."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done now is offered."""
        fixing, plan = self.fixing, self.fixing.plan
        if action == "end_step":
            return fixing.is_working
        if action == "copy":
            return bool(self._command())
        if action in ("begin", "go_on", "take_back", "give"):
            if plan is None or fixing.is_open or fixing.is_opening:
                return False
            allowed = not plan.only_shown
            return {
                "begin": allowed,
                "go_on": allowed and plan.unfinished is not None,
                "take_back": allowed and bool(plan.to_undo),
                "give": True,
            }[action]
        return True

    def action_begin(self) -> None:
        """Go through the steps."""
        if self.desk.session is not None:
            self.fixing.begin(self.desk.session)

    def action_go_on(self) -> None:
        """Go on with the run that was cut off."""
        if self.desk.session is not None:
            self.fixing.go_on(self.desk.session)

    def action_take_back(self) -> None:
        """Take the last run back."""
        self.fixing.take_back()

    def action_give(self) -> None:
        """A value of the plan."""
        self.query_one(AskBox).ask("value", "NAME=VALUE")

    def action_end_step(self) -> None:
        """End what is under way."""
        self.fixing.end_step()
        self.notify("the step is being ended", timeout=5)

    def action_copy(self) -> None:
        """The command, to the clipboard of the terminal (OSC 52)."""
        self.app.copy_to_clipboard(self._command())
        self.notify("sent to the terminal's clipboard; some terminals refuse", timeout=4)

    def action_scroll(self, step: int) -> None:
        """The page, also while something is asked."""
        self.query_one(PageScroll).scroll_relative(y=step, animate=False)

    async def action_leave(self) -> None:
        """Stop typing a value, or go back."""
        if self.query_one(AskBox).is_asking:
            self._stop_typing()
        else:
            await self.app.action_back()

    @on(AskBox.Submitted)
    def _given(self, event: AskBox.Submitted) -> None:
        self._stop_typing()
        name, equals, text = event.value.strip().partition("=")
        if not (equals and name):
            self.notify("write NAME=VALUE", timeout=4)
        elif self.desk.session is not None:
            self.fixing.give(self.desk.session, name, text)

    @on(ApprovalRow.Answered)
    def _answered(self, event: ApprovalRow.Answered) -> None:
        question, self._asked = self._asked, None
        if question is not None:
            self.fixing.answer(question, {"y": "run", "n": "skip", "d": "skip"}.get(event.key, "stop"))
        self.set_focus(self.query_one(PageScroll))

    def _ask(self, question: Question | None) -> None:
        """Show what is asked; it is open once the whole screen was drawn anew, and what was typed until then is dropped."""
        self._asked = question
        row = self.query_one(ApprovalRow)
        if question is None:
            row.shut()
            return
        if self.query_one(AskBox).is_asking:
            self._stop_typing()
        row.ask(*question_words(question, len(self.fixing.plan.preview.steps) if self.fixing.plan is not None else 0))
        self._draw()
        self.query_one(PageScroll).scroll_home(animate=False)
        self.set_focus(row)
        self.app.refresh(repaint=True, layout=True)
        self.call_after_refresh(self.set_timer, _SETTLE_S, partial(self._open, question))

    def _open(self, question: Question) -> None:
        if question is self._asked and question is self.fixing.question and self.is_current:
            if not self.app.is_headless:
                with contextlib.suppress(termios.error, OSError):
                    termios.tcflush(0, termios.TCIFLUSH)
            # A message that is made now carries the time of events.
            self.query_one(ApprovalRow).open(Message().time)

    def _stop_typing(self) -> None:
        self.query_one(AskBox).stop()
        self.set_focus(self.query_one(PageScroll))

    def _draw(self) -> None:
        fixing, question = self.fixing, self.fixing.question
        step = question.step.id if question is not None and question.step is not None else ""
        if fixing.plan is not None:
            self.query_one(StepList).show(fixing.plan.preview, fixing.told, step, self.desk.words)
        self.query_one(StepList).display = fixing.plan is not None
        self.query_one("#page", Static).update(question_page(question, self._outlet) if question else self._page())
        self._draw_output()
        self.refresh_bindings()

    def _page(self) -> Content:
        fixing = self.fixing
        lines: list[Content] = []
        if fixing.trouble:
            lines += [self.desk.words.data(fixing.trouble, "bold"), own("")]
        if fixing.is_working:
            lines += [own("a step is carried out, or checked; E ends it", "bold"), own("")]
        if fixing.is_opening:
            lines += [own("making the plan", "bold"), own("")]
        if fixing.finished is not None:
            lines += finished_page(fixing.finished, fixing.diagnosis, self._outlet)
        if fixing.plan is not None:
            lines += self._about(fixing)
            lines += plan_page(fixing.plan.preview, self._outlet)
        if not lines:
            lines = [own("no diagnosis was chosen: on the first screen, f shows how the selected one is put right")]
        return stacked(lines)

    def _about(self, fixing: Fixing) -> list[Content]:
        """What may be done with the plan."""
        plan, data = fixing.plan, self.desk.words.data
        if plan is None or fixing.is_open:
            return []
        if plan.only_shown:
            return [data(plan.only_shown, "bold"), own("")]
        lines = [own("r goes through the steps; nothing runs before you agree to it", "bold")]
        lines.append(own("v gives what the plan calls --set NAME=VALUE"))
        if plan.unfinished is not None:
            lines.append(joined("R goes on with the run that was cut off: ", data(plan.unfinished.run)))
        if plan.to_undo and plan.last is not None:
            lines.append(joined("u takes back what the last run did: ", data(plan.last.run)))
        return [*lines, own("")]

    def _draw_output(self) -> None:
        log, fixing = self.query_one("#output", Log), self.fixing
        if fixing.printed < self._printed:
            log.clear()
            self._printed = 0
        fresh = min(fixing.printed - self._printed, len(fixing.lines))
        if fresh:
            log.write_lines([*fixing.lines][-fresh:])
        self._printed = fixing.printed
        log.set_class(bool(fixing.printed), "-some")

    def _command(self) -> str:
        """The command that is asked about."""
        question = self.fixing.question
        return command_text(question.step, self._outlet) if question is not None and question.step is not None else ""
