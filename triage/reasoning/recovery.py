"""Did the server go on? A fatal finding after which it served is history, not the answer."""

from __future__ import annotations

from collections.abc import Sequence

from triage.model import Finding, Launch, Place, Severity
from triage.reasoning.candidate import Candidate

_SECONDS_AFTER = 10.0
_LINES_AFTER = 20
"""Other ranks may still print a batch while one dies; only work well after the failure proves that the server lives."""


def recovered(item: Candidate, findings: dict[str, list[Finding]], launches: Sequence[Launch]) -> bool:
    """True when every line of a fatal cause was followed by the same server getting ready or serving on."""
    if item.signature.severity is not Severity.FATAL:
        return False
    lasts = [finding.last for entry in _keys(item) for finding in findings.get(entry, ())]
    return bool(lasts) and all(went_on_after(place, launches) for place in lasts)


def went_on_after(place: Place, launches: Sequence[Launch]) -> bool:
    """Did the server in whose run ``place`` stands get ready, or work on, after it?"""
    launch = _launch_of(place, launches)
    if launch is None:
        return False
    if launch.ready_line > place.line:
        return True
    batch = launch.last_batch
    if batch is None or batch.line <= place.line:
        return False
    if batch.seconds is not None and place.seconds is not None:
        return batch.seconds - place.seconds >= _SECONDS_AFTER
    return batch.line - place.line >= _LINES_AFTER


def in_earlier_launch(item: Candidate, launches: Sequence[Launch]) -> bool:
    """Do all lines of ``item`` stand before the last start of the server in their file?"""
    return all(
        (last := _last_launch(hit.place, launches)) is not None and hit.place.line < last.line for hit in item.hits
    )


def _last_launch(place: Place, launches: Sequence[Launch]) -> Launch | None:
    local = _launches_at(place, launches)
    return local[-1] if local else None


def _keys(item: Candidate) -> set[str]:
    return {hit.key for hit in item.hits}


def _launch_of(place: Place, launches: Sequence[Launch]) -> Launch | None:
    """What stands before the first start that a file shows belongs to that start: imports and downloads come first."""
    local = _launches_at(place, launches)
    before = [launch for launch in local if launch.line <= place.line]
    return before[-1] if before else local[0] if local else None


def _launches_at(place: Place, launches: Sequence[Launch]) -> list[Launch]:
    """The starts of the server that printed ``place``, in file order."""
    return [
        launch
        for launch in launches
        if launch.source == place.source and (not launch.node or launch.node == (place.node or ""))
    ]
