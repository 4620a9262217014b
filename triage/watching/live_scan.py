"""Sources that are still growing: what is known so far, at any time, by the same core that scans a finished log."""

from __future__ import annotations

from triage import __version__
from triage.engine import new_scanner
from triage.knowledge.compiled import Knowledge
from triage.matching.observe import observe
from triage.matching.record import SourceScan
from triage.matching.scanner import Scanner
from triage.model import Phase, Report
from triage.reasoning.diagnose import diagnose

_KEPT_NOTES = 50


class LiveScan:
    """Takes bytes of several sources in any order; ``report`` is on what came so far, ``finish`` on all of it.

    Memory is that of the scanners: flat. ``report`` looks at whole lines only; a last line without its end counts in ``finish``.
    """

    def __init__(self, knowledge: Knowledge, without: frozenset[str] = frozenset()) -> None:
        self._knowledge = knowledge
        self._base = knowledge.base.without(without) if without else knowledge.base
        self._scanners: dict[str, Scanner] = {}
        self._generations: dict[str, int] = {}
        self._unfinished: dict[str, int] = {}
        self._notes: dict[str, list[str]] = {}
        self._seen: tuple[tuple[int, ...], ...] = ()

    def take(self, label: str, data: bytes, generation: int = 0) -> None:
        """More bytes of a source. A line never goes on from one generation (a file after a rotation) to the next."""
        scanner = self._scanner(label)
        if self._generations.get(label, generation) != generation and self._unfinished.get(label):
            scanner.feed(b"\n")
            self._unfinished[label] = 0
        self._generations[label] = generation
        feed = data.rfind(b"\n")
        self._unfinished[label] = len(data) - feed - 1 if feed >= 0 else self._unfinished.get(label, 0) + len(data)
        scanner.feed(data)

    def unfinished(self, label: str) -> int:
        """Bytes of the source's last line, as long as it has no end."""
        return self._unfinished.get(label, 0)

    def note(self, label: str, text: str) -> None:
        """Bytes of a source are missing, and why: the report says so, and what comes next begins a line."""
        scanner = self._scanner(label)
        if self._unfinished.get(label):
            scanner.feed(b"\n")
            self._unfinished[label] = 0
        kept = self._notes.setdefault(label, [])
        if len(kept) < _KEPT_NOTES and text not in kept:
            kept.append(text)

    @property
    def is_news(self) -> bool:
        """Something that a report could tell came since the last one."""
        return self._state() != self._seen

    def report(self) -> Report:
        """What is known now."""
        self._seen = self._state()
        return self._diagnosed([scanner.result for scanner in self._scanners.values()])

    def finish(self) -> Report:
        """What is known once nothing more comes: what ``scan`` says of the same bytes. Nothing may be taken afterwards."""
        return self._diagnosed([scanner.finish() for scanner in self._scanners.values()])

    def phases(self) -> dict[str, Phase]:
        """The phase of its life that each source's server showed last."""
        found = {label: scanner.result.phases for label, scanner in self._scanners.items()}
        return {label: changes[-1].phase for label, changes in found.items() if changes}

    def _scanner(self, label: str) -> Scanner:
        if label not in self._scanners:
            self._scanners[label] = new_scanner(label, self._knowledge)
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
                sum(series.looked_at for series in item.series.values()),
            )
            for item in results
        )
