"""The nouns of what follows: diagnoses, and the report that holds them."""

from __future__ import annotations

from triage.model.observation import Observation, Place
from triage.model.vocabulary import Phase, Role, Severity, Strength, Value, Verdict
from triage.records import dataclass


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of the account for or against a diagnosis. ``decibans`` is what it counted after the family cap."""

    evidence: str
    strength: Strength
    decibans: float
    count: int = 0
    count_exact: bool = True
    place: Place | None = None
    text: str = ""
    phase: Phase = Phase.UNKNOWN
    captures: tuple[tuple[str, Value], ...] = ()
    origin: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class NextStep:
    """A probe or question that would tell more. ``gain_bits``: expected drop of entropy; ``cost_s``: seconds it takes;
    ``name``: the probe, or the fact that the answer states; ``ask``: a question in words, with what may be answered."""

    kind: str
    name: str
    gain_bits: float
    cost_s: float
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A signature held against the evidence. ``confidence`` is a probability, ``decibans`` the log-odds before competition."""

    id: str
    title: str
    severity: Severity
    role: Role
    confidence: float
    decibans: float
    phase: Phase
    rank: str | None
    ledger: tuple[LedgerEntry, ...]
    fix: str = ""
    playbook: str | None = None
    explains: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    next: tuple[NextStep, ...] = ()
    recovered: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A signature that was considered and not shown, with the reason: what ``why-not`` answers from."""

    id: str
    reason: str
    decibans: float
    ledger: tuple[LedgerEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Nearest:
    """A signature whose example resembles an unexplained line. ``score`` is 0 to 1."""

    id: str
    score: float


@dataclass(frozen=True, slots=True)
class Unexplained:
    """An error line that no signature accounts for."""

    text: str
    place: Place
    origin: str = ""
    nearest: tuple[Nearest, ...] = ()


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """How a probe ended: ok, not-applicable, unavailable, timed-out, unparsable or not-run."""

    name: str
    outcome: str
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How far the clock of ``source`` is ahead of that of ``reference``, a source of the same job: ``seconds``, estimated
    from ``points`` steps that all nodes reach together and that disagree by at most ``spread`` seconds."""

    source: str
    reference: str
    seconds: float
    spread: float
    points: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that should be the same on every node of a job and is not. ``odd``: source and value of the few; ``usual``:
    the value of the most (None when no value has a majority)."""

    fact: str
    usual: Value | None
    odd: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The answer: what every output format renders. ``diagnoses`` are in rank order, roots first."""

    verdict: Verdict
    observation: Observation
    diagnoses: tuple[Diagnosis, ...] = ()
    recovered: tuple[Diagnosis, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    unexplained: tuple[Unexplained, ...] = ()
    unexplained_count: int = 0
    probes: tuple[ProbeResult, ...] = ()
    limits_hit: tuple[str, ...] = ()
    tool_version: str = ""
    clock_offsets: tuple[ClockOffset, ...] = ()
    differences: tuple[Difference, ...] = ()
