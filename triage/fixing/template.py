"""Texts with ``{parameter}`` in them: parsed once, filled once, never expanded a second time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from triage.knowledge.errors import did_you_mean
from triage.playbook import Missing, Parameter, ParameterType, Typed
from triage.records import dataclass

_PIECE = re.compile(r"(?P<text>[^{}]+)|(?P<escape>\{\{|\}\})|\{(?P<name>[a-z][a-z0-9_]{0,63})\}")
_MOST_VALUES = 4
PYTHON = "{python}"
"""What a command may begin with beside a literal: the interpreter that runs the server."""


class TemplateError(ValueError):
    """A brace that opens or closes nothing."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Literal text, or the name of the parameter whose text goes here."""

    text: str
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """The pieces of one text, in order."""

    pieces: tuple[Piece, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that it asks for, each as often as it stands there."""
        return tuple(piece.text for piece in self.pieces if piece.is_name)


def parse(text: str) -> Template:
    """``text`` as pieces; ``{{`` and ``}}`` are literal braces.

    Raises:
        TemplateError: a single brace, or something in braces that is no name.
    """
    pieces: list[Piece] = []
    at = 0
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None:
            raise TemplateError(f"a brace at character {at + 1} opens or closes no name; a literal one is {{{{ or }}}}")
        if found["name"] is not None:
            pieces.append(Piece(found["name"], is_name=True))
        else:
            pieces.append(Piece(found["text"] or found["escape"][0]))
        at = found.end()
    return Template(tuple(pieces))


def fill(template: Template, values: Mapping[str, Typed | Missing]) -> str | Missing:
    """The text with each name replaced by its typed value's text; Missing for the first name that has none.

    What is put in is never looked at again: braces inside a value stay what they are.
    """
    parts: list[str] = []
    for piece in template.pieces:
        if not piece.is_name:
            parts.append(piece.text)
            continue
        value = values.get(piece.text)
        if value is None:
            return Missing(f"there is no parameter '{piece.text}'")
        if isinstance(value, Missing):
            return value
        parts.append(value.text)
    return "".join(parts)


def complaints(text: str, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    """What is wrong with a text of a playbook: a malformed brace, or names that no parameter has."""
    try:
        names = parse(text).names
    except TemplateError as error:
        yield str(error)
        return
    for name in dict.fromkeys(names):
        if name not in parameters:
            yield f"no parameter '{name}'{did_you_mean(name, list(parameters))}"


def complaint(argv: Sequence[str], parameters: Mapping[str, Parameter]) -> str | None:
    """The first thing wrong with a command, or None.

    A program is named literally or is ``{python}``; a value that could begin with a dash begins an argument only after
    ``--``, so that it can never become an option.
    """
    if not argv or not argv[0]:
        return "a command needs a program"
    for index, word in enumerate(argv):
        found = next(complaints(word, parameters), None) or _word_complaint(argv, index, parameters)
        if found is not None:
            return f"{found} in '{word[:60]}'"
    return None


def _word_complaint(argv: Sequence[str], index: int, parameters: Mapping[str, Parameter]) -> str | None:
    word = argv[index]
    names = parse(word).names
    if index == 0:
        return "the program must be literal, or {python}" if names and word != PYTHON else None
    if len(names) > _MOST_VALUES:
        return f"more than {_MOST_VALUES} values in one argument"
    pieces = parse(word).pieces
    if pieces and pieces[0].is_name and "--" not in argv[1:index] and _may_begin_with_dash(parameters[pieces[0].text]):
        return f"'{pieces[0].text}' could begin with a dash: put it after '--', or write --option={{{pieces[0].text}}}"
    return None


def _may_begin_with_dash(parameter: Parameter) -> bool:
    is_number = parameter.type in (ParameterType.INT, ParameterType.FLOAT)
    return is_number and parameter.minimum is not None and parameter.minimum < 0
