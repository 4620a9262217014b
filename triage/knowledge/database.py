"""The pattern database: every expression of the knowledge base compiled into one Hyperscan automaton over bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from triage.knowledge.automaton import hyperscan
from triage.knowledge.base import KnowledgeBase
from triage.model import Pattern
from triage.records import dataclass, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Report = Callable[[int, int, int, int, object], "bool | None"]
"""Called with (index of the form, 0, end offset, flags, context) for every match."""


@dataclass(frozen=True, slots=True)
class Expression:
    """What the database looks for. ``key``: a pattern key, or ``@name`` for a marker of the engine's own.

    ``once``: one report for each scanned block is enough (its place is found by its literal). ``shared``: further pattern
    keys that look for the very same; an OOM line serves a dozen items of evidence and is looked at once.
    """

    key: str
    source: str
    literal: str
    once: bool = False
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outline:
    """What a scan needs of all expressions: the key of each, the indices of those with ``once``, and what ``shared`` holds."""

    keys: tuple[str, ...]
    once: frozenset[int]
    shared: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, expressions: Sequence[Expression]) -> Outline:
        """That of ``expressions``."""
        return cls(
            tuple(item.key for item in expressions),
            frozenset(number for number, item in enumerate(expressions) if item.once),
            {item.key: item.shared for item in expressions if item.shared},
        )


class PatternDatabase:
    """Compiled expressions, addressed by their index in ``expressions``.

    The automaton looks for *forms*; ``members`` gives, for each form, the expressions that it stands for. The form of a
    signature's pattern is the text that every match contains: thousands of plain texts compile in a tenth of a second and
    are found faster than regexes, and confirmation is exact either way.
    """

    def __init__(
        self,
        expressions: Callable[[], Sequence[Expression]],
        outline: Outline,
        members: Sequence[tuple[int, ...]],
        automaton: hyperscan.Database,
    ) -> None:
        """``expressions`` is called when they are first asked for: most scans need no more than their outline."""
        self._expressions = expressions
        self.keys, self.once, self.shared = outline.keys, outline.once, outline.shared
        self.members = members
        self._within: tuple[frozenset[int], frozenset[int]] | None = None
        # The published types know str and bytes only; any buffer is taken.
        self._automaton: Any = automaton
        self._scratch: dict[int, hyperscan.Scratch] = {}

    @cached_property
    def expressions(self) -> tuple[Expression, ...]:
        """Every expression; its place here is its index."""
        return tuple(self._expressions())

    @cached_property
    def index(self) -> dict[str, int]:
        """The index of each key."""
        return {key: number for number, key in enumerate(self.keys)}

    @cached_property
    def literals(self) -> dict[str, bytes]:
        """What every match of a key contains."""
        return {item.key: item.literal.encode() for item in self.expressions}

    @classmethod
    def compile(cls, expressions: Sequence[Expression]) -> PatternDatabase:
        """Compile.

        Raises:
            ValueError: Hyperscan refuses an expression; the message names its key.
        """
        expressions = tuple(expressions)
        forms: dict[tuple[bytes, bool], list[int]] = {}
        for number, item in enumerate(expressions):
            forms.setdefault((_form(item), item.once), []).append(number)
        members = [tuple(found) for found in forms.values()]
        return cls(lambda: expressions, Outline.of(expressions), members, _compile(expressions, forms))

    @classmethod
    def load(
        cls,
        expressions: Callable[[], Sequence[Expression]],
        outline: Outline,
        members: Sequence[tuple[int, ...]],
        blob: bytes,
    ) -> PatternDatabase:
        """Take up what ``dump`` gave; ``expressions`` as for the constructor.

        Raises:
            hyperscan.error: the blob is damaged, or of another platform or Hyperscan.
        """
        return cls(expressions, outline, members, hyperscan.loadb(blob, hyperscan.HS_MODE_BLOCK))

    def dump(self) -> bytes:
        """The automaton, serialised for this platform."""
        return hyperscan.dumpb(self._automaton)

    def forms_within(self, expressions: frozenset[int]) -> frozenset[int]:
        """The forms that stand for nothing but these expressions; the last answer is kept, since every scan begins alike."""
        kept = self._within
        if kept is None or kept[0] != expressions:
            # Nearly every form fails the first test, which costs no call.
            forms = frozenset(
                form
                for form, inside in enumerate(self.members)
                if inside[0] in expressions and expressions.issuperset(inside)
            )
            kept = self._within = (expressions, forms)
        return kept[1]

    def narrowed(self, expressions: frozenset[int]) -> PatternDatabase:
        """The same database, whose automaton does not look for forms that stand for nothing but these expressions. Takes about a
        second."""
        left_out = self.forms_within(expressions)
        first = {form: self.expressions[inside[0]] for form, inside in enumerate(self.members) if form not in left_out}
        automaton = _automaton({form: (_form(item), item.once) for form, item in first.items()})
        outline = Outline(self.keys, self.once, self.shared)
        return PatternDatabase(lambda: self.expressions, outline, self.members, automaton)

    def scan(self, block: memoryview, report: Report, lane: int = 0) -> None:
        """Report every match in ``block``, until ``report`` returns true. Calls at the same time need a ``lane`` each."""
        if lane not in self._scratch:
            self._scratch[lane] = hyperscan.Scratch(self._automaton)
        try:
            self._automaton.scan(block, match_event_handler=report, scratch=self._scratch[lane])
        except hyperscan.ScanTerminated:
            return


def expressions_of(base: KnowledgeBase) -> list[Expression]:
    """One expression for each different log pattern of the knowledge base."""
    keys: dict[Pattern, list[str]] = {}
    for signature in base:
        for pattern in signature.patterns():
            keys.setdefault(replace(pattern, key=""), []).append(pattern.key)
    return [
        Expression(found[0], pattern.regex, pattern.literal, shared=tuple(found[1:])) for pattern, found in keys.items()
    ]


def marker(name: str, source: str, literal: str = "", *, once: bool = False) -> Expression:
    """An expression of the engine's own."""
    return Expression(f"@{name}", source, literal, once)


