"""Sources put together: findings with their phase, launches with what became of them, facts of the last launch."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import itemgetter

from triage.matching.clock_watch import clock_note
from triage.matching.record import PhaseChange, SourceScan
from triage.model import ErrorLine, Fact, Finding, Hit, Input, Launch, Milestone, Observation, Phase, Place
from triage.records import dataclass, replace

_LAUNCH_LINES = ("launch",)
_ORDER = tuple(Phase)
_TOGETHER = {
    "pool-end": Phase.MEMORY_POOL,
    "capture-begin": Phase.GRAPH_CAPTURE,
    "capture-end": Phase.GRAPH_CAPTURE,
}
"""Steps that wait for all ranks: where one rank shows it, every other has come at least so far."""


@dataclass(frozen=True, slots=True)
class _PhaseLine:
    """The phases of one source in line order, for look-up by line and rank."""

    lines: tuple[int, ...]
    changes: tuple[PhaseChange, ...]

    def at(self, place: Place) -> Phase:
        """The phase in which ``place`` was printed: that of its own rank if the rank has one, else of any."""
        any_rank = implied = Phase.UNKNOWN
        for index in range(bisect_left(self.lines, place.line) - 1, -1, -1):
            change = self.changes[index]
            if change.name in _LAUNCH_LINES:
                return change.phase if any_rank is Phase.UNKNOWN else any_rank
            if change.place.rank is None or place.rank is None or change.place.rank == place.rank:
                return max(change.phase, implied, key=_ORDER.index)
            if any_rank is Phase.UNKNOWN:
                any_rank = change.phase
            implied = max(implied, _TOGETHER.get(change.name, Phase.UNKNOWN), key=_ORDER.index)
        return any_rank


def observe(
    scans: Sequence[SourceScan],
    notes: Sequence[tuple[tuple[str, ...], bool]],
) -> Observation:
    """Everything that was seen in ``scans``; ``notes``: for each source its reader's notes and whether it was cut short."""
    findings: list[Finding] = []
    errors: list[ErrorLine] = []
    launches: list[Launch] = []
    facts: list[Fact] = []
    milestones: list[Milestone] = []
    for scan in scans:
        phases = _phase_line(scan)
        findings.extend(_findings(scan, phases))
        errors.extend(scan.errors.values())
        launches.extend(_launches(scan))
        facts.extend(_facts(scan))
        milestones.extend(_milestones(phases))
    places = _places(findings, errors, scans)
    timed = sorted((place.seconds, place.time) for place in places if place.time and place.seconds is not None)
    times = [time for _, time in timed] or [place.time for place in places if place.time]
    return Observation(
        inputs=tuple(_input(scan, *note) for scan, note in zip(scans, notes, strict=True)),
        findings=tuple(findings),
        facts=tuple(facts),
        errors=tuple(sorted(errors, key=lambda item: (item.place.source, item.place.line))),
        error_count=sum(scan.error_lines for scan in scans),
        launches=tuple(launches),
        first_time=times[0] if times else None,
        last_time=times[-1] if times else None,
        ranks=_ranks(places),
        limits_hit=tuple(limit for scan in scans for limit in scan.limits),
        milestones=tuple(milestones),
    )


def _ranks(places: Sequence[Place]) -> tuple[str, ...]:
    """The ranks that printed something; torch's own names (rank3) only where the server names none."""
    names = {place.rank for place in places if place.rank}
    own = {name for name in names if not name.startswith("rank")}
    return tuple(sorted(own or names))


def _input(scan: SourceScan, notes: tuple[str, ...], truncated: bool) -> Input:
    steps = scan.clock.steps()
    if steps:
        notes = (*notes, clock_note(scan.source, steps))
    return Input(scan.source, scan.size, scan.lines, scan.decode_errors, truncated, notes, steps)


def _phase_line(scan: SourceScan) -> _PhaseLine:
    changes = sorted(scan.phases, key=lambda change: change.place.line)
    return _PhaseLine(tuple(change.place.line for change in changes), tuple(changes))


def _milestones(phases: _PhaseLine) -> list[Milestone]:
    """The first line of each step after the last launch."""
    found: dict[str, Milestone] = {}
    for change in phases.changes:
        if change.name in _LAUNCH_LINES:
            found.clear()
        found.setdefault(change.name, Milestone(change.name, change.place))
    return list(found.values())


