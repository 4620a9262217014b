"""Lines that are known to match without a look at each: they are counted, and where the last one stands is noted."""

from __future__ import annotations

from collections.abc import Sequence

from triage.matching.inspect_line import CandidateLine, LineInspector
from triage.matching.markers import ERROR_PREFIX
from triage.matching.record import SourceScan


class CountedLines:
    """Counts such lines of one source into ``result``."""

    __slots__ = ("_inspector", "_passed", "_result")

    def __init__(self, result: SourceScan, inspector: LineInspector) -> None:
        self._result = result
        self._inspector = inspector
        self._passed: dict[str, CandidateLine] = {}

    def add(self, keys: Sequence[str], lines: int, last: CandidateLine) -> None:
        """Count ``lines`` lines that match ``keys``, of which ``last`` is the last one."""
        place = self._inspector.place(last)
        for key in keys:
            if key not in self._result.muted:
                self._result.add_uncounted(key, lines, place)

    def pass_by(self, keys: Sequence[str], line: CandidateLine) -> None:
        """Count one line. Its place is read by ``settle``, and only if no further line of the key was passed by then."""
        for key in keys:
            if key not in self._result.muted:
                self._result.add_uncounted(key, 1)
                if not key.startswith(ERROR_PREFIX):  # where the last of them stands is not kept
                    self._passed[key] = line

    def settle(self, key: str) -> None:
        """Note the place of the last line of ``key`` that was passed by: before its next hit, and before the bytes change."""
        line = self._passed.pop(key, None)
        if line is not None:
            self._result.add_uncounted(key, 0, self._inspector.place(line))

    def settle_all(self) -> None:
        """``settle`` for every key."""
        for key in tuple(self._passed):
            self.settle(key)
