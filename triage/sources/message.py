"""A message as its source states it: constant text with holes where values are filled in when it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

from triage.records import dataclass

Parts = tuple[str | None, ...]
"""Constant texts, and None for a hole: a value that is only known when the message is printed."""


class MessageKind(str, Enum):
    """How a text leaves the program. ``string``: nothing tells, it may be a message that is kept in a variable first."""

    RAISE = "raise"
    ASSERT = "assert"
    LOG = "log"
    PRINT = "print"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """One message of a source file.

    ``path`` is what the caller named the file; ``line`` (1-based) is where the text begins; ``function`` is the innermost
    function around it as a traceback names it, ``<module>`` outside of all. ``printer`` is the class of the exception
    (raise, assert) or the function that is called (log, print), without what stands in front of its last dot; empty for
    a string. Neither two texts nor two holes of ``parts`` are neighbours.
    """

    kind: MessageKind
    parts: Parts
    path: str
    line: int
    function: str
    printer: str = ""

    @property
    def text(self) -> str:
        """The message for people, with ``{}`` for each hole."""
        return "".join("{}" if part is None else part for part in self.parts)

    def lines(self) -> Iterator[Parts]:
        """The parts of each printed line that holds any constant text: a log is read line by line."""
        line: list[str | None] = []
        for part in self.parts:
            first, *others = (None,) if part is None else part.split("\n")
            line.append(first)
            for text in others:
                yield from _constant(line)
                line = [text]
        yield from _constant(line)


def joined(parts: Iterable[str | None]) -> Parts:
    """The parts with neighbouring texts put together, neighbouring holes made one, and empty texts left out."""
    found: list[str | None] = []
    for part in parts:
        if part is None:
            if not found or found[-1] is not None:
                found.append(None)
        elif part:
            last = found[-1] if found else None
            if last is None:
                found.append(part)
            else:
                found[-1] = last + part
    return tuple(found)


def _constant(line: list[str | None]) -> Iterator[Parts]:
    if any(line):
        yield joined(line)
