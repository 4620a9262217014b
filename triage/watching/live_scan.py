"""Sources that are still growing: what is known so far, at any time, by the same core that scans a finished log."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from triage import __version__
from triage.engine import new_scanner
from triage.knowledge.compiled import Knowledge
from triage.matching.observe import observe
from triage.matching.record import PhaseChange, SourceScan
from triage.matching.scanner import Scanner
from triage.model import Place, Report
from triage.reasoning.diagnose import diagnose
from triage.records import replace
from triage.watching.run_starts import RunStarts
from triage.watching.sampler import BatchSampler, Sampled

_KEPT_NOTES = 50


class LiveScan:
    """Takes bytes of several sources in any order; ``report`` is on what came so far, ``finish`` on all of it.

    Memory is that of the scanners: flat. A last line without its end counts in ``finish``, and in ``report`` where the caller
    says so.
    """

    def __init__(self, knowledge: Knowledge, without: frozenset[str] = frozenset()) -> None:
        self._knowledge = knowledge
        self._base = knowledge.base.without(without) if without else knowledge.base
        self._scanners: dict[str, Scanner] = {}
        self._generations: dict[str, int] = {}
        self._unfinished: dict[str, int] = {}
        self._notes: dict[str, list[str]] = {}
        self._samplers: dict[str, BatchSampler] = {}
        self._run_starts: dict[str, RunStarts] = {}
        self._seen: tuple[tuple[int, ...], ...] = ()
        self._seen_batches: tuple[Place | None, ...] = ()

    def take(self, label: str, data: bytes, generation: int = 0) -> None:
        """More bytes of a source. A line never goes on from one generation (a file after a rotation) to the next."""
        scanner = self._scanner(label)
        if self._generations.get(label, generation) != generation and self._unfinished.get(label):
            self._end_line(label)
        self._generations[label] = generation
        feed = data.rfind(b"\n")
        self._unfinished[label] = len(data) - feed - 1 if feed >= 0 else self._unfinished.get(label, 0) + len(data)
        self._run_starts[label].take(data, scanner.feeds + 1)
        scanner.feed(data)
        self._samplers[label].take(data)

    def unfinished(self, label: str) -> int:
        """Bytes of the source's last line, as long as it has no end."""
        return self._unfinished.get(label, 0)

    def note(self, label: str, text: str) -> None:
        """Bytes of a source are missing, and why: the report says so, and what comes next begins a line."""
        self._scanner(label)
        if self._unfinished.get(label):
            self._end_line(label)
        kept = self._notes.setdefault(label, [])
        if len(kept) < _KEPT_NOTES and text not in kept:
            kept.append(text)

    def end_run(self, label: str) -> None:
        """The source's server ended: what comes next is another run of it."""
        if label in self._scanners:
            line = self._scanners[label].feeds + (2 if self._unfinished.get(label) else 1)
            self._run_starts[label].begin(line)

    def run_starts(self) -> dict[str, Sequence[int]]:
        """For each source the lines from which on another run of its server speaks, as far as others than itself say so."""
        return {label: starts.lines for label, starts in self._run_starts.items()}

    @property
    def is_news(self) -> bool:
        """Something that a report could tell came since the last one."""
        return self._state() != self._seen

    @property
    def works_on(self) -> bool:
        """Further batches of requests were shown since the last report: a failure in it may be over."""
        return tuple(scanner.result.last_batch for scanner in self._scanners.values()) != self._seen_batches

    def report(self, paused: Collection[str] = ()) -> Report:
        """What is known now. ``paused``: sources whose last line is looked at although it has no end yet."""
        self._seen = self._state()
        self._seen_batches = tuple(scanner.result.last_batch for scanner in self._scanners.values())
        return self._diagnosed([self._so_far(label, label in paused) for label in self._scanners])

    def finish(self) -> Report:
        """What is known once nothing more comes: what ``scan`` says of the same bytes. Nothing may be taken afterwards."""
        return self._diagnosed([scanner.finish() for scanner in self._scanners.values()])

    def phase_changes(self) -> dict[str, Sequence[PhaseChange]]:
        """Every change of phase that each source showed so far: lists that grow at their end."""
        return {label: scanner.result.phases for label, scanner in self._scanners.items()}

    def sampled(self) -> dict[str, Sampled]:
        """What each source showed of its batches since the last call."""
        return {label: sampler.drain(self._scanners[label].feeds) for label, sampler in self._samplers.items()}

    def _so_far(self, label: str, with_last_line: bool) -> SourceScan:
        """What a source's scanner found by now, with the number of lines, which it counts at the end only."""
        if with_last_line:
            return self._scanners[label].peek()
        lines = self._scanners[label].feeds + (1 if self._unfinished.get(label) else 0)
        return replace(self._scanners[label].result, lines=lines)

    def _end_line(self, label: str) -> None:
        self._scanners[label].feed(b"\n")
        self._samplers[label].end_line()
        self._run_starts[label].end_line()
        self._unfinished[label] = 0

    def _scanner(self, label: str) -> Scanner:
        if label not in self._scanners:
            self._scanners[label] = new_scanner(label, self._knowledge, live=True)
            self._samplers[label], self._run_starts[label] = BatchSampler(), RunStarts()
        return self._scanners[label]

    def _diagnosed(self, scans: list[SourceScan]) -> Report:
        notes = [(tuple(self._notes.get(scan.source, ())), scan.source in self._notes) for scan in scans]
        return diagnose(observe(scans, notes), self._base, version=__version__)

    def _state(self) -> tuple[tuple[int, ...], ...]:
        results = [scanner.result for scanner in self._scanners.values()]
        return tuple(
            (
                item.error_lines,
                len(item.phases),
                len(item.facts),
                len(item.clock.steps()),
                sum(series.looked_at for series in item.series.values()),
            )
            for item in results
        )
