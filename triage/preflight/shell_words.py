"""A script as the words of a POSIX shell, each with its place in the script. Nothing is expanded or run."""

from __future__ import annotations

from collections.abc import Iterator

from triage.records import dataclass

OPERATORS = frozenset(("&&", "||", ";", "|", "&", "\n"))
"""What ends a command within a script."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command: ``index`` is its 0-based place among the words given; ``span`` is where it stands inside that
    word, for the words of a ``bash -c`` script. ``bare``: written without quotes, so it may be an operator."""

    text: str
    index: int
    span: tuple[int, int] | None = None
    bare: bool = True


def shell_words(script: str, index: int) -> Iterator[Word]:
    """The words of ``script``, operators and redirections as words of their own. A quote left open ends with the script."""
    at = 0
    while at < len(script):
        if script.startswith("\\\n", at):
            at += 2
        elif script[at] in ";&|\n<>":
            end = at + (2 if script[at : at + 2] in ("&&", "||", ">>", "<<") else 1)
            yield Word(script[at:end], index, (at, end))
            at = end
        elif script[at].isspace():
            at += 1
        elif script[at] == "#":
            at = (script + "\n").index("\n", at)
        else:
            text, end, bare = _word(script, at)
            yield Word(text, index, (at, end), bare)
            at = end


def _word(script: str, at: int) -> tuple[str, int, bool]:
    """The word that begins at ``at``: its text without quotes, where it ends, whether it had none."""
    parts: list[str] = []
    bare = True
    while at < len(script) and not script[at].isspace() and script[at] not in ";&|<>":
        character = script[at]
        if character == "'":
            end = script.find("'", at + 1)
            end = len(script) if end < 0 else end
            parts.append(script[at + 1 : end])
            at, bare = end + 1, False
        elif character == '"':
            text, at = _double_quoted(script, at + 1)
            parts.append(text)
            bare = False
        elif character == "\\":
            if script[at + 1 : at + 2] != "\n":
                parts.append(script[at + 1 : at + 2])
            at += 2
        else:
            parts.append(character)
            at += 1
    return "".join(parts), min(at, len(script)), bare


def _double_quoted(script: str, at: int) -> tuple[str, int]:
    parts: list[str] = []
    while at < len(script) and script[at] != '"':
        if script[at] == "\\" and script[at + 1 : at + 2] in ('"', "\\", "$", "`", "\n"):
            parts.append("" if script[at + 1] == "\n" else script[at + 1])
            at += 2
        else:
            parts.append(script[at])
            at += 1
    return "".join(parts), at + 1
