"""One time line for the nodes of a job, whose clocks need not agree, and for a source whose clock was set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from triage.model import ClockOffset, ErrorLine, Finding, Hit, Launch, Milestone, Observation, Place
from triage.records import replace

if TYPE_CHECKING:
    from typing import TypeAlias, TypeVar

    _Placed = TypeVar("_Placed", Hit, ErrorLine, Milestone)

_Ahead: TypeAlias = "Callable[[Place], float]"
"""By how many seconds the clock behind a place is ahead of the one that counts."""

_TOGETHER = ("weights-begin", "pool-end", "capture-begin", "capture-end")
"""Steps that every node takes within the same second, for each is printed right after a collective operation."""
_NEGLIGIBLE_SECONDS = 2.0
"""Log times are whole seconds, so a smaller offset is no offset."""


def clock_offsets(observation: Observation, members: Sequence[str]) -> tuple[ClockOffset, ...]:
    """The offset of each of the ``members`` of one job against the first that shows a common step; none where the logs end
    before one."""
    steps: dict[str, dict[str, float]] = {}
    for milestone in observation.milestones:
        place = milestone.place
        if place.source in members and milestone.name in _TOGETHER and place.seconds is not None:
            steps.setdefault(place.source, {})[milestone.name] = place.seconds
    reference = next((source for source in members if source in steps), None)
    if reference is None:
        return ()
    # Rarely needed, and dear to import: it brings fractions and decimal along.
    from statistics import median

    found: list[ClockOffset] = []
    for source in members:
        ahead = [steps[source][name] - at for name, at in steps[reference].items() if name in steps.get(source, {})]
        if ahead:
            found.append(ClockOffset(source, reference, median(ahead), max(ahead) - min(ahead), len(ahead)))
    return tuple(found)


def on_one_clock(observation: Observation, offsets: Sequence[ClockOffset]) -> Observation:
    """The observation with the seconds of every place on the clock of its reference; the times as printed stay."""
    ahead = {item.source: item.seconds for item in offsets if abs(item.seconds) >= _NEGLIGIBLE_SECONDS}
    return _moved(observation, lambda place: ahead.get(place.source, 0.0)) if ahead else observation


def without_steps(observation: Observation) -> Observation:
    """The observation with the seconds of all places of a source on the clock that it had last, so that they rise with its
    lines; the times as printed stay."""
    steps = {item.path: item.clock_steps for item in observation.inputs if item.clock_steps}

    def ahead(place: Place) -> float:
        return sum(
            step.seconds
            for step in steps.get(place.source, ())
            if step.line > place.line and step.node in (None, place.node)
        )

    return _moved(observation, ahead) if steps else observation


def _moved(observation: Observation, ahead: _Ahead) -> Observation:
    return replace(
        observation,
        findings=tuple(_finding(item, ahead) for item in observation.findings),
        errors=tuple(_at(item, _place(item.place, ahead)) for item in observation.errors),
        launches=tuple(_launch(item, ahead) for item in observation.launches),
        milestones=tuple(_at(item, _place(item.place, ahead)) for item in observation.milestones),
    )


def _place(place: Place, ahead: _Ahead) -> Place:
    shift = ahead(place)
    return place if place.seconds is None or not shift else replace(place, seconds=place.seconds - shift)


def _at(item: _Placed, place: Place) -> _Placed:
    """The item at ``place``: most stay where they are, and a watcher asks many times a second."""
    return item if place is item.place else replace(item, place=place)


def _finding(item: Finding, ahead: _Ahead) -> Finding:
    hits = tuple(_at(hit, _place(hit.place, ahead)) for hit in item.hits)
    return replace(item, hits=hits, last=_place(item.last, ahead))


def _launch(item: Launch, ahead: _Ahead) -> Launch:
    return item if item.last_batch is None else replace(item, last_batch=_place(item.last_batch, ahead))
