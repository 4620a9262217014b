"""The exact look at a candidate line: the pattern itself, under a timeout, with its captures."""

from __future__ import annotations

from collections.abc import Callable

from triage.matching.captures import typed
from triage.matching.timed_regex import TimedRegex
from triage.model import Pattern, Value
from triage.records import dataclass, field

BUDGET_TIMEOUTS = 3


@dataclass(frozen=True, slots=True)
class Match:
    """Where in the segment the pattern matched (byte offsets) and what it captured."""

    start: int
    end: int
    captures: tuple[tuple[str, Value], ...]


Compiled = tuple[Pattern, TimedRegex, "TimedRegex | None"]
"""A pattern, its regex without a leading ``^``, and that of its ``unless``."""


@dataclass(slots=True)
class CompiledPatterns:
    """The patterns that ``lookup`` knows, compiled when first asked for. Scanners of one knowledge share it, in one thread or
    several: at worst a pattern is compiled twice."""

    lookup: Callable[[str], Pattern]
    _patterns: dict[str, Pattern] = field(default_factory=dict)
    _compiled: dict[str, Compiled] = field(default_factory=dict)

    def pattern(self, key: str) -> Pattern:
        """The pattern of that key."""
        found = self._patterns.get(key)
        if found is None:
            found = self._patterns[key] = self.lookup(key)
        return found

    def compiled(self, key: str) -> Compiled:
        """The pattern of that key, compiled."""
        entry = self._compiled.get(key)
        if entry is None:
            pattern = self.pattern(key)
            # A leading ^ is answered by where the match is begun, so that it means the message and not the line.
            source = pattern.regex.removeprefix("^")
            entry = (pattern, TimedRegex(source), TimedRegex(pattern.unless) if pattern.unless else None)
            self._compiled[key] = entry
        return entry


@dataclass(slots=True)
class Confirmer:
    """Runs patterns over single line segments. A pattern that times out too often is put aside and named in ``limits``."""

    patterns: CompiledPatterns
    limits: list[str] = field(default_factory=list)
    _timeouts: dict[str, int] = field(default_factory=dict)

    def twin(self) -> Confirmer:
        """Another one that knows what this one does, and whose time-outs are its own from here on."""
        return Confirmer(self.patterns, list(self.limits), dict(self._timeouts))

    def pattern(self, key: str) -> Pattern:
        """The pattern of that key."""
        return self.patterns.pattern(key)

    def match(self, key: str, segment: bytes, message_start: int | None = None) -> Match | None:
        """The first match of pattern ``key`` in ``segment``, or None.

        A leading ``^`` stands for ``message_start``; without one it is overlooked (a first, cheap look).
        """
        pattern, compiled, unless = self.patterns.compiled(key)
        if self._timeouts.get(key, 0) >= BUDGET_TIMEOUTS:
            return None
        try:
            if message_start is not None and pattern.regex.startswith("^"):
                found = compiled.match(segment, message_start)
            else:
                found = compiled.search(segment)
            if found is None or (unless is not None and unless.search(segment)):
                return None
        except TimeoutError:
            self._note_timeout(key)
            return None
        kinds = dict(pattern.captures)
        captures = tuple(
            (name, typed(kinds.get(name, "text"), value.decode("utf-8", "surrogateescape")))
            for name, value in found.groupdict().items()
            if value is not None
        )
        return Match(found.start(), found.end(), captures)

    def _note_timeout(self, key: str) -> None:
        self._timeouts[key] = self._timeouts.get(key, 0) + 1
        if self._timeouts[key] == BUDGET_TIMEOUTS:
            self.limits.append(f"pattern {key} took too long on {BUDGET_TIMEOUTS} lines and was put aside")
