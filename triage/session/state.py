"""What one triage holds: what was seen and said, what was done about it and when. Frozen values; nothing that follows from them."""

from __future__ import annotations

from triage.model import Fact, Observation
from triage.probing.snapshot import Snapshot
from triage.records import dataclass


@dataclass(frozen=True, slots=True)
class Move:
    """How far something new moved a diagnosis: probabilities, None where it was not (or is not any more) in the list."""

    id: str
    title: str
    before: float | None
    after: float | None

    @property
    def change(self) -> float:
        """What the probability gained; negative if it fell."""
        return (self.after or 0.0) - (self.before or 0.0)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that the operator did. ``time``: ISO, UTC, whole seconds; ``kind``: answer, skip, host, probe, fix or note."""

    time: str
    kind: str
    text: str
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckNote:
    """A check that decided whether a fix worked. ``holds``: None where it could not be told."""

    check: str
    holds: bool | None
    proof: str


@dataclass(frozen=True, slots=True)
class RunNote:
    """One run of a playbook. ``outcomes``: (step, what became of it) in order; ``again``: how sure the diagnosis is since then,
    in words, empty where the host changes nothing of it."""

    time: str
    run: str
    diagnosis: str
    playbook: str
    verdict: str
    outcomes: tuple[tuple[str, str], ...] = ()
    checks: tuple[CheckNote, ...] = ()
    again: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an installed package prints the error line at ``source``:``line``."""

    source: str
    line: int
    origin: str


@dataclass(frozen=True, slots=True)
class State:
    """All that a session knows. ``observation``: what the logs showed; ``without``: signatures left out; ``packs``: folders of
    further knowledge; ``host``: what a host said; ``is_recorded_host``: it was recorded elsewhere and is complete, so that this
    host must not be mixed in; ``skipped``: questions by the fact that their answer would state."""

    observation: Observation
    begun: str = ""
    without: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    host: Snapshot | None = None
    is_recorded_host: bool = False
    answers: tuple[Fact, ...] = ()
    skipped: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()
    runs: tuple[RunNote, ...] = ()
    actions: tuple[Action, ...] = ()
