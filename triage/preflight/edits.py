"""Changes of single words of a command; everything that is not changed stays as it was typed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from triage.preflight.shell_words import Word
from triage.records import dataclass, field


@dataclass(slots=True)
class Edits:
    """What becomes of words: others in their place (none: left out), and words put before or behind them."""

    _instead: dict[Word, tuple[str, ...]] = field(default_factory=dict)
    _before: dict[Word, tuple[str, ...]] = field(default_factory=dict)
    _behind: dict[Word, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._instead or self._before or self._behind)

    def replace(self, word: Word, *texts: str) -> None:
        """Write ``texts`` in place of ``word``; the last call counts."""
        self._instead[word] = texts

    def insert_before(self, word: Word, *texts: str) -> None:
        """Put ``texts`` in front of ``word``, behind what was put there already."""
        self._before[word] = (*self._before.get(word, ()), *texts)

    def insert_behind(self, word: Word, *texts: str) -> None:
        """Put ``texts`` behind ``word`` and what was put there already."""
        self._behind[word] = (*self._behind.get(word, ()), *texts)

    def text(self, word: Word) -> str:
        """The word as it reads by now; of several in its place the last."""
        texts = self._instead.get(word, (word.text,))
        return texts[-1] if texts else ""

    def apply(self, words: Sequence[str]) -> tuple[str, ...]:
        """The words of the whole command with all changes."""
        touched = {*self._instead, *self._before, *self._behind}
        found: list[str] = []
        for index, text in enumerate(words):
            inner = sorted(
                (word for word in touched if word.index == index and word.span), key=lambda word: word.span or (0, 0)
            )
            for word in reversed(inner):
                text = self._within(text, word)
            outer = Word(words[index], index)
            if outer in touched:
                found += (
                    *self._before.get(outer, ()),
                    *self._instead.get(outer, (text,)),
                    *self._behind.get(outer, ()),
                )
            else:
                found.append(text)
        return tuple(found)

    def _within(self, script: str, word: Word) -> str:
        """The script with the word's changes, quoted where a shell needs it."""
        start, end = word.span or (0, 0)
        kept = self._instead.get(word)
        middle = script[start:end] if kept is None else shlex.join(kept)
        front = f"{shlex.join(self._before[word])} " if word in self._before else ""
        back = f" {shlex.join(self._behind[word])}" if word in self._behind else ""
        if not (front or middle or back):
            # With the word goes the space that kept it from the next one.
            end += len(script[end:]) - len(script[end:].lstrip(" "))
        return script[:start] + front + middle + back + script[end:]
