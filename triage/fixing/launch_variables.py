"""The variables of one program in a launch command: set, unset, renamed, in front of it or among its container's options."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triage.fixing.launch_text import WordEdits, place, siblings
from triage.preflight.command import PlannedCommand, Variable
from triage.preflight.container_run import Container, Setting
from triage.preflight.shell_words import OPERATORS, Word
from triage.records import dataclass

# Words of the shell in front of a command; what is set in front of them would be no assignment.
_KEYWORDS = frozenset(("then", "do", "else", "elif", "if", "while", "until", "!", "{"))
# They do not hand on the variables set in front of them, or are no program to set any for.
_NOT_HANDING_ON = frozenset(("sudo", "doas", "su", "runuser", "pkexec", "ssh", "time", "env"))


@dataclass(frozen=True, slots=True)
class VariableEditor:
    """Puts changes of the variables of ``command`` down in ``edits``; what its methods yield is for people."""

    words: Sequence[str]
    command: PlannedCommand
    edits: WordEdits

    def unset(self, name: str) -> Iterator[str]:
        """Take the variable out, everywhere where it is set."""
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
        around = list(siblings(self.words, variable.word))
        command = _of_command(around, around.index(variable.word))
        if len(command) == 2 and command[0].text == "export":
            # ``export`` alone would print every variable; and this also drops what was handed on from outside.
            self.edits.write(command[0], "unset")
            self.edits.write(variable.word, variable.name)
        else:
            self.edits.remove(variable.word)

    def rename(self, old: str, new: str) -> Iterator[str]:
        """Give the variable another name; where that is set already, the old one goes."""
        found = [item for item in self.command.variables if item.name == old]
        if found and self.command.variable(new) is not None:
            yield f"{new} is set already, so {old} is left out"
            yield from self.unset(old)
            return
        words = dict.fromkeys((*(item.word for item in found), *(item.words[-1] for item in self._settings(old))))
        for word in words:
            self.edits.swap(word, old, new)
        if not words:
            yield f"{old} is not set in the command; where it is set elsewhere, rename it there"

    def set(self, name: str, value: str) -> bool:
        """Give a variable that is there another value; False where the command says nothing of it yet."""
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

    def add(self, texts: Sequence[str]) -> None:
        """Put assignments (``NAME=value``) where the program gets them."""
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
        start, end = place(self.command.start), place(self.command.program[0])
        words = (word for word in siblings(self.words, self.command.start) if start <= place(word) < end)
        began = False
        for word in words:
            began = began or word.text not in _KEYWORDS
            if began:
                yield word

    def _settings(self, name: str) -> list[Setting]:
        container = self.command.container
        return (
            [] if container is None else [item for item in container.all("env") if item.value.partition("=")[0] == name]
        )


def _of_command(words: Sequence[Word], at: int) -> Sequence[Word]:
    """The words between the operators around the one at ``at``."""
    ends = [index for index, word in enumerate(words) if word.bare and word.text in OPERATORS]
    start = max((index + 1 for index in ends if index <= at), default=0)
    return words[start : min((index for index in ends if index >= at), default=len(words))]
