"""The launch command changed as a playbook says: options and variables; every other word stays as it was typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from triage.fixing.launch_text import WordEdits
from triage.fixing.list_variables import whole_values
from triage.matching.launch_flags import field_of
from triage.playbook import LaunchChange, ListChange
from triage.preflight.command import (
    ROUTER,
    ROUTER_WITH_SERVERS,
    SERVER,
    Option,
    PlannedCommand,
    Variable,
    parse_command,
)
from triage.preflight.container_run import Container, Setting
from triage.preflight.shell_words import OPERATORS, Word, shell_words
from triage.records import dataclass

_KINDS = {"server": (SERVER, ROUTER_WITH_SERVERS), "router": (ROUTER,)}
_SECRET = re.compile(r"<[a-z][a-z0-9_]*>")
_NUMBER = re.compile(r"-\d+(?:\.\d+)?")
# Words of the shell in front of a command; what is set in front of them would be no assignment.
_KEYWORDS = frozenset(("then", "do", "else", "elif", "if", "while", "until", "!", "{"))
# They do not hand on the variables set in front of them, or are no program to set any for.
_NOT_HANDING_ON = frozenset(("sudo", "doas", "su", "runuser", "pkexec", "ssh", "time", "env"))


@dataclass(frozen=True, slots=True)
class Changed:
    """A changed argv, and what people should know of it."""

    words: tuple[str, ...]
    notes: tuple[str, ...] = ()


def change_command(words: Sequence[str], change: LaunchChange) -> Changed:
    """``words`` (an argv, variables in front) with ``change`` made in every program of its target.

    Looked through is what ``parse_command`` looks through. Without such a program the words are returned as they are.
    """
    edits, notes = planned_edits(words, parse_command(words), change)
    return Changed(edits.applied_to_words(words), notes)


def targets(commands: Sequence[PlannedCommand], change: LaunchChange) -> tuple[PlannedCommand, ...]:
    """The programs that ``change`` is about."""
    return tuple(command for command in commands if command.kind in _KINDS.get(change.target, ()))


def planned_edits(
    words: Sequence[str], commands: Sequence[PlannedCommand], change: LaunchChange
) -> tuple[WordEdits, tuple[str, ...]]:
    """The edits of ``words`` that ``change`` means, and what people should know of them."""
    edits, notes = WordEdits(), list[str]()
    chosen = targets(commands, change)
    if not chosen:
        return edits, (f"no {change.target} is started by this command, so it stays as it is",)
    if len(chosen) > 1:
        notes.append(f"{len(chosen)} programs are started by this command; each of them is changed")
    for command in chosen:
        notes += _Editor(words, command, edits).make(change)
    secrets = dict.fromkeys(found for word in words for found in _SECRET.findall(word))
    notes += [f"{secret} stands for a value that is not shown: put it in by hand" for secret in secrets]
    return edits, tuple(dict.fromkeys(notes))


def listed(change: LaunchChange, known: Mapping[str, str]) -> tuple[LaunchChange, tuple[str, ...]]:
    """``change`` with its lists as whole values, given those that the variables have (the last of a name counts); and notes."""
    found = list(whole_values(change.lists, known))
    whole = {name: value for name, value, _ in found if value is not None}
    notes = tuple(note for _, _, note in found if note)
    return replace(change, env=(*change.env, *whole.items()), lists=ListChange()), notes


@dataclass(frozen=True, slots=True)
class _Editor:
    """Makes the changes of one program."""

    words: Sequence[str]
    command: PlannedCommand
    edits: WordEdits

    def make(self, change: LaunchChange) -> Iterator[str]:
        for old, new in change.rename:
            yield from self._rename_option(old, new) if old.startswith("--") else self._rename_variable(old, new)
        for name in change.remove:
            yield from self._remove_option(name)
        for name, value in change.set:
            yield from self._set_option(name, value)
        for name in change.unset:
            yield from self._unset_variable(name)
        lists, notes = listed(change, {item.name: item.value for item in self.command.variables})
        yield from notes
        added = [f"{name}={text}" for name, text in lists.env if not self._set_variable(name, text)]
        if added:
            self._add_variables(added)

    def _set_option(self, name: str, value: str | None) -> Iterator[str]:
        option = self.command.option(field_of(name))
        if option is None or (not option.name and "$" in option.words[0].text):
            self._add_option("--" + name.lstrip("-").replace("_", "-"), value)
            if any("$" in item.words[0].text for item in self.command.options):
                yield "options may also come from a variable of the shell; of two that say the same the last counts"
        elif value is not None:
            self._give_value(option, value)

    def _add_option(self, flag: str, value: str | None) -> None:
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

    def _remove_option(self, name: str) -> Iterator[str]:
        found = [item for item in self.command.options if item.name and item.field == field_of(name)]
        for option in found:
            for word in self._words_of(option):
                self.edits.remove(word)
        if not found:
            yield f"--{name.lstrip('-')} is not in the command"

    def _rename_option(self, old: str, new: str) -> Iterator[str]:
        found = [item for item in self.command.options if item.name == old]
        if any(item.name == new for item in self.command.options):
            yield from (f"{new} is given already, so {old} is left out",) if found else ()
            yield from self._remove_option(old) if found else ()
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

    def _set_variable(self, name: str, value: str) -> bool:
        """False where the command says nothing of it yet."""
        variable = self.command.variable(name)
        if variable is not None:
            front = variable.word.text.partition(f"{name}=")[0]
            if variable.value != value:
                self.edits.write(variable.word, f"{front}{name}={value}")
            return True
        handed_on = next((item for item in self._settings(name) if item.value == name), None)
        if handed_on is not None:
            word = handed_on.words[-1]
            self.edits.write(word, word.text + f"={value}")
        return handed_on is not None

    def _add_variables(self, texts: Sequence[str]) -> None:
        if self.command.container is not None:
            self._add_to_container(self.command.container, texts)
            return
        front = list(self._front())
        own = [item.word for item in self.command.variables if item.word in front]
        if own:
            for text in texts:
                self.edits.put_behind(own[-1], text)
        elif any(word.text.rpartition("/")[2] in _NOT_HANDING_ON for word in front):
            self.edits.put_before(self.command.program[0], "env", *texts)
        else:
            self.edits.put_before(next(iter(front), self.command.program[0]), *texts)

    def _add_to_container(self, container: Container, texts: Sequence[str]) -> None:
        settings = container.all("env")
        option = next((item.words[0].text for item in settings if item.words[0].text in ("-e", "--env")), "-e")
        last = settings[-1].words if settings else None
        for text in texts:
            self.edits.put_behind(last[-1] if last else container.run, option, text, like=last[0] if last else None)

    def _front(self) -> Iterator[Word]:
        """The words of the command before the program itself."""
        start, end = _place(self.command.start), _place(self.command.program[0])
        words = (word for word in self._siblings(self.command.start) if start <= _place(word) < end)
        began = False
        for word in words:
            began = began or word.text not in _KEYWORDS
            if began:
                yield word

    def _siblings(self, word: Word) -> Iterator[Word]:
        if word.span is None:
            return (Word(text, index) for index, text in enumerate(self.words))
        return shell_words(self.words[word.index], word.index)

    def _unset_variable(self, name: str) -> Iterator[str]:
        settings = self._settings(name)
        for word in [word for setting in settings for word in setting.words]:
            self.edits.remove(word)
        found = [item for item in self.command.variables if item.name == name]
        for variable in found:
            if not any(variable.word in setting.words for setting in settings):
                self._leave_out(variable)
        if not found and not settings:
            yield f"{name} is not set in the command; where it is set elsewhere, unset it there"

    def _leave_out(self, variable: Variable) -> None:
        siblings = list(self._siblings(variable.word))
        at = siblings.index(variable.word)
        command = _of_command(siblings, at)
        if len(command) == 2 and command[0].text == "export":
            # ``export`` alone would print every variable; and this also drops what was handed on from outside.
            self.edits.write(command[0], "unset")
            self.edits.write(variable.word, variable.name)
        else:
            self.edits.remove(variable.word)

    def _rename_variable(self, old: str, new: str) -> Iterator[str]:
        found = [item for item in self.command.variables if item.name == old]
        if found and self.command.variable(new) is not None:
            yield f"{new} is set already, so {old} is left out"
            yield from self._unset_variable(old)
            return
        words = dict.fromkeys((*(item.word for item in found), *(item.words[-1] for item in self._settings(old))))
        for word in words:
            self.edits.swap(word, old, new)
        if not words:
            yield f"{old} is not set in the command; where it is set elsewhere, rename it there"

    def _settings(self, name: str) -> list[Setting]:
        container = self.command.container
        return (
            [] if container is None else [item for item in container.all("env") if item.value.partition("=")[0] == name]
        )


def _of_command(words: Sequence[Word], at: int) -> Sequence[Word]:
    """The words between the operators around the one at ``at``."""
    is_end: Callable[[int], bool] = lambda place: words[place].bare and words[place].text in OPERATORS  # noqa: E731
    start = next((place + 1 for place in range(at, -1, -1) if is_end(place)), 0)
    end = next((place for place in range(at, len(words)) if is_end(place)), len(words))
    return words[start:end]


def _place(word: Word) -> tuple[int, int]:
    return word.index, word.span[0] if word.span else 0


def _is_dashed(value: str) -> bool:
    """Would argparse take the value for an option?"""
    return value.startswith("-") and not _NUMBER.fullmatch(value)
