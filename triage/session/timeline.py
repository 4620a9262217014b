"""What happened when, on which rank: launches, phases, findings, the first failure, and what nothing explains. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from triage.model import Diagnosis, Launch, Observation, Place, Report, Role
from triage.reasoning.clocks import on_one_clock
from triage.records import dataclass, replace

LAUNCH, PHASE, READY, WORK, FINDING, FIRST_FAILURE, ERROR = (
    "launch", "phase", "ready", "work", "finding", "first-failure", "error",
)  # fmt: skip
"""Kinds of rows. ``first-failure`` is the finding with which the leading diagnosis began, or the first error where there is no
diagnosis; ``error`` a line that no signature explains."""

_STEPS = {
    "init-distributed": "ranks meet",
    "weights-begin": "weights begin to load",
    "weights-end": "weights loaded (first rank)",
    "pool-end": "memory pool made (first rank)",
    "capture-begin": "graph capture begins",
    "capture-end": "graphs captured (first rank)",
    "uvicorn": "HTTP server listens",
    "shutdown": "server shuts down",
    "pip": "packages are installed",
}
"""Milestones of matching/markers.py in words; a launch and its end in readiness are told by `Launch`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happened. ``text`` is our words for launches, phases and work, and a log line (hostile text) for the rest;
    ``id`` names the signature of a finding; ``place.seconds`` is on the first node's clock."""

    kind: str
    place: Place
    text: str
    id: str = ""

    @property
    def time(self) -> str:
        """As the log prints it; empty if it prints none."""
        return self.place.time or ""

    @property
    def rank(self) -> str:
        """The rank that printed the line; empty if none is named."""
        return self.place.rank or ""


def time_line(report: Report) -> tuple[Row, ...]:
    """The rows in order of time; a line without a time stands where it stands in its source."""
    seen = on_one_clock(report.observation, report.clock_offsets)
    findings = list(_findings(report, seen))
    errors = [Row(ERROR, item.place, item.text) for item in report.unexplained]
    # Some times name no date, and are then known only from the lines around them.
    rows = _in_order([*_launches(seen), *_phases(seen), *findings, *errors], seen)
    first = _first_failure(report, rows)
    return tuple(replace(row, kind=FIRST_FAILURE) if row is first else row for row in rows)


def _launches(seen: Observation) -> Iterator[Row]:
    known = {(item.place.source, item.place.line): item.place for item in seen.milestones}
    for launch in seen.launches:
        if launch.line:
            yield Row(LAUNCH, _place(launch, launch.line, known), "server is started")
        if launch.ready_line:
            yield Row(READY, _place(launch, launch.ready_line, known), "server is ready")
        if launch.last_batch is not None:
            yield Row(WORK, launch.last_batch, "last batch of requests")


def _place(launch: Launch, line: int, known: dict[tuple[str, int], Place]) -> Place:
    return known.get((launch.source, line)) or Place(launch.source, line, 0, node=launch.node or None)


def _phases(seen: Observation) -> Iterator[Row]:
    for item in seen.milestones:
        if item.name in _STEPS:
            yield Row(PHASE, item.place, _STEPS[item.name])


def _findings(report: Report, seen: Observation) -> Iterator[Row]:
    """The first line of each cause on each rank of each source: of what is shown, what that explains, and what recovered."""
    best = {item.id: _best_evidence(item) for item in (*report.diagnoses, *report.recovered)}
    folded = {name: "" for item in report.diagnoses for name in item.explains if name not in best}
    first: dict[tuple[str, str, str], Row] = {}
    for finding in seen.findings:
        identifier, _, rest = finding.key.partition("/")
        wanted = {**folded, **best}.get(identifier)
        if wanted is None or (wanted and rest.partition("/")[0] != wanted):
            continue
        for hit in finding.hits:
            key = (identifier, hit.place.source, hit.place.rank or "")
            if key not in first or hit.place.line < first[key].place.line:
                first[key] = Row(FINDING, hit.place, hit.text, identifier)
    yield from first.values()


def _best_evidence(item: Diagnosis) -> str:
    """The evidence by which a cause is known: what only supports it (the server had been ready) is not its onset."""
    entries = [entry for entry in item.ledger if entry.strength.is_for and entry.place is not None]
    return max(entries, key=lambda entry: entry.decibans).evidence if entries else "-"


def _first_failure(report: Report, rows: Iterable[Row]) -> Row | None:
    roots = [item.id for item in report.diagnoses if item.role is Role.ROOT and item.severity.rank > 1]
    wanted = [row for row in rows if (row.id == roots[0] if roots else row.kind == ERROR)]
    return wanted[0] if wanted else None


def _in_order(rows: Iterable[Row], seen: Observation) -> list[Row]:
    order = {item.path: number for number, item in enumerate(seen.inputs)}
    found: list[tuple[float, int, int, int, Row]] = []
    last: dict[str, float] = {}
    by_line = sorted(rows, key=lambda row: (order.get(row.place.source, len(order)), row.place.line))
    for number, row in enumerate(by_line):
        source = row.place.source
        at = row.place.seconds
        if at is None:
            at = last.get(source, float("-inf"))
        # Ranks write one file at their own pace: a time that goes back within a source moves nothing before what it follows.
        last[source] = max(at, last.get(source, at))
        found.append((at, order.get(source, len(order)), row.place.line, number, row))
    return [item[-1] for item in sorted(found, key=lambda item: item[:-1])]
