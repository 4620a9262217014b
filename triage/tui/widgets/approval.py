"""The row in which a run asks: one key for yes, or a whole word where a step cannot be taken lightly."""

from __future__ import annotations

from collections.abc import Mapping

from textual.events import Key, Paste
from textual.message import Message
from textual.widgets import Static

from triage.tui.text import own


class ApprovalRow(Static, can_focus=True):
    """Asks only what is on the screen: it is shut until `open`, and what was typed before that is no answer.

    ``word``: what has to be typed, with Enter, instead of the key ``y``.
    """

    DEFAULT_CSS = """
    ApprovalRow { height: auto; max-height: 4; padding: 0 1; background: $panel; display: none; }
    ApprovalRow.-asking { display: block; }
    """

    class Answered(Message):
        """``key``: one of those that were offered."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._text = self._word = self._typed = ""
        self._keys: Mapping[str, str] = {}
        self._opened_at: float | None = None

    @property
    def is_open(self) -> bool:
        """An answer is taken."""
        return self._opened_at is not None

    def ask(self, text: str, keys: Mapping[str, str], word: str = "") -> None:
        """Show a question of ours; ``keys`` are its answers with their meanings. Nothing is taken as an answer yet."""
        self._text, self._keys, self._word, self._typed = text, keys, word, ""
        self._opened_at = None
        self.add_class("-asking")
        self._draw()

    def open(self, now: float) -> None:
        """Take answers that are typed from ``now`` on, in the clock of events."""
        self._opened_at = now
        self._draw()

    def shut(self) -> None:
        """Take no answer any more."""
        self._opened_at = None
        self.remove_class("-asking")

    def on_key(self, event: Key) -> None:
        """An answer, a letter of the word, or a key of the screen."""
        if self._opened_at is None or event.time < self._opened_at:
            event.stop()
            event.prevent_default()
            return
        letter = event.character or ""
        is_answer = letter in self._keys and not (self._word and (letter == "y" or self._typed))
        if is_answer:
            self._answer(letter)
        elif self._word and (letter.isalpha() or event.key in ("backspace", "enter")):
            self._take_letter(event.key, letter)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: Paste) -> None:
        """Nobody reads what he pastes."""
        event.stop()
        event.prevent_default()

    def _take_letter(self, key: str, letter: str) -> None:
        if key == "enter" and self._typed == self._word:
            self._answer("y")
            return
        self._typed = "" if key == "enter" else self._typed[:-1] if key == "backspace" else self._typed + letter
        self._typed = self._typed[: len(self._word)]
        self._draw()

    def _answer(self, key: str) -> None:
        self.shut()
        self.post_message(self.Answered(key))

    def _draw(self) -> None:
        if self._opened_at is None:
            self.update(own(f"{self._text}\nwait: the screen is drawn anew", "bold"))
            return
        told = [
            f"type {self._word} and Enter: {self._typed}_" if key == "y" and self._word else f"{key}: {meaning}"
            for key, meaning in self._keys.items()
        ]
        self.update(own(f"{self._text}\n{'   '.join(told)}", "bold"))
