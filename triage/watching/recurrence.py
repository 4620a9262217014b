"""Did a cause come again: does a server that was started anew show it too? Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from triage.model import Diagnosis, Finding, Hit, Place, Report, Severity, Strength
from triage.records import dataclass

_SERIOUS = (Severity.ERROR, Severity.FATAL)
_TELLING = (Strength.DECISIVE, Strength.STRONG)
NO_RUNS: Mapping[str, Sequence[int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Where a later run of the server shows the cause first, with its line; the text is empty where only its place was kept."""

    place: Place
    text: str


def came_again(
    old: Report, new: Report, item: Diagnosis, runs: Mapping[str, Sequence[int]] = NO_RUNS
) -> Recurrence | None:
    """Where ``item``, a diagnosis of both reports, was seen in a later run of the server than ``old`` knew of; None if it was
    not, or if it is mild. ``runs``: for each source lines with which runs begin that were told otherwise than by arguments.
    Where none are, what a start prints before its arguments belongs to the run before it."""
    if item.severity not in _SERIOUS:
        return None
    known: dict[tuple[str, str], int] = {}
    for finding in _telling(old, item):
        for place in _places(finding):
            server, run = _run(new, place, runs)
            known[server] = max(run, known.get(server, 0))
    # The places in the new run, the first of them first.
    found: list[tuple[int, Place, str]] = []
    for finding in _telling(new, item):
        texts = {hit.place.line: hit.text for hit in finding.hits}
        for place in _places(finding):
            server, run = _run(new, place, runs)
            if server in known and run > known[server]:
                found.append((place.line, place, texts.get(place.line, "")))
    if not found:
        return None
    _, place, text = min(found, key=lambda entry: entry[0])
    return Recurrence(place, text)


def _telling(report: Report, item: Diagnosis) -> Iterator[Finding]:
    """What says most for ``item``: a healthy start may well print what only supports it."""
    speaking = [entry for entry in item.ledger if entry.decibans > 0 and entry.place is not None]
    strong = [entry for entry in speaking if entry.strength in _TELLING]
    evidence = {f"{item.id}/{entry.evidence}" for entry in strong or speaking}
    return (finding for finding in report.observation.findings if finding.key.rpartition("/")[0] in evidence)


def _places(finding: Finding) -> Iterator[Place]:
    hits: tuple[Hit, ...] = finding.hits
    yield from (hit.place for hit in hits)
    yield finding.last


def _run(report: Report, place: Place, runs: Mapping[str, Sequence[int]]) -> tuple[tuple[str, str], int]:
    """(the server that printed ``place``, the line in which the run that it belongs to began; 0 is the first one). What stands
    above the first arguments belongs to them."""
    launches = [
        launch
        for launch in report.observation.launches
        if launch.source == place.source and (not launch.node or launch.node == (place.node or ""))
    ]
    server = (place.source, launches[-1].node if launches else "")
    told = runs.get(place.source, ())
    run, is_awaited = 0, True
    for line, is_told in sorted([(line, True) for line in told] + [(launch.line, False) for launch in launches]):
        if line > place.line:
            break
        # The arguments that come first in a run are no further one.
        run = line if is_told or not is_awaited else run
        is_awaited = is_told
    return server, run
