"""What one kind of line front looks like: the rule that the tables of wrappers and formats are made of."""

from __future__ import annotations

import re
from enum import Enum
from functools import cache

from triage.records import dataclass

_NEEDLE_REACH = 400


class Kind(Enum):
    """``WRAPPER``: always put around a line by someone else. ``CARRIER``: a format of its own, and a wrapper when what
    it carries has a prefix too. ``FORMAT``: the program's own prefix."""

    WRAPPER = "wrapper"
    CARRIER = "carrier"
    FORMAT = "format"


@dataclass(frozen=True, slots=True)
class Rule:
    """One front. Named groups of ``pattern`` (time, rank, level, pid, node, role) become fields of the prefix.

    ``first`` are the characters it can begin with; ``needle`` is a literal that must follow soon, looked for before the
    regex is tried; ``again`` allows it after a format was found, so that two formats in a row are read as the second.
    """

    name: str
    kind: Kind
    pattern: str
    first: str
    needle: str = ""
    again: bool = False

    def match(self, text: str, at: int) -> re.Match[str] | None:
        """The rule's match at ``at``, or None."""
        if self.needle and text.find(self.needle, at, at + _NEEDLE_REACH) < 0:
            return None
        return _compiled(self.pattern).match(text, at)


LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
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


def rule(name: str, kind: Kind, pattern: str, first: str, needle: str = "", *, again: bool = False) -> Rule:
    """A rule from the source of its regex."""
    return Rule(name, kind, pattern, first, needle, again)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when a line first begins like the rule: all rules at once would cost a short scan more than its log."""
    return re.compile(pattern, re.ASCII)
