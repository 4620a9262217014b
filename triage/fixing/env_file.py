"""Variables in a text file: set, unset, and texts replaced, while every other byte stays. Text to text; no file is touched.

Three programs read such files, each in its own way: a shell (``export NAME='a b'``), systemd (``NAME="a b"``) and
``docker --env-file``, to which quotes are part of the value.
"""

from __future__ import annotations

import re
from itertools import pairwise

from triage.fixing.env_lines import last_line, lines_of, plain_lines
from triage.fixing.env_values import EnvForm, read_value, written_value
from triage.fixing.list_variables import with_item, without_item
from triage.playbook import Edit, ListChange

__all__ = ["EnvForm", "edited_text", "form_of", "replaced_texts", "set_variable", "unset_variable"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPORT = re.compile(r"^[ \t]*export[ \t]+[A-Za-z_]", re.MULTILINE)
_SHELL_FILES = re.compile(r"(?:/\.(?:bash|z)(?:rc|_profile|env)|/\.?z?profile|/profile\.d/[^/]+|\.sh|/\.bash_login)$")
_SYSTEMD_FILES = re.compile(r"^/etc/(?:default|sysconfig|systemd|conf\.d)/")


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
        line = last_line(text, name, form)
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
    quoted = (line.value(text)[:1] in ("'", '"') for line in plain_lines(text, EnvForm.SYSTEMD))
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
    last = last_line(text, name, form)
    if last is not None and last.is_simple:
        if read_value(last.value(text), form) == value:
            return text
        written = written_value(value, form, last.value(text)[:1])
        changed = text[: last.value_start] + written + text[last.value_end :]
    else:
        changed = _added(
            text, ("export " if form is EnvForm.SHELL else "") + f"{name}={written_value(value, form)}", form
        )
    now = last_line(changed, name, form)
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
    lines = [line for line in lines_of(text, form) if line.name == name]
    if any(not line.is_simple for line in lines):
        raise ValueError(f"{name} is set by a line that does more than that; change it by hand")
    for line in reversed(lines):
        start, end = line.start, line.end
        if end == len(text) and not text.endswith("\n") and start:
            # The file ended without a line feed, and so it shall again.
            start -= 2 if text[:start].endswith("\r\n") else 1
        text = text[:start] + text[end:]
    return text


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
