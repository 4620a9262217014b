"""What one kind of line front looks like: the rule that the tables of wrappers and formats are made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from functools import cache

from triage.records import dataclass

_NEEDLE_REACH = 400
ANY_REACH = 1 << 62
"""For a needle that can come after text of any length."""
_MOST_STARTS = 4096


class Kind(Enum):
    """``WRAPPER``: always put around a line by someone else. ``CARRIER``: a format of its own, and a wrapper when what
    it carries has a prefix too. ``FORMAT``: the program's own prefix."""

    WRAPPER = "wrapper"
    CARRIER = "carrier"
    FORMAT = "format"


@dataclass(frozen=True, slots=True)
class Rule:
    """One front. Named groups of ``pattern`` (time, rank, level, pid, node, role) become fields of the prefix.

    ``again`` allows the rule after a format was found, so that two formats in a row are read as the second. The rest spares
    lines that cannot match the regex, which need not even be compiled then: ``first`` and ``second`` are the characters that a
    match can begin with and go on with; ``mark`` must stand at ``mark_at``; ``needle`` must come within ``reach`` characters,
    and with ``in_word`` behind one word at most.
    """

    name: str
    kind: Kind
    pattern: str
    first: str
    needle: str = ""
    again: bool = False
    second: str = ""
    mark: str = ""
    mark_at: int = 0
    reach: int = _NEEDLE_REACH
    in_word: bool = False

    def admits(self, text: str, at: int) -> bool:
        """Can a front at ``at``, which begins with the right characters, match? False is certain."""
        if self.mark and not text.startswith(self.mark, at + self.mark_at):
            return False
        if not self.needle:
            return True
        found = text.find(self.needle, at, at + self.reach)
        return found >= 0 and not (self.in_word and " " in text[at:found].rstrip(" "))

    def match(self, text: str, at: int) -> re.Match[str] | None:
        """The rule's match at ``at``, or None."""
        return _compiled(self.pattern).match(text, at) if self.admits(text, at) else None


class RuleTable:
    """Rules in their order, by the first two characters of what they match."""

    __slots__ = ("_known", "_rules")

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._known: dict[str, tuple[Rule, ...]] = {}

    def beginning(self, start: str) -> tuple[Rule, ...]:
        """The rules that can match a text whose first two characters (fewer at its end) are ``start``."""
        found = self._known.get(start)
        if found is None:
            found = tuple(rule for rule in self._rules if _can_begin(rule, start))
            if len(self._known) < _MOST_STARTS:
                self._known[start] = found
        return found


def _can_begin(rule: Rule, start: str) -> bool:
    return (not rule.first or start[:1] in set(rule.first)) and (not rule.second or start[1:] in set(rule.second))


LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
LETTERS = LOWER + UPPER
DIGITS = "0123456789"

_LEVELS = {
    "debug": "D DEBUG TRACE CALL REQ DATA",
    "info": "I INFO DIAG SUCC SUCCESS NOTICE",
    "warning": "W WARN WARNING WARNI",
    "error": "E ERROR ERR",
    "fatal": "F C FATAL CRITICAL CRITI ABORT PANIC",
}
_LEVEL_OF = {word: level for level, words in _LEVELS.items() for word in words.split()}


def level_of(word: str | None) -> str | None:
    """``debug``, ``info``, ``warning``, ``error`` or ``fatal`` for a level as printed; None for anything else."""
    return _LEVEL_OF.get(word.strip().upper()) if word else None


def rule(
    name: str,
    kind: Kind,
    pattern: str,
    first: str,
    needle: str = "",
    *,
    again: bool = False,
    second: str = "",
    mark: tuple[int, str] = (0, ""),
    reach: int = _NEEDLE_REACH,
    in_word: bool = False,
) -> Rule:
    """A rule from the source of its regex; ``mark``: where which character must stand."""
    return Rule(name, kind, pattern, first, needle, again, second, mark[1], mark[0], reach, in_word)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when a line first begins like the rule: all rules at once would cost a short scan more than its log."""
    return re.compile(pattern, re.ASCII)
