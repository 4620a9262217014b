"""Answers of a person, a line at a time: from standard input, or from the terminal where that carried the log."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from triage.cli.fix import write

T = TypeVar("T")


class EndOfInput(Exception):  # noqa: N818  (no error: whoever answered has gone)
    """There is nobody to answer any more."""


class Keyboard:
    """Asks and reads. ``echo``: what is read does not show by itself, so that a transcript would lack the answers."""

    def __init__(self, *, echo: bool) -> None:
        self._echo = echo
        if isinstance(sys.stdin, io.TextIOWrapper):
            # A byte that is no text is a wrong answer, and no failure of ours.
            sys.stdin.reconfigure(errors="backslashreplace")

    def ask(self, question: str) -> str:
        """The answer, without blanks around it.

        Raises:
            EndOfInput: there is none. KeyboardInterrupt: Ctrl-C was typed.
        """
        sys.stdout.write(f"{question} ")
        sys.stdout.flush()
        line = sys.stdin.readline() if sys.stdin is not None else ""
        if not line or self._echo:
            from triage.safety.visible import visible

            write([visible(line.strip())])
        if not line:
            raise EndOfInput
        return line.strip()

    def choose(self, question: str, choices: Sequence[str], other: Callable[[str], bool] = lambda _: False) -> str:
        """One of ``choices``, or an answer that ``other`` takes; anything else is asked again with a hint. Empty: ``0``, if
        that is a choice."""
        while True:
            answer = self.ask(question).lower()
            if answer in choices or other(answer):
                return answer
            if not answer and "0" in choices:
                return "0"
            shown = ", ".join(choices) if len(choices) <= 12 else f"{choices[0]} to {choices[-1]}"
            write([f"Please answer with one of: {shown}"])

    def agrees(self, question: str) -> bool:
        """Yes or no."""
        return self.choose(f"{question} [y]es, [n]o:", ("y", "n", "yes", "no")).startswith("y")

    def pick(self, question: str, items: Sequence[T], names: Callable[[T], str]) -> T | None:
        """One of ``items``, by number; the only one without asking; None: the operator goes back."""
        if len(items) < 2:
            return items[0] if items else None
        write(f"  {number}. {names(item)}" for number, item in enumerate(items, 1))
        answer = self.choose(f"{question} (0 goes back):", [str(number) for number in range(len(items) + 1)])
        return None if answer == "0" else items[int(answer) - 1]


def keyboard_from_terminal() -> bool:
    """Make the terminal of this process its standard input, from which the log was read; False without a terminal."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    os.dup2(terminal, 0)
    os.close(terminal)
    sys.stdin = open(0, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115  (it stays open)
    return True
