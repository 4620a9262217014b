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

    def add(self, keys: Sequence[str], last: CandidateLine, lines: int = 1) -> None:
        """Count ``lines`` lines that match ``keys``, of which ``last`` is the last one. Its place is read by ``settle``, and only
        if no later line of the key came by then."""
        for key in keys:
            if key not in self._result.muted:
                self._result.add_uncounted(key, lines)
                if not key.startswith(ERROR_PREFIX):  # where the last of them stands is not kept
                    passed = self._passed.get(key)
                    self._passed[key] = last if passed is None or passed.number < last.number else passed

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

    def settle(self) -> None:
        """Note the places of the last lines that were counted: before the bytes change."""
        for key, line in self._passed.items():
            self._result.add_uncounted(key, 0, self._inspector.place(line))
        self._passed.clear()
