"""Sources put together: findings with their phase, launches with what became of them, facts of the last launch."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from triage.matching.record import PhaseChange, SourceScan
from triage.model import ErrorLine, Fact, Finding, Hit, Input, Launch, Observation, Phase, Place

_LAUNCH_LINES = ("launch",)


@dataclass(frozen=True, slots=True)
class _PhaseLine:
    """The phases of one source in line order, for look-up by line and rank."""

    lines: tuple[int, ...]
    changes: tuple[PhaseChange, ...]

    def at(self, place: Place) -> Phase:
        """The phase in which ``place`` was printed: that of its own rank if the rank has one, else of any."""
        any_rank = Phase.UNKNOWN
        for index in range(bisect_left(self.lines, place.line) - 1, -1, -1):
            change = self.changes[index]
            if change.name in _LAUNCH_LINES:
                return change.phase if any_rank is Phase.UNKNOWN else any_rank
            if change.place.rank is None or place.rank is None or change.place.rank == place.rank:
                return change.phase
            if any_rank is Phase.UNKNOWN:
                any_rank = change.phase
        return any_rank


def observe(
    scans: Sequence[SourceScan],
    notes: Sequence[tuple[tuple[str, ...], bool]],
    shared: Mapping[str, tuple[str, ...]],
) -> Observation:
    """Everything that was seen in ``scans``; ``notes``: for each source its reader's notes and whether it was cut short.

    ``shared``: the further pattern keys that a scanned key stands for.
    """
    findings: list[Finding] = []
    errors: list[ErrorLine] = []
    launches: list[Launch] = []
    facts: list[Fact] = []
    for scan in scans:
        phases = _phase_line(scan)
        findings.extend(_findings(scan, phases, shared))
        errors.extend(scan.errors.values())
        launches.extend(_launches(scan))
        facts.extend(_facts(scan))
    times = sorted({place.time for place in _places(findings, errors, scans) if place.time})
    return Observation(
        inputs=tuple(_input(scan, *note) for scan, note in zip(scans, notes, strict=True)),
        findings=tuple(findings),
        facts=tuple(facts),
        errors=tuple(sorted(errors, key=lambda item: (item.place.source, item.place.line))),
        error_count=sum(scan.error_lines for scan in scans),
        launches=tuple(launches),
        first_time=times[0] if times else None,
        last_time=times[-1] if times else None,
        ranks=tuple(sorted({place.rank for place in _places(findings, errors, scans) if place.rank})),
        limits_hit=tuple(limit for scan in scans for limit in scan.limits),
    )


def _input(scan: SourceScan, notes: tuple[str, ...], truncated: bool) -> Input:
    return Input(scan.source, scan.size, scan.lines, scan.decode_errors, truncated, notes)


def _phase_line(scan: SourceScan) -> _PhaseLine:
    changes = sorted(scan.phases, key=lambda change: change.place.line)
    return _PhaseLine(tuple(change.place.line for change in changes), tuple(changes))


def _findings(scan: SourceScan, phases: _PhaseLine, shared: Mapping[str, tuple[str, ...]]) -> list[Finding]:
    found: list[Finding] = []
    for key in sorted(scan.series):
        series = scan.series[key]
        if series.last is None:
            continue  # only inside text that clients wrote
        hits: tuple[Hit, ...] = tuple(replace(hit, phase=phases.at(hit.place)) for hit in series.hits)
        finding = Finding(key, scan.source, series.count, hits, series.last, series.exact, series.dumped)
        found.append(finding)
        found.extend(replace(finding, key=other) for other in shared.get(key, ()))
    return found


def _launches(scan: SourceScan) -> list[Launch]:
    """One launch for each line that prints the server's arguments (repeats within the same start belong to it)."""
    starts = [change.place.line for change in scan.phases if change.name in _LAUNCH_LINES]
    ready = [change.place.line for change in scan.phases if change.name == "ready"]
    found: list[Launch] = []
    if starts:
        from triage.matching.launch import launch_command  # only a log that shows a start pays for the table of flags
    for number, line in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else scan.lines + 1
        begin = starts[number - 1] if number else 0  # a command is shown above what the server prints of itself
        facts = {
            fact.name: fact.value
            for at, fact in scan.facts
            if line <= at < end or (begin < at < line and fact.name == "launch.command")
        }
        up = max((at for at in ready if line < at < end), default=0)
        last_batch = scan.last_batch if scan.last_batch and line < scan.last_batch.line < end else None
        found.append(Launch(scan.source, line, up, last_batch, launch_command(facts)))
    if not starts and (ready or scan.last_batch):
        found.append(Launch(scan.source, 0, ready[-1] if ready else 0, scan.last_batch))
    return found


def _facts(scan: SourceScan) -> list[Fact]:
    """The last value of each fact, by name; those of an earlier launch of the same file give way to the last one's."""
    starts = [change.place.line for change in scan.phases if change.name in _LAUNCH_LINES]
    last = starts[-1] if starts else 0
    found: dict[str, Fact] = {}
    for line, fact in sorted(scan.facts, key=lambda item: item[0]):
        if line >= last or not fact.name.startswith(("server.", "memory.")):
            found[fact.name] = replace(fact, source=scan.source)
    return [found[name] for name in sorted(found)]


def _places(findings: Sequence[Finding], errors: Sequence[ErrorLine], scans: Sequence[SourceScan]) -> list[Place]:
    places = [hit.place for finding in findings for hit in finding.hits]
    places += [finding.last for finding in findings]
    places += [error.place for error in errors]
    places += [change.place for scan in scans for change in scan.phases]
    return places
