"""Lines that are known to match without a look at each: they are counted, and where the last one stands is noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from triage.matching.blocks import Region
from triage.matching.counting import LineCounter
from triage.matching.inspect_line import CandidateLine, LineInspector
from triage.matching.markers import ERROR_PREFIX
from triage.matching.record import SourceScan


class CountedLines:
    """Counts such lines of one source into ``result``. ``literal`` gives what every line of a key holds."""

    __slots__ = ("_counter", "_inspector", "_literal", "_passed", "_result")

    def __init__(
        self, result: SourceScan, inspector: LineInspector, counter: LineCounter, literal: Callable[[str], bytes]
    ) -> None:
        self._result = result
        self._inspector = inspector
        self._counter = counter
        self._literal = literal
        self._passed: dict[str, CandidateLine] = {}

    def add(self, keys: Sequence[str], lines: int, last: CandidateLine) -> None:
        """Count ``lines`` lines that match ``keys``, of which ``last`` is the last one."""
        place = self._inspector.place(last)
        for key in keys:
            if key not in self._result.muted:
                self._result.add_uncounted(key, lines, place)

    def add_muted(self, raw: bytearray, region: Region, origin: int, lines_before: int) -> None:
        """Count the lines of ``region`` that hold the literal of an expression which stormed in ever new shapes, from where it
        was muted. ``origin``: the offset of the first byte of ``raw``; ``lines_before``: the line feeds before the region."""
        for key in self._result.muted & self._result.series.keys():
            literal = self._literal(key)
            begin = max(region.fresh, self._result.counted_from.pop(key, region.fresh))
            lines = raw.count(literal, begin, region.end)
            if lines:
                start = raw.rfind(b"\n", begin, at := raw.rfind(literal, begin, region.end)) + 1 or begin
                stop = raw.find(b"\n", at, region.end)
                number = lines_before + self._counter.feeds(raw, region.start, start) + 1
                last = CandidateLine(raw, start, stop if stop >= 0 else region.end, number, origin + start, start)
                self._result.add_uncounted(key, lines, self._inspector.place(last))

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