def _compile(
    expressions: Sequence[Expression], forms: Mapping[tuple[bytes, bool], Sequence[int]]
) -> hyperscan.Database:
    try:
        return _automaton(dict(enumerate(forms)))
    except hyperscan.error as error:
        owners = [expressions[members[0]].key for members in forms.values()]
        culprit = _culprit(owners, forms)
        raise ValueError(culprit or f"the pattern database does not compile: {error}") from error


def _automaton(forms: Mapping[int, tuple[bytes, bool]]) -> hyperscan.Database:
    """The automaton that finds each form, told by its number; the flag: it is enough to know that it is there."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[source for source, _ in forms.values()],
        ids=list(forms),
        elements=len(forms),
        flags=[
            hyperscan.HS_FLAG_MULTILINE | (hyperscan.HS_FLAG_SINGLEMATCH if once else 0) for _, once in forms.values()
        ],
    )
    return database


def _form(item: Expression) -> bytes:
    # The parser of regexes is only needed to compile; a scan loads what was compiled before.
    from triage.knowledge.hyperscan_form import hyperscan_form
    from triage.knowledge.ordinary import ORDINARY_LINES
    from triage.knowledge.regex_syntax import mandatory_literal

    by_text = item.literal and not item.key.startswith("@") and item.literal in mandatory_literal(item.source)
    # Text that healthy servers print all the time would fire on every line.
    if by_text and not any(item.literal in line for line in ORDINARY_LINES):
        return b"".join(b"\\x%02x" % byte for byte in item.literal.encode())
    try:
        return hyperscan_form(item.source)
    except ValueError as error:
        raise ValueError(f"{item.key}: {error}") from error


def _culprit(owners: Sequence[str], forms: Iterable[tuple[bytes, bool]]) -> str:
    """Hyperscan's own message does not say which expression it refuses, so each is tried alone."""
    for owner, form in zip(owners, forms, strict=True):
        try:
            _automaton({0: form})
        except hyperscan.error as error:
            return f"{owner}: Hyperscan cannot compile this pattern: {error}"
    return ""
