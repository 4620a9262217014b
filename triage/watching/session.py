"""One watched run: live sources in, events out, until the sources end or enough is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from triage.matching.clock_watch import clock_note
from triage.model import Report, Severity
from triage.reading.live import Chunk, Item, Note
from triage.reasoning.weights import LIKELY
from triage.records import dataclass
from triage.watching.events import Event, EventKind, between
from triage.watching.live_scan import LiveScan
from triage.watching.live_state import LiveState
from triage.watching.pace import REST_S, Pace
from triage.watching.recurrence import awaited, got_over
from triage.watching.server_runs import ServerRuns
from triage.watching.servers import Servers

_WAIT_S = 1.0
_TICK_S = 0.2
_PAUSE_S = 1.0
"""A last line to which nothing was added for so long is looked at as it stands."""
_RECOVERY_S = 2.0
"""How often it is asked whether a server that works on has got over what was told of it."""


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
    """Why watching ended: ``sources`` (they did), ``ready``, ``diagnosis`` or ``stopped``; the report in the end, and
    the ids of those of its diagnoses that restarts got over."""

    why: str
    report: Report
    over: frozenset[str] = frozenset()


class Watch:
    """Drives a `LiveScan` with what ``sources`` give. ``clock`` gives monotonic seconds; ``until``: ``exit``, ``ready`` or
    ``diagnosis`` (one of severity error or fatal is likely); ``stop`` is asked between two reads; ``on_tick`` hears at most five times a second how things stand, in the
    thread that asks for events."""

    def __init__(
        self,
        scan: LiveScan,
        sources: Sources,
        *,
        clock: Callable[[], float],
        until: str,
        stop: Callable[[], bool],
        on_tick: Callable[[LiveState], None] | None = None,
    ) -> None:
        self._scan, self._sources, self._clock, self._until, self._stop = scan, sources, clock, until, stop
        self._on_tick = on_tick
        self._report: Report | None = None
        self._runs = ServerRuns(())
        self._over: frozenset[str] = frozenset()
        self._awaited: frozenset[str] = frozenset()
        self._servers = Servers()
        self._came: dict[str, float] = {}
        self._paused: set[str] = set()
        self._set_back: set[str] = set()
        self._pace = Pace()
        self._next_tick = self._looked = 0.0
        self.ended: Ended | None = None

    def events(self) -> Iterator[Event]:
        """Everything that happens, in order; afterwards ``ended`` says how it ended."""
        while True:
            self._sources.wait(self._patience())
            for label, item in self._sources.poll():
                yield from self._take(label, item)
            now = self._clock()
            if now >= self._pace.next_look and (self._scan.is_news or self._pauses(now) or self._may_be_over(now)):
                yield from self._look(now)
            if now >= self._next_tick:
                yield from self._tick(now)
            why = self._why()
            if why:
                yield from self._finish(why)
                return

    def state(self) -> LiveState:
        """How things stand now."""
        return self._state(self._clock())

    def _state(self, now: float) -> LiveState:
        return self._servers.state(now, self._report, self._over)

    def _patience(self) -> float:
        if self._scan.is_news:
            return REST_S
        return _TICK_S if self._on_tick is not None else _WAIT_S

    def _take(self, label: str, item: Item) -> Iterator[Event]:
        if isinstance(item, Chunk):
            self._scan.take(label, item.data, item.generation)
            self._came[label] = self._clock()
            self._paused.discard(label)
            return
        if item.kind == "ended" and self._scan.is_news:
            # What came before the end is told before it.
            yield from self._look(self._clock())
        self._note(label, item)
        yield Event(EventKind.NOTE, id=label, text=item.text)

    def _note(self, label: str, note: Note) -> None:
        if note.loss:
            self._scan.note(label, note.text)
        if note.run_over:
            self._scan.end_run(label)
        if note.kind in ("rotated", "truncated", "restarted", "resumed", "dropped", "stale"):
            # Lines may be missing or still to come: the silence before is none of the server's.
            self._servers.excuse(label)

    def _pauses(self, now: float) -> bool:
        """Lines without an end have stood still for a while, and were not looked at as they stand."""
        paused = {
            label for label, came in self._came.items() if now - came >= _PAUSE_S and self._scan.unfinished(label)
        }
        if paused <= self._paused:
            return False
        self._paused |= paused
        return True

    def _may_be_over(self, now: float) -> bool:
        if now - self._looked < _RECOVERY_S or not self._scan.works_on:
            return False
        return bool(self._failed()) or not self._awaited.isdisjoint(self._servers.up)

    def _look(self, now: float) -> Iterator[Event]:
        report = self._scan.report(self._paused)
        self._looked = self._clock()
        self._pace.looked(now, self._looked)
        yield from self._servers.follow(self._scan.phase_changes(), now)
        yield from self._changes(report)

    def _changes(self, report: Report) -> Iterator[Event]:
        """What a new report tells that the last one did not."""
        for source in report.observation.inputs:
            if source.clock_steps and source.path not in self._set_back:
                self._set_back.add(source.path)
                yield Event(EventKind.NOTE, id=source.path, text=clock_note(source.path, source.clock_steps))
        runs = ServerRuns(report.observation.launches, self._scan.run_starts(), self._servers.up)
        yield from between(self._report, report, runs, self._over)
        # One that is over and that no report shows for a while is no news when it is back.
        hidden = self._over - {item.id for item in report.diagnoses}
        self._over = got_over(report, runs) | hidden
        self._awaited = awaited(report, runs, self._over)
        self._report, self._runs = report, runs

    def _tick(self, now: float) -> Iterator[Event]:
        self._next_tick = now + _TICK_S
        # The phase lines first: batches tell a server that was made ready from one that is being.
        yield from self._servers.follow(self._scan.phase_changes(), now)
        yield from self._servers.hear(self._scan.sampled(), now)
        yield from self._servers.check(now, self._failed())
        if self._on_tick is not None:
            self._on_tick(self._state(now))

    def _failed(self) -> set[str]:
        """Sources of which something was told from which no server goes on by itself, and in which none was started since."""
        diagnoses = self._report.diagnoses if self._report is not None else ()
        return {
            entry.place.source
            for item in diagnoses
            if item.severity is Severity.FATAL
            for entry in item.ledger
            if entry.place is not None and not self._runs.is_started_since(entry.place)
        }

    def _why(self) -> str:
        if self._sources.ended:
            return "sources"
        if self._stop():
            return "stopped"
        if self._until == "ready" and self._servers.up:
            return "ready"
        return "diagnosis" if self._until == "diagnosis" and self._knows_why() else ""

    def _knows_why(self) -> bool:
        """Something serious is likely: what is merely possible is often the first trace of something else."""
        diagnoses = self._report.diagnoses if self._report is not None else ()
        serious = (Severity.ERROR, Severity.FATAL)
        return any(item.severity in serious and item.confidence >= LIKELY for item in diagnoses)

    def _finish(self, why: str) -> Iterator[Event]:
        now = self._clock()
        report = self._scan.finish()
        yield from self._servers.follow(self._scan.phase_changes(), now)
        yield from self._servers.hear(self._scan.sampled(), now)
        yield from self._changes(report)
        if why == "sources":
            yield from self._servers.end(now, self._failed())
        if self._on_tick is not None:
            self._on_tick(self._state(now))
        self.ended = Ended(why, report, self._over)
