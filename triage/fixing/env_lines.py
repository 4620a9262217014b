"""The assignments of an environment file, with their places, as a shell, systemd or docker would read them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from triage.fixing.env_values import EnvForm, is_literal
from triage.preflight.shell_words import OPERATORS, Word, shell_words
from triage.records import dataclass

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PLAIN_LINE = re.compile(r"(?P<head>[ \t]*(?P<name>[A-Za-z_][A-Za-z0-9_]*)=)(?P<value>.*?)(?P<end>\r?\n?)\Z", re.DOTALL)
# What is more than a constant text to a shell: to replace it would need a parser of the shell's whole language.
_COMPUTED = re.compile(r"\$\(|`|\w=\(")
_DECLARING = frozenset(("export", "declare", "readonly", "typeset"))


@dataclass(frozen=True, slots=True)
class EnvLine:
    """An assignment: the offsets of its line, line feed included, and of its value as written."""

    name: str
    start: int
    value_start: int
    value_end: int
    end: int
    is_simple: bool = True

    def value(self, text: str) -> str:
        """The value as written in ``text``, from which the line was read."""
        return text[self.value_start : self.value_end]


def last_line(text: str, name: str, form: EnvForm) -> EnvLine | None:
    """The assignment that counts."""
    return next((line for line in reversed(lines_of(text, form)) if line.name == name), None)


def lines_of(text: str, form: EnvForm) -> list[EnvLine]:
    """Every assignment of the file, in order."""
    return list(_shell_lines(text) if form is EnvForm.SHELL else plain_lines(text, form))


def plain_lines(text: str, form: EnvForm) -> Iterator[EnvLine]:
    """The assignments of a file that no shell reads."""
    start = 0
    while start < len(text):
        end = _line_end(text, start)
        found = _PLAIN_LINE.match(text[start:end])
        if form is not EnvForm.DOCKER:
            # A backslash at the end, or a quote left open, goes on in the next line.
            while found and end < len(text) and _is_open(found["value"]):
                end = _line_end(text, end)
                found = _PLAIN_LINE.match(text[start:end])
        if found:
            yield EnvLine(found["name"], start, start + found.start("value"), start + found.end("value"), end)
        start = end


def _line_end(text: str, start: int) -> int:
    return (text.find("\n", start) + 1) or len(text)


def _is_open(value: str) -> bool:
    quote = value.lstrip()[:1]
    if quote in ("'", '"') and quote:
        return re.fullmatch(rf"\s*{quote}(?:[^\\{quote}]|\\.)*", value, re.DOTALL) is not None
    return (len(value) - len(value.rstrip("\\"))) % 2 == 1


def _shell_lines(text: str) -> Iterator[EnvLine]:
    command: list[Word] = []
    before = "\n"
    for word in (*_script_words(text), Word("\n", 0, (len(text), len(text)))):
        if not (word.bare and word.text in OPERATORS):
            command.append(word)
            continue
        lone = before == "\n" and word.text == "\n"
        yield from _assigned(text, command, lone)
        before, command = word.text, []


def _script_words(text: str) -> Iterator[Word]:
    """The words of a script, without the texts that ``<<END`` hands to a program."""
    at, ending, awaited = 0, "", False
    while at < len(text):
        for word in shell_words(text[at:], 0):
            start, end = word.span or (0, 0)
            if awaited:
                # ``<<<`` is a text in place, ``<<-END`` allows tabs before the end.
                ending, awaited = ("" if word.text == "<" else word.text.removeprefix("-")), False
            elif word.bare and word.text == "<<":
                awaited = True
            yield Word(word.text, 0, (at + start, at + end), word.bare)
            if ending and word.bare and word.text == "\n":
                closed = re.compile(rf"^\t*{re.escape(ending)}$", re.MULTILINE).search(text, at + end)
                # Without its end it was something else, such as a shift of a number.
                at, ending = closed.end() if closed else at + end, ""
                break
        else:
            return


def _assigned(text: str, command: list[Word], lone: bool) -> Iterator[EnvLine]:
    declared = bool(command) and command[0].text in _DECLARING
    words = command[1:] if declared else command
    if not declared and not all(_ASSIGNMENT.match(word.text) for word in words):
        return  # a command; what stands in front of it is set for it alone
    for word in words:
        if not _ASSIGNMENT.match(word.text):
            continue
        name = word.text.partition("=")[0]
        first, (start, end) = command[0].span or (0, 0), word.span or (0, 0)
        value_start = start + len(name) + 1
        is_simple = (
            lone
            and len(words) == 1
            and (not declared or command[0].text == "export")
            and (first[0] == 0 or text[first[0] - 1] == "\n")
            and text[start:value_start] == f"{name}="
            and (is_literal(text[value_start:end]) or not _COMPUTED.search(text[start:end]))
        )
        yield EnvLine(name, first[0], value_start, end, _line_end(text, end), is_simple)
