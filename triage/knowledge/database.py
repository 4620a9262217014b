"""The pattern database: every expression of the knowledge base compiled into one Hyperscan automaton over bytes.

Two automata are kept. The first reports every match. The second reports each expression at most once a call: it is what
a storm (a million equal lines) is scanned with, since a call back into Python for every line would cost more than the scan.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import hyperscan

from triage.knowledge.base import KnowledgeBase

Report = Callable[[int, int, int, int, object], "bool | None"]
"""Called with (expression index, 0, end offset, flags, context) for every match."""


@dataclass(frozen=True, slots=True)
class Expression:
    """What the database looks for. ``key``: a pattern key, or ``@name`` for a marker of the engine's own.

    ``once``: one report for each scanned block is enough (its place is found by its literal).
    """

    key: str
    source: str
    literal: str
    once: bool = False


class PatternDatabase:
    """Compiled expressions, addressed by their index in ``expressions``."""

    __slots__ = ("_every", "_once", "_once_blob", "_scratch", "expressions")

    def __init__(
        self, expressions: Sequence[Expression], every: hyperscan.Database, once_blob: bytes | None = None
    ) -> None:
        self.expressions = tuple(expressions)
        self._every = every
        self._once_blob = once_blob
        self._once: hyperscan.Database | None = None
        self._scratch: dict[int, hyperscan.Scratch] = {}

    @classmethod
    def compile(cls, expressions: Sequence[Expression]) -> PatternDatabase:
        """Compile.

        Raises:
            ValueError: Hyperscan refuses an expression; the message names its key.
        """
        return cls(expressions, _compile(expressions, everywhere_once=False))

    @classmethod
    def load(cls, expressions: Sequence[Expression], every: bytes, once: bytes) -> PatternDatabase:
        """Take up what ``dump`` gave.

        Raises:
            hyperscan.error: the blob is damaged, or of another platform or Hyperscan.
        """
        return cls(expressions, _with_scratch(hyperscan.loadb(every, hyperscan.HS_MODE_BLOCK)), once)

    def dump(self) -> tuple[bytes, bytes]:
        """Both automata, serialised for this platform."""
        once = (
            hyperscan.dumpb(_compile(self.expressions, everywhere_once=True))
            if self._once_blob is None
            else self._once_blob
        )
        return hyperscan.dumpb(self._every), once

    def scan(self, block: memoryview, report: Report, lane: int = 0) -> None:
        """Report every match in ``block``, until ``report`` returns true. Calls at the same time need a ``lane`` each."""
        if lane not in self._scratch:
            self._scratch[lane] = hyperscan.Scratch(self._every)
        with contextlib.suppress(hyperscan.ScanTerminated):
            # The published types know str and bytes only; any buffer is taken.
            cast("Any", self._every).scan(block, match_event_handler=report, scratch=self._scratch[lane])

    def scan_once(self, block: memoryview, report: Report) -> None:
        """Report each expression that occurs in ``block`` once."""
        if self._once is None:
            blob = self._once_blob
            self._once = (
                _compile(self.expressions, everywhere_once=True)
                if blob is None
                else _with_scratch(hyperscan.loadb(blob, hyperscan.HS_MODE_BLOCK))
            )
        cast("Any", self._once).scan(block, match_event_handler=report)


def expressions_of(base: KnowledgeBase) -> list[Expression]:
    """One expression for each log pattern of the knowledge base."""
    return [
        Expression(pattern.key, pattern.regex, pattern.literal)
        for signature in base
        for pattern in signature.patterns()
    ]


def marker(name: str, source: str, literal: str = "", *, once: bool = False) -> Expression:
    """An expression of the engine's own."""
    return Expression(f"@{name}", source, literal, once)


def _compile(expressions: Sequence[Expression], *, everywhere_once: bool) -> hyperscan.Database:
    from triage.knowledge.hyperscan_form import hyperscan_form

    sources, flags = [], []
    for item in expressions:
        source, prefilter = hyperscan_form(item.source)
        single = everywhere_once or item.once
        sources.append(source)
        flags.append(
            hyperscan.HS_FLAG_MULTILINE
            | (hyperscan.HS_FLAG_PREFILTER if prefilter else 0)
            | (hyperscan.HS_FLAG_SINGLEMATCH if single else 0)
        )
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(expressions=sources, ids=list(range(len(sources))), elements=len(sources), flags=flags)
    except hyperscan.error as error:
        raise ValueError(_culprit(expressions, flags) or f"the pattern database does not compile: {error}") from error
    return database


def _culprit(expressions: Sequence[Expression], flags: Sequence[int]) -> str:
    """Hyperscan's own message does not say which expression it refuses, so each is tried alone."""
    from triage.knowledge.hyperscan_form import hyperscan_form

    for item, flag in zip(expressions, flags, strict=True):
        try:
            hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK).compile(
                expressions=[hyperscan_form(item.source)[0]], ids=[0], elements=1, flags=[flag]
            )
        except hyperscan.error as error:
            return f"{item.key}: Hyperscan cannot compile this pattern: {error}"
    return ""


def _with_scratch(database: hyperscan.Database) -> hyperscan.Database:
    database.scratch = hyperscan.Scratch(database)
    return database
