"""Where in an installed package a log line comes from: all its messages, searched by what they have constant."""

from __future__ import annotations

from collections.abc import Iterable

from triage.records import dataclass
from triage.sources.message import MessageKind, MessageTemplate, Parts

MIN_CONSTANT = 10
"""Constant characters that a message must have, a letter among them, to be told from others."""
MIN_SHARE = 0.3
"""Part of the line that must be constant text of the message: below, the line only happens to hold it."""
_KINDS = (MessageKind.RAISE, MessageKind.ASSERT, MessageKind.LOG, MessageKind.PRINT, MessageKind.STRING)


@dataclass(frozen=True, slots=True)
class Origin:
    """A place that prints such a line. ``path`` counts from the folder of packages."""

    path: str
    line: int
    function: str
    kind: MessageKind

    def __str__(self) -> str:
        where = "" if self.function == "<module>" else f" in {self.function}"
        return f"{self.path}:{self.line}{where}"


@dataclass(frozen=True, slots=True)
class _Entry:
    parts: Parts
    key: str
    constant: int
    origin: Origin


class MessageIndex:
    """The messages of some packages."""

    def __init__(self, rows: Iterable[tuple[Parts, Origin]]) -> None:
        self._entries = [
            _Entry(parts, max((part for part in parts if part), key=len), len(_constant(parts)), origin)
            for parts, origin in rows
            if _tells(_constant(parts))
        ]

    def __len__(self) -> int:
        return len(self._entries)

    @classmethod
    def of(cls, templates: Iterable[MessageTemplate]) -> MessageIndex:
        """The index over each printed line of each template."""
        return cls(
            (parts, Origin(item.path, item.line, item.function, item.kind))
            for item in templates
            for parts in item.lines()
        )

    def find(self, line: str) -> Origin | None:
        """The place whose message has most in common with ``line``; None where nothing fits well enough.

        What is raised or logged comes before what is only a string; of equals the first.
        """
        best: tuple[int, int] = (0, 0)
        origin: Origin | None = None
        enough = MIN_SHARE * len(line)
        for entry in self._entries:
            if entry.constant < best[0] or entry.key not in line or entry.constant < enough:
                continue
            rank = (entry.constant, -_KINDS.index(entry.origin.kind))
            if rank > best and _fits(entry.parts, line):
                best, origin = rank, entry.origin
        return origin


def _constant(parts: Parts) -> str:
    return "".join(part for part in parts if part)


def _tells(constant: str) -> bool:
    """Is it more than a few characters, and no mere rule of dashes?"""
    return len(constant) >= MIN_CONSTANT and any(map(str.isalpha, constant))


def _fits(parts: Parts, line: str) -> bool:
    """Do the constant texts stand in the line, one after the other?"""
    at = 0
    for part in parts:
        if part is not None:
            at = line.find(part, at)
            if at < 0:
                return False
            at += len(part)
    return True
