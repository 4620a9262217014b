"""One watched run: live sources in, events out, until the sources end or enough is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from triage.model import Phase, Report, Severity
from triage.reading.live import Chunk, Item
from triage.records import dataclass
from triage.watching.events import Event, EventKind, between, phase_events
from triage.watching.live_scan import LiveScan

_REST_S = 0.02
_SHARE = 5.0
"""Weighing what is known may take at most this part of the time, so that reading never waits for it on the whole."""
_READY = (Phase.SERVING,)


class Sources(Protocol):
    """Several live sources, as `Merger` hands them out."""

    @property
    def ended(self) -> bool:
        """Nothing can come any more."""

    def wait(self, timeout_s: float) -> bool:
        """Wait until there is something, at most this long."""

    def poll(self) -> list[tuple[str, Item]]:
        """What came."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Why watching ended: ``sources`` (they did), ``ready``, ``diagnosis`` or ``stopped``; and the report in the end."""

    why: str
    report: Report


class Watch:
    """Drives a `LiveScan` with what ``sources`` give. ``clock`` gives monotonic seconds; ``until``: ``exit``, ``ready`` or
    ``diagnosis``; ``stop`` is asked between two reads."""

    def __init__(
        self, scan: LiveScan, sources: Sources, *, clock: Callable[[], float], until: str, stop: Callable[[], bool]
    ) -> None:
        self._scan, self._sources, self._clock, self._until, self._stop = scan, sources, clock, until, stop
        self._report: Report | None = None
        self._phases: dict[str, Phase] = {}
        self._since: dict[str, float] = {}
        self._next_at = 0.0
        self.ended: Ended | None = None

    def events(self) -> Iterator[Event]:
        """Everything that happens, in order; afterwards ``ended`` says how it ended."""
        while True:
            self._sources.wait(_REST_S if self._scan.is_news else 1.0)
            for label, item in self._sources.poll():
                if isinstance(item, Chunk):
                    self._scan.take(label, item.data, item.generation)
                else:
                    if item.loss:
                        self._scan.note(label, item.text)
                    yield Event(EventKind.NOTE, id=label, text=item.text)
            if self._scan.is_news and self._clock() >= self._next_at:
                yield from self._look()
            why = self._why()
            if why:
                yield from self._finish(why)
                return

    def _look(self) -> Iterator[Event]:
        began = self._clock()
        report = self._scan.report()
        self._next_at = self._clock() + max(_REST_S, _SHARE * (self._clock() - began))
        yield from self._changed_phases(began)
        yield from between(self._report, report)
        self._report = report

    def _changed_phases(self, now: float) -> Iterator[Event]:
        phases = self._scan.phases()
        yield from phase_events(self._phases, phases, self._since, now)
        for label, phase in phases.items():
            if self._phases.get(label) is not phase:
                self._since[label] = now
        self._phases = phases

    def _why(self) -> str:
        if self._sources.ended:
            return "sources"
        if self._stop():
            return "stopped"
        if self._until == "ready" and any(phase in _READY for phase in self._phases.values()):
            return "ready"
        serious = (Severity.ERROR, Severity.FATAL)
        if self._until == "diagnosis" and self._report is not None:
            return "diagnosis" if any(item.severity in serious for item in self._report.diagnoses) else ""
        return ""

    def _finish(self, why: str) -> Iterator[Event]:
        report = self._scan.finish()
        yield from self._changed_phases(self._clock())
        yield from between(self._report, report)
        self.ended = Ended(why, report)
