"""The options of one program in a launch command: set, removed, renamed, in the way in which they are typed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from triage.fixing.launch_text import WordEdits
from triage.matching.launch_flags import field_of
from triage.preflight.command import Option, PlannedCommand
from triage.preflight.shell_words import Word
from triage.records import dataclass

_NUMBER = re.compile(r"-\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class OptionEditor:
    """Puts changes of the options of ``command`` down in ``edits``; what its methods yield is for people."""

    words: Sequence[str]
    command: PlannedCommand
    edits: WordEdits

    def set(self, name: str, value: str | None) -> Iterator[str]:
        """Give the option that value (None: a flag without one), or add it behind the others."""
        option = self.command.option(field_of(name))
        if option is None or (not option.name and "$" in option.words[0].text):
            self._add("--" + name.lstrip("-").replace("_", "-"), value)
            if any("$" in item.words[0].text for item in self.command.options):
                yield "options may also come from a variable of the shell; of two that say the same the last counts"
        elif value is not None:
            self._give_value(option, value)

    def _add(self, flag: str, value: str | None) -> None:
        valued = [item.words[0].text for item in self.command.options if item.name and item.value is not True]
        joined = bool(valued) and all("=" in text for text in valued)
        texts = (flag,) if value is None else (f"{flag}={value}",) if joined or _is_dashed(value) else (flag, value)
        options = [item for item in self.command.options if self._words_of(item)]
        last = self._words_of(options[-1])[-1] if options else self.command.program[-1]
        self.edits.put_behind(last, *texts, like=options[-1].words[0] if options else None)

    def _give_value(self, option: Option, value: str) -> None:
        first, *values = self._words_of(option)
        typed, equals, old = first.text.partition("=")
        if not option.name:
            self.edits.write(first, value)
        elif equals or _is_dashed(value):
            if not equals or old != value:
                self.edits.write(first, f"{typed}={value}")
            for word in values:
                self.edits.remove(word)
        elif not values:
            self.edits.put_behind(first, value)
        elif [word.text for word in values] != [value]:
            self.edits.write(values[0], value)
            for word in values[1:]:
                self.edits.remove(word)

    def remove(self, name: str) -> Iterator[str]:
        """Take the option out, under whatever of its names it is given."""
        found = [item for item in self.command.options if item.name and item.field == field_of(name)]
        for option in found:
            for word in self._words_of(option):
                self.edits.remove(word)
        if not found:
            yield f"--{name.lstrip('-')} is not in the command"

    def rename(self, old: str, new: str) -> Iterator[str]:
        """Give the option (with its dashes) another name; where that is given already, the old one goes."""
        found = [item for item in self.command.options if item.name == old]
        if any(item.name == new for item in self.command.options):
            yield from (f"{new} is given already, so {old} is left out",) if found else ()
            yield from self.remove(old) if found else ()
            return
        for option in found:
            self.edits.swap(option.words[0], old, new)
        if not found:
            yield f"{old} is not in the command"

    def _words_of(self, option: Option) -> tuple[Word, ...]:
        """Without the number of the stream that is redirected behind it (``2>``)."""
        return tuple(
            word
            for word in option.words
            if not (word.span and word.text.isdecimal() and self.words[word.index][word.span[1] :][:1] in ("<", ">"))
        )


def _is_dashed(value: str) -> bool:
    """Would argparse take the value for an option?"""
    return value.startswith("-") and not _NUMBER.fullmatch(value)