def _findings(scan: SourceScan, phases: _PhaseLine) -> list[Finding]:
    found: list[Finding] = []
    for key in sorted(scan.series):
        series = scan.series[key]
        if series.last is None:
            continue  # only inside text that clients wrote
        hits: tuple[Hit, ...] = tuple(replace(hit, phase=phases.at(hit.place)) for hit in series.hits)
        finding = Finding(key, scan.source, series.count, hits, series.last, series.exact)
        found.append(finding)
        found.extend(replace(finding, key=other) for other in scan.shared.get(key, ()))
    return found


def _nodes(scan: SourceScan) -> list[str]:
    """The containers, pods or hosts that start servers in this source; one empty name when it carries only one server."""
    names = sorted({change.place.node or "" for change in scan.phases if change.name in _LAUNCH_LINES})
    return names if len(names) > 1 else [""]


def _launches(scan: SourceScan) -> list[Launch]:
    """One launch for each line that prints a server's arguments, to the next such line of the same node."""
    nodes = _nodes(scan)
    several = len(nodes) > 1
    found: list[Launch] = []
    for node in nodes:
        phases = [change for change in scan.phases if not several or (change.place.node or "") == node]
        facts = [(line, fact) for line, fact in scan.facts if not several or fact.node == node]
        batch = scan.last_batch if scan.last_batch and (not several or (scan.last_batch.node or "") == node) else None
        found.extend(replace(launch, node=node) for launch in _launches_of(scan, phases, facts, batch))
    return sorted(found, key=lambda launch: launch.line)


def _launches_of(
    scan: SourceScan, phases: Sequence[PhaseChange], facts: Sequence[tuple[int, Fact]], batch: Place | None
) -> list[Launch]:
    starts = [change.place.line for change in phases if change.name in _LAUNCH_LINES]
    ready = sorted(change.place.line for change in phases if change.name == "ready")
    if not starts:
        return [Launch(scan.source, 0, ready[-1] if ready else 0, batch)] if ready or batch else []
    from triage.matching.launch import launch_command  # only a log that shows a start pays for the table of flags

    facts = sorted(facts, key=itemgetter(0))
    fact_lines = [line for line, _ in facts]
    found: list[Launch] = []
    for number, line in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else scan.lines + 1
        begin = starts[number - 1] if number else 0  # a command is shown above what the server prints of itself
        stated = {
            fact.name: fact.value
            for at, fact in facts[bisect_left(fact_lines, min(begin + 1, line)) : bisect_left(fact_lines, end)]
            if line <= at or fact.name == "launch.command"
        }
        last_ready = bisect_left(ready, end) - 1
        up = ready[last_ready] if last_ready >= 0 and ready[last_ready] > line else 0
        found.append(
            Launch(scan.source, line, up, batch if batch and line < batch.line < end else None, launch_command(stated))
        )
    return found


def _facts(scan: SourceScan) -> list[Fact]:
    """The last value of each fact of each server, by name; those of an earlier start give way to the last one's."""
    nodes = _nodes(scan)
    starts: dict[str, int] = {}
    for change in scan.phases:
        if change.name in _LAUNCH_LINES:
            node = (change.place.node or "") if len(nodes) > 1 else ""
            starts[node] = max(starts.get(node, 0), change.place.line)
    found: dict[tuple[str, str], Fact] = {}
    for line, fact in sorted(scan.facts, key=lambda item: item[0]):
        node = fact.node if fact.node in nodes else ""
        if line >= starts.get(node, 0) or not fact.name.startswith(("server.", "memory.")):
            found[fact.name, node] = replace(fact, node=node)
    batch = scan.last_batch
    node = (batch.node or "") if batch is not None and len(nodes) > 1 else ""
    if batch is not None and batch.line >= starts.get(node, 0):
        # Not looked for by a pattern of its own: a healthy log is full of such lines.
        origin = f"{scan.source}:{batch.line}"
        found["server.served", node] = Fact("server.served", True, origin, scan.source, node)
    return [found[key] for key in sorted(found)]


def _places(findings: Sequence[Finding], errors: Sequence[ErrorLine], scans: Sequence[SourceScan]) -> list[Place]:
    places = [hit.place for finding in findings for hit in finding.hits]
    places += [finding.last for finding in findings]
    places += [error.place for error in errors]
    places += [change.place for scan in scans for change in scan.phases]
    return places
