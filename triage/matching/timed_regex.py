"""A regex that cannot hold a scan up."""

from __future__ import annotations

import re

from triage.matching.effort import effort

TYPE_CHECKING = False

if TYPE_CHECKING:
    import regex

    Found = re.Match[bytes] | regex.Match[bytes]

TIMEOUT_SECONDS = 0.05
QUICK_STEPS = 500_000
"""A step of `Effort` takes the standard library 2 to 40 ns as a rule, and 400 ns in regexes made to be slow: before the timeout
would come in the one case, within four of them in the other."""


class TimedRegex:
    """A regex over bytes, of the dialect of signatures. Where it provably ends soon the standard library runs it; else the
    `regex` module, which knows time limits and costs a short scan more than all the rest of its matching.
    """

    __slots__ = ("_careful", "_effort", "_quick", "_source")

    def __init__(self, source: str) -> None:
        self._source = source.encode()
        self._effort = effort(source)
        self._quick: re.Pattern[bytes] | None = None
        self._careful: regex.Pattern[bytes] | None = None

    def search(self, text: bytes) -> Found | None:
        """The first match.

        Raises:
            TimeoutError: it took too long.
        """
        quick = self._for(text)
        return quick.search(text) if quick else self._with_limit().search(text, timeout=TIMEOUT_SECONDS)

    def match(self, text: bytes, start: int) -> Found | None:
        """The match that begins at ``start``.

        Raises:
            TimeoutError: it took too long.
        """
        quick = self._for(text)
        return quick.match(text, start) if quick else self._with_limit().match(text, start, timeout=TIMEOUT_SECONDS)

    def _for(self, text: bytes) -> re.Pattern[bytes] | None:
        """The standard library's form, if it may look at ``text``."""
        if self._effort is None or self._effort.steps(len(text)) > QUICK_STEPS:
            return None
        if self._quick is None:
            try:
                self._quick = re.compile(self._source, re.ASCII)
            except re.error:  # (?<name>...), which only the other one reads
                self._effort = None
        return self._quick

    def _with_limit(self) -> regex.Pattern[bytes]:
        if self._careful is None:
            import regex

            self._careful = regex.compile(self._source, regex.ASCII)
        return self._careful
