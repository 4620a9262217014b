"""Variables in a text file: set, unset, and texts replaced, while every other byte stays. Text to text; no file is touched.

Three programs read such files, each in its own way: a shell (``export NAME='a b'``), systemd (``NAME="a b"``) and
``docker --env-file``, to which quotes are part of the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from triage.fixing.env_values import EnvForm, is_literal, read_value, written_value
from triage.fixing.list_variables import with_item, without_item
from triage.playbook import Edit, ListChange
from triage.preflight.shell_words import OPERATORS, Word, shell_words
from triage.records import dataclass

__all__ = ["EnvForm", "edited_text", "form_of", "replaced_texts", "set_variable", "unset_variable"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_EXPORT = re.compile(r"^[ \t]*export[ \t]+[A-Za-z_]", re.MULTILINE)
_PLAIN_LINE = re.compile(r"(?P<head>[ \t]*(?P<name>[A-Za-z_][A-Za-z0-9_]*)=)(?P<value>.*?)(?P<end>\r?\n?)\Z", re.DOTALL)
_SHELL_FILES = re.compile(r"(?:/\.(?:bash|z)(?:rc|_profile|env)|/\.?z?profile|/profile\.d/[^/]+|\.sh|/\.bash_login)$")
_SYSTEMD_FILES = re.compile(r"^/etc/(?:default|sysconfig|systemd|conf\.d)/")
# What is more than a constant text to a shell: to replace it would need a parser of the shell's whole language.
_COMPUTED = re.compile(r"\$\(|`|\w=\(")
_DECLARING = frozenset(("export", "declare", "readonly", "typeset"))


def edited_text(text: str, edit: Edit, form: EnvForm | None = None) -> str:
    """``text`` with all of ``edit`` done: first the texts replaced, then variables unset, then set, then lists changed.

    Raises:
        ValueError: a text to replace does not occur just once, or a variable cannot be written; the message says why.
    """
    text = replaced_texts(text, edit.replace)
    chosen = form or form_of(edit.file, text)
    for name in edit.unset:
        text = unset_variable(text, name, chosen)
    for name, value in edit.set:
        text = set_variable(text, name, value, chosen)
    return _with_lists(text, edit.lists, chosen)


def _with_lists(text: str, change: ListChange, form: EnvForm) -> str:
    for name in dict.fromkeys(name for name, _ in (*change.append, *change.take_out)):
        line = _last(text, name, form)
        if line is None and form is EnvForm.SHELL:
            raise ValueError(
                f"{name} is not set in this script, which may inherit it: change it by hand where it is set"
            )
        value = "" if line is None else read_value(line.value(text), form) if line.is_simple else None
        if value is None:
            raise ValueError(f"{name} is set by a line that does more than that; change it by hand")
        for item in (item for other, item in change.append if other == name):
            value = with_item(name, value, item)
        for item in (item for other, item in change.take_out if other == name):
            value = without_item(name, value, item)
        if line is not None or value:
            text = set_variable(text, name, value, form)
    return text


def form_of(path: str, text: str) -> EnvForm:
    """The form of a file, by its place and by what is in it."""
    if _SHELL_FILES.search(path) or _EXPORT.search(text) or text.startswith("#!"):
        return EnvForm.SHELL
    quoted = (line.value(text)[:1] in ("'", '"') for line in _plain_lines(text, EnvForm.SYSTEMD))
    if _SYSTEMD_FILES.search(path) or any(quoted):
        return EnvForm.SYSTEMD
    return EnvForm.UNKNOWN


def replaced_texts(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    """``text`` with the first of each pair replaced by the second; all are looked for in the text as it was.

    Raises:
        ValueError: one is empty, does not occur just once, or overlaps another.
    """
    spans: list[tuple[int, int, str]] = []
    for old, new in pairs:
        at = text.find(old) if old else -1
        if at < 0:
            raise ValueError(f"the text {old!r} does not occur")
        if text.find(old, at + 1) >= 0:
            raise ValueError(f"the text {old!r} occurs more than once")
        spans.append((at, at + len(old), new))
    spans.sort()
    if any(before[1] > after[0] for before, after in pairwise(spans)):
        raise ValueError("two of the texts to replace overlap")
    for start, end, new in reversed(spans):
        text = text[:start] + new + text[end:]
    return text


def set_variable(text: str, name: str, value: str, form: EnvForm) -> str:
    """``text`` with ``name`` set: the assignment that counts (the last) changed where it stands, else a line added at the end.

    Raises:
        ValueError: no such name or value can be written in this form.
    """
    _check(name, value)
    last = _last(text, name, form)
    if last is not None and last.is_simple:
        if read_value(last.value(text), form) == value:
            return text
        written = written_value(value, form, last.value(text)[:1])
        changed = text[: last.value_start] + written + text[last.value_end :]
    else:
        changed = _added(
            text, ("export " if form is EnvForm.SHELL else "") + f"{name}={written_value(value, form)}", form
        )
    now = _last(changed, name, form)
    if now is None or not now.is_simple or read_value(now.value(changed), form) != value:
        # An open quote above it, or an assignment further down that is not understood.
        raise ValueError(f"the file is not understood well enough to set {name} in it; change it by hand")
    return changed


def unset_variable(text: str, name: str, form: EnvForm) -> str:
    """``text`` without the lines that assign ``name``.

    Raises:
        ValueError: one of them does more than that, so it cannot be left out.
    """
    _check(name, "")
    lines = [line for line in _lines(text, form) if line.name == name]
    if any(not line.is_simple for line in lines):
        raise ValueError(f"{name} is set by a line that does more than that; change it by hand")
    for line in reversed(lines):
        start, end = line.start, line.end
        if end == len(text) and not text.endswith("\n") and start:
            # The file ended without a line feed, and so it shall again.
            start -= 2 if text[:start].endswith("\r\n") else 1
        text = text[:start] + text[end:]
    return text


@dataclass(frozen=True, slots=True)
class _Line:
    """An assignment: the offsets of its line, line feed included, and of its value as written."""

    name: str
    start: int
    value_start: int
    value_end: int
    end: int
    is_simple: bool = True

    def value(self, text: str) -> str:
        return text[self.value_start : self.value_end]


def _last(text: str, name: str, form: EnvForm) -> _Line | None:
    """The assignment that counts."""
    return next((line for line in reversed(_lines(text, form)) if line.name == name), None)


def _lines(text: str, form: EnvForm) -> list[_Line]:
    return list(_shell_lines(text) if form is EnvForm.SHELL else _plain_lines(text, form))


def _plain_lines(text: str, form: EnvForm) -> Iterator[_Line]:
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
            yield _Line(found["name"], start, start + found.start("value"), start + found.end("value"), end)
        start = end


def _line_end(text: str, start: int) -> int:
    return (text.find("\n", start) + 1) or len(text)


def _is_open(value: str) -> bool:
    quote = value.lstrip()[:1]
    if quote in ("'", '"') and quote:
        return re.fullmatch(rf"\s*{quote}(?:[^\\{quote}]|\\.)*", value, re.DOTALL) is not None
    return (len(value) - len(value.rstrip("\\"))) % 2 == 1


def _shell_lines(text: str) -> Iterator[_Line]:
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


def _assigned(text: str, command: list[Word], lone: bool) -> Iterator[_Line]:
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
        yield _Line(name, first[0], value_start, end, _line_end(text, end), is_simple)


def _added(text: str, line: str, form: EnvForm) -> str:
    """``text`` with a line more: at the end, in a script in front of what it does."""
    ends = "\r\n" if "\r\n" in text and form is not EnvForm.SHELL else "\n"
    if text.endswith("\r"):
        raise ValueError("the file ends within a line break")
    at = len(text)
    if form is EnvForm.SHELL and text.startswith("#!"):
        at = next(found.start() for found in re.finditer(r"^(?!#)", text + "\n", re.MULTILINE))
        at = min(at, len(text))
    above = text[:at].removesuffix("\n").removesuffix("\r").rpartition("\n")[2]
    if at == len(text) and form is not EnvForm.DOCKER and (len(above) - len(above.rstrip("\\"))) % 2:
        raise ValueError("the last line ends with a backslash, so a line behind it would be part of it")
    if at and text[at - 1] != "\n":
        return text + ends + line
    return text[:at] + line + ends + text[at:]


def _check(name: str, value: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a variable")
    if any(character in value for character in "\n\r\0"):
        raise ValueError(f"the value of {name} has a line break or a NUL in it, which the file cannot hold")
