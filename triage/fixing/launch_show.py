"""A launch command for people: old against new, one option a line; and as a script to keep."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Sequence

from triage.fixing.launch_text import shell_quoted
from triage.preflight.command import PlannedCommand, parse_command
from triage.preflight.shell_words import Word

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=", re.ASCII)
_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\", "'": r"\'"}


def launch_diff(old: Sequence[str], new: Sequence[str]) -> tuple[str, ...]:
    """The whole command, one option a line: ``- `` before what goes, ``+ `` before what comes, two blanks before the rest.

    Empty if nothing changes. The lines are not redacted.
    """
    if tuple(old) == tuple(new):
        return ()
    before, after = option_lines(old), option_lines(new)
    found: list[str] = []
    for tag, start, end, new_start, new_end in difflib.SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            found += [f"  {line}" for line in before[start:end]]
        else:
            found += [f"- {line}" for line in before[start:end]]
            found += [f"+ {line}" for line in after[new_start:new_end]]
    return tuple(found)


def option_lines(words: Sequence[str]) -> list[str]:
    """The command, quoted for a shell, with a line for each variable, program and option, also of the script behind ``-c``."""
    firsts: set[int] = {0}
    breaks: dict[int, set[int]] = {}
    for word in _line_starts(parse_command(words)):
        if word.span is None:
            firsts.add(word.index)
        else:
            breaks.setdefault(word.index, {0}).add(word.span[0])
    lines: list[list[str]] = []
    for index, text in enumerate(words):
        shown = [shell_quoted(text)] if index not in breaks else _script_lines(text, sorted(breaks[index]))
        if index in firsts or not lines:
            lines.append([shown[0]])
        else:
            lines[-1].append(shown[0])
        lines += [[line] for line in shown[1:]]
    return [" ".join(line) for line in lines]


def _line_starts(commands: Sequence[PlannedCommand]) -> list[Word]:
    found: list[Word] = []
    for command in commands:
        found += [command.start, command.program[0]]
        found += [option.words[0] for option in command.options]
        settings = command.container.settings if command.container is not None else ()
        found += [setting.words[0] for setting in settings]
        if command.container is not None:
            found.append(command.container.image)
        inside = {word for setting in settings for word in setting.words}
        found += [variable.word for variable in command.variables if variable.word not in inside]
    return found


def _script_lines(script: str, breaks: Sequence[int]) -> list[str]:
    """The script as it is typed, cut where options begin; what a line break was before is one blank."""
    ends = [*breaks[1:], len(script)]
    parts = [
        re.sub(r"\s*\\?\n\s*", " ", script[start:end]).strip(" \\") for start, end in zip(breaks, ends, strict=True)
    ]
    quoted = shlex.quote(script)[0] if shlex.quote(script) != script else ""
    parts[0], parts[-1] = quoted + parts[0], parts[-1] + quoted
    return parts


def write_script(words: Sequence[str], comments: Sequence[str] = ()) -> str:
    """A bash script that becomes the command: variables exported, one option a line, every word a literal in quotes.

    Raises:
        ValueError: there is no command in ``words``, or a NUL.
    """
    at = next((place for place, word in enumerate(words) if not _ASSIGNMENT.match(word)), len(words))
    command = words[at:]
    if not command or not command[0] or command[0].startswith("-"):
        raise ValueError("there is no command to write")
    if any("\0" in word for word in words):
        raise ValueError("a word of the command has a NUL in it")
    lines = ["#!/usr/bin/env bash"]
    lines += [f"# {_literal_comment(comment)}".rstrip() for comment in comments]
    lines += ["set -euo pipefail", ""]
    for word in words[:at]:
        name, _, value = word.partition("=")
        lines.append(f"export {name}={_literal(value)}")
    lines.append(
        " \\\n  ".join([f"exec {_grouped(command, 0)}", *(_grouped(command, start) for start in _starts(command)[1:])])
    )
    return "\n".join(lines) + "\n"


def _starts(command: Sequence[str]) -> list[int]:
    found = {0, *(word.index for word in _line_starts(parse_command(command)) if word.span is None)}
    return sorted(found)


def _grouped(command: Sequence[str], start: int) -> str:
    end = next((place for place in _starts(command) if place > start), len(command))
    return " ".join(_literal(word) for word in command[start:end])


def _literal(text: str) -> str:
    """The word for bash; with characters that do not show (colour codes, say) written as escapes, so that the script can be
    read for what it does."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(_escaped(character) for character in text) + "'"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    data = character.encode("utf-8", "surrogateescape")
    return "".join(f"\\{byte:03o}" for byte in data)


def _literal_comment(comment: str) -> str:
    return "".join(character if character.isprintable() else " " for character in comment)
