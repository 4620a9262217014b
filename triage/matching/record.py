"""What scanning one source leaves behind: series of hits, phases, facts, error lines and counts."""

from __future__ import annotations

from collections.abc import Mapping

from triage.lazy_regex import lazy_regex
from triage.matching.clock_watch import ClockWatch
from triage.matching.context import LOOKBACK
from triage.matching.markers import ERROR_PREFIX, PHASE_MARKERS, PHASE_PREFIX
from triage.matching.series import Series
from triage.model import Context, ErrorLine, Fact, Hit, Phase, Place, Prefix
from triage.records import dataclass, field, replace

KEPT_PHASES = 20_000
KEPT_FACTS = 5_000
KEPT_SHAPES = 300
ERROR_STORM = 2_000
"""Error lines of one kind after which only the end of the source is looked at for more of them."""

FRUITLESS = 10_000
"""Candidate lines without one match after which a pattern is put aside."""

_PHASES = {PHASE_PREFIX + name: phase for name, _, phase in PHASE_MARKERS}
_FRAME = lazy_regex(rb'File "(?P<path>[^"\n]{1,300})", line (?P<line>\d{1,7}), in (?P<function>[^\n\r]{1,120})')
_DIGITS = lazy_regex(r"0x[0-9a-fA-F]+|\d+")


@dataclass(frozen=True, slots=True)
class PhaseChange:
    """A phase that begins at a place."""

    name: str
    phase: Phase
    place: Place


@dataclass(slots=True)
class SourceScan:
    """Grows while a source is scanned. ``shared``: the further pattern keys that a scanned key stands for; ``muted``: expressions that are no longer looked at; ``counted_from``: for those of
    them muted in this region, from which offset of the buffer their literal is counted."""

    source: str
    shared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    size: int = 0
    lines: int = 0
    decode_errors: int = 0
    series: dict[str, Series] = field(default_factory=dict)
    muted: set[str] = field(default_factory=set)
    counted_from: dict[str, int] = field(default_factory=dict)
    phases: list[PhaseChange] = field(default_factory=list)
    facts: list[tuple[int, Fact]] = field(default_factory=list)
    errors: dict[str, ErrorLine] = field(default_factory=dict)
    error_lines: int = 0
    last_batch: Place | None = None
    limits: list[str] = field(default_factory=list)
    clock: ClockWatch = field(default_factory=ClockWatch)
    _refusals: dict[str, int] = field(default_factory=dict)
    _error_counts: dict[str, int] = field(default_factory=dict)
    _last_error_line: int = 0

    def twin(self) -> SourceScan:
        """Another one that holds the same, and grows by itself."""
        return replace(
            self,
            series={key: series.twin() for key, series in self.series.items()},
            muted=set(self.muted),
            counted_from=dict(self.counted_from),
            phases=list(self.phases),
            facts=list(self.facts),
            errors=dict(self.errors),
            limits=list(self.limits),
            clock=self.clock.twin(),
            _refusals=dict(self._refusals),
            _error_counts=dict(self._error_counts),
        )

    def add_hit(self, hit: Hit, raw_end: int) -> None:
        """A confirmed hit of a signature's pattern, on a line that ends at ``raw_end`` of the buffer."""
        series = self.series.setdefault(hit.key, Series())
        series.add(hit)
        if series.storming:
            self.muted.add(hit.key)
            self.counted_from[hit.key] = raw_end

    def add_refusal(self, key: str) -> None:
        """A candidate line that the exact pattern refused. A pattern that the automaton finds everywhere and that never
        holds would make the scan crawl: it is put aside, and the report says so."""
        seen = self._refusals[key] = self._refusals.get(key, 0) + 1
        if seen == FRUITLESS and key not in self.series and key not in self.muted:
            self.muted.add(key)
            self.limits.append(f"pattern {key} was looked at in {FRUITLESS} lines in vain and was put aside")

    def add_uncounted(self, key: str, lines: int, last: Place | None = None) -> None:
        """Lines that are known to match ``key`` without a look at each; None: where the last one stands is told later."""
        if key.startswith(ERROR_PREFIX):
            self.error_lines += lines
        else:
            self.series[key].add_uncounted(lines, last)

    def add_phase(self, hit: Hit) -> None:
        """A line that begins a phase. A dump of settings is where a launch is seen; other dumps tell nothing."""
        if hit.context is Context.REQUEST_DUMP:
            return
        if len(self.phases) >= KEPT_PHASES:
            # A server that dies and is started again for days: its last starts tell more than its first.
            del self.phases[: KEPT_PHASES // 2]
        name = hit.key.removeprefix(PHASE_PREFIX)
        self.phases.append(PhaseChange(name, _PHASES[hit.key], hit.place))

    def add_fact_line(self, hit: Hit, message: str) -> None:
        """A line that carries facts; ``message`` is the whole of it, a dump of settings can be 20 KiB long."""
        if hit.context is Context.REQUEST_DUMP:
            return
        if len(self.facts) >= KEPT_FACTS:
            del self.facts[: KEPT_FACTS // 2]
        from triage.matching.facts import read_facts  # only a log that states facts pays for their readers

        origin = f"{hit.place.source}:{hit.place.line}"
        for fact in read_facts(message, origin):
            self.facts.append((hit.place.line, replace(fact, source=self.source, node=hit.place.node or "")))

    def add_error(self, hit: Hit, own: Prefix, buffer: bytes | bytearray, start: int) -> None:
        """A line that speaks of an error; equal ones (numbers aside) are kept once. ``start``: the line's offset in ``buffer``."""
        name = hit.key.removeprefix(ERROR_PREFIX)
        if name.startswith("level-") and own.level not in ("error", "fatal"):
            return
        seen = self._error_counts[name] = self._error_counts.get(name, 0) + 1
        if seen >= ERROR_STORM:
            self.muted.add(hit.key)
        if hit.place.line != self._last_error_line:
            self.error_lines += 1
            self._last_error_line = hit.place.line
        shape = name * (name == "traceback") + _DIGITS.sub("#", hit.text[own.end :])[:160]
        # A frame further up belongs to something else unless the line ends a traceback.
        origin = _last_frame(buffer, start) if hit.block < hit.place.line else ""
        if shape not in self.errors and len(self.errors) < KEPT_SHAPES:
            self.errors[shape] = ErrorLine(hit.text, hit.place, hit.block, origin)


def _last_frame(buffer: bytes | bytearray, start: int) -> str:
    """The nearest source frame above a line, as ``path:line in function``; empty when there is none within reach."""
    floor = max(0, start - LOOKBACK // 8)
    at = buffer.rfind(b'File "', floor, start)
    if at < 0:
        return ""
    found = _FRAME.match(bytes(buffer[at : min(start, at + 600)]))
    if found is None:
        return ""
    return "{}:{} in {}".format(
        *(found[name].decode("utf-8", "surrogateescape") for name in ("path", "line", "function"))
    )
