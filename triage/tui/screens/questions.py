"""What only the operator knows: each question with what its answers would move."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from triage.session.questions import AnswerError, Prompt
from triage.session.session import Session
from triage.session.state import Move
from triage.session.summary import moved_in_words
from triage.tui.desk import Desk
from triage.tui.screens.base import DeskScreen
from triage.tui.text import Words, joined, own, stacked
from triage.tui.widgets.key_bar import KeyBar
from triage.tui.widgets.status_bar import StatusBar

_MOVES = 3


class QuestionsScreen(DeskScreen):
    """Open questions left to right: ask, answers, effect. Enter takes the answer under the cursor."""

    TITLE_WORD = "Questions"
    CSS = """
    QuestionsScreen #asked { height: auto; max-height: 40%; padding: 0 1; }
    QuestionsScreen #choices, QuestionsScreen #choices:focus { height: 1fr; border: none; }
    QuestionsScreen #typed { display: none; height: 1; border: none; padding: 0 1; }
    QuestionsScreen #typed.-asking { display: block; }
    QuestionsScreen #effect { height: auto; max-height: 4; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Answer", key_display="enter", priority=True),
        Binding("x,ctrl+g", "skip", "Skip"),
        Binding("n,ctrl+n", "next_question", "Next question"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._number = 0
        self._effect: tuple[Move, ...] = ()
        self._session: Session | None = None

    def compose(self) -> ComposeResult:
        """The question, its answers, what the last one moved."""
        yield StatusBar(self.desk, self.TITLE_WORD)
        yield Static(id="asked", markup=False)
        yield OptionList(id="choices", markup=False)
        yield Input(id="typed", placeholder="your answer", select_on_focus=False)
        yield Static(id="effect", markup=False)
        yield KeyBar()

    @property
    def prompt(self) -> Prompt | None:
        """The question that is shown."""
        prompts = self.desk.session.prompts if self.desk.session is not None else ()
        return prompts[self._number % len(prompts)] if prompts else None

    def tell(self) -> None:
        """Draw the question; nothing changes while the session is the same."""
        session = self.desk.session
        if session is None:
            self.query_one("#asked", Static).update(own("reading"))
        elif session is not self._session:
            self._session = session
            self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys for what is asked."""
        if action in ("take", "skip", "next_question"):
            prompts = self.desk.session.prompts if self.desk.session is not None else ()
            return len(prompts) > (action == "next_question")
        return super().check_action(action, parameters)

    def action_take(self) -> None:
        """The answer under the cursor, or the one that was typed."""
        chosen = self.query_one("#choices", OptionList).highlighted
        prompt = self.prompt
        if prompt is not None and not prompt.choices:
            self._answer(self.query_one("#typed", Input).value)
        elif prompt is not None and chosen is not None:
            self._answer(prompt.choices[chosen])

    def action_skip(self) -> None:
        """This one cannot be answered."""
        session, prompt = self.desk.session, self.prompt
        if session is not None and prompt is not None:
            self._take(session.skip(prompt.name).session, ())

    def action_next_question(self) -> None:
        """Look at another one."""
        self._number += 1
        self._show()

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        self.action_take()

    @on(Input.Changed)
    def _typing(self, event: Input.Changed) -> None:
        """What is typed shows what it would move, before it is an answer."""
        session, prompt = self.desk.session, self.prompt
        if session is None or prompt is None or prompt.choices or not event.value.strip():
            self._show_effect("That moved:", self._effect)
            return
        try:
            moves = session.preview(prompt, event.value).moves
        except AnswerError as wrong:
            self.query_one("#effect", Static).update(self.desk.words.data(str(wrong)))
        else:
            self._show_effect("That would give:", moves or None)

    def _answer(self, text: str) -> None:
        session, prompt = self.desk.session, self.prompt
        if session is None or prompt is None:
            return
        try:
            change = session.answer(prompt.name, text)
        except AnswerError as wrong:
            self.notify(self.desk.outlet.show(str(wrong)), timeout=5, markup=False)
            return
        self.query_one("#typed", Input).value = ""
        self._take(change.session, change.moves)

    def _take(self, session: Session, moves: tuple[Move, ...]) -> None:
        self._effect = moves
        self.desk.change(session)
        self.look()

    def _show(self) -> None:
        session, prompt, ink = self.desk.session, self.prompt, self.desk.words
        choices, typed = self.query_one("#choices", OptionList), self.query_one("#typed", Input)
        choices.clear_options()
        typed.set_class(prompt is not None and not prompt.choices, "-asking")
        self._show_effect("That moved:", self._effect)
        if session is None or prompt is None:
            self.query_one("#asked", Static).update(own("no question is open; q goes back"))
            self.set_focus(None)
            self.refresh_bindings()
            return
        count = len(session.prompts)
        head = own(f"Question {self._number % count + 1} of {count}", "bold")
        about = joined("asked because of ", ink.data(", ".join(prompt.causes)))
        self.query_one("#asked", Static).update(stacked([head, ink.data(prompt.question.ask), about]))
        if prompt.choices:
            previews = session.previews(prompt)
            lines = [[ink.data(item.answer, "bold"), *_moved(item.moves, ink)] for item in previews]
            choices.add_options([Option(stacked(item)) for item in lines])
            choices.highlighted = 0
            self.set_focus(choices)
        else:
            self.set_focus(typed)
        self.refresh_bindings()

    def _show_effect(self, head: str, moves: tuple[Move, ...] | None) -> None:
        """What an answer moved or would move; no words where there was none. None: it would move nothing."""
        lines = [] if moves == () else [own(head, "bold"), *_moved(moves or (), self.desk.words)]
        self.query_one("#effect", Static).update(stacked(lines))


def _moved(moves: tuple[Move, ...], ink: Words) -> list[Content]:
    shown = [joined("    ", ink.data(move.id), " ", own(moved_in_words(move))) for move in moves[:_MOVES]]
    more = len(moves) - _MOVES
    if more > 0:
        shown.append(own(f"    and {more} more"))
    return shown or [own("    moves nothing")]
