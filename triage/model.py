"""The nouns that every part shares: frozen values, no behaviour beyond reading themselves, no imports of ours."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import Union

from triage.records import dataclass

Value = Union[str, int, float, bool, None, tuple["Value", ...]]  # noqa: UP007  (a forward name inside)
"""What a capture or a fact may hold once it is typed."""


class Severity(str, Enum):
    """How bad a cause is for the server. ``fatal``: the server cannot start or go on."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for info up to 3 for fatal, so that severities compare."""
        return _SEVERITY_ORDER.index(self)


_SEVERITY_ORDER = (Severity.INFO, Severity.WARNING, Severity.ERROR, Severity.FATAL)


class Role(str, Enum):
    """``root`` can be the answer; ``cascade`` follows from another failure; ``advice`` is worth knowing, never the cause."""

    ROOT = "root"
    CASCADE = "cascade"
    ADVICE = "advice"


class Prevalence(str, Enum):
    """How often the cause is met: it sets the prior."""

    COMMON = "common"
    OCCASIONAL = "occasional"
    RARE = "rare"


class Strength(str, Enum):
    """What one piece of evidence is worth, in the words authors use; the engine maps words to decibans."""

    DECISIVE = "decisive"
    STRONG = "strong"
    SUPPORTS = "supports"
    HINTS = "hints"
    CONTRADICTS = "contradicts"
    RULES_OUT = "rules-out"

    @property
    def is_for(self) -> bool:
        """True when the evidence speaks for the cause."""
        return self not in (Strength.CONTRADICTS, Strength.RULES_OUT)


class Phase(str, Enum):
    """Where in its life the server was when a line was printed."""

    UNKNOWN = "unknown"
    INSTALL = "install"
    LAUNCH = "launch"
    WEIGHTS = "weights"
    MEMORY_POOL = "memory-pool"
    GRAPH_CAPTURE = "graph-capture"
    WARMUP = "warmup"
    SERVING = "serving"
    SHUTDOWN = "shutdown"


class Verdict(str, Enum):
    """How the whole report ends."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"
    HEALTHY = "healthy"


class Context(str, Enum):
    """What kind of record a line belongs to: only ``normal`` lines are surely the software speaking for itself.

    ``suspect``: after a request whose text was printed raw and not closed, so a client may have written the line.
    """

    NORMAL = "normal"
    REQUEST_DUMP = "request-dump"
    CONFIG_DUMP = "config-dump"
    BENIGN = "benign"
    SUSPECT = "suspect"


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file that a person edits: 1-based line and column."""

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


# --- knowledge -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pattern:
    """One regular expression over a line. ``key`` is ``signature/evidence/index`` and unique in the knowledge base.

    ``ignored_imports``: looked for only in lines that tell of an import which was tried and given up.
    """

    key: str
    regex: str
    literal: str
    unless: str | None = None
    captures: tuple[tuple[str, str], ...] = ()
    levels: tuple[str, ...] = ()
    ignored_imports: bool = False


class LogOperator(str, Enum):
    """How the patterns of one log condition combine."""

    ALL = "all"
    ANY = "any"
    AT_LEAST = "at_least"
    SEQUENCE = "sequence"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class LogCondition:
    """Patterns and how they combine.

    ``count`` belongs to at_least (how many different patterns); ``within_seconds``/``within_lines`` and ``by`` to
    sequence; ``observable`` to absent: the pattern that proves that the missing line could have been seen.
    """

    operator: LogOperator
    patterns: tuple[Pattern, ...]
    count: int = 1
    within_seconds: float | None = None
    within_lines: int | None = None
    by: str = "source"
    observable: Pattern | None = None


@dataclass(frozen=True, slots=True)
class FactTest:
    """One structured test of one fact: ``operator`` is eq, ne, lt, gt, le, ge, in, matches, version, divides or exists."""

    name: str
    operator: str
    operand: Value


@dataclass(frozen=True, slots=True)
class Question:
    """What only the operator can know. ``kind``: ``yes-no``, ``choice`` (one of ``choices``) or ``value``."""

    ask: str
    kind: str = "yes-no"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that speaks for or against a cause. Exactly one of ``log`` and ``facts`` decides it; ``phases`` and ``when`` narrow it."""

    id: str
    strength: Strength
    log: LogCondition | None = None
    facts: tuple[FactTest, ...] = ()
    probe: str | None = None
    question: Question | None = None
    phases: tuple[Phase, ...] = ()
    when: tuple[FactTest, ...] = ()
    label: str = ""
    family: str = ""


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Releases of one package in which a cause can occur (PEP 440 specifier), and the release that mends it, if any."""

    package: str
    specifier: str
    fixed_in: str | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who prints what a signature looks for: a path inside the software's distribution, and the releases (PEP 440) that do."""

    source: str
    releases: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """One diagnosable cause and the evidence for it; one YAML file."""

    id: str
    title: str
    component: str
    severity: Severity
    role: Role
    prevalence: Prevalence
    explanation: str
    fix: str
    evidence: tuple[Evidence, ...]
    safety: str = ""
    versions: tuple[VersionRange, ...] = ()
    explains: tuple[str, ...] = ()
    refines: tuple[str, ...] = ()
    confusions: tuple[str, ...] = ()
    playbook: str | None = None
    references: tuple[str, ...] = ()
    provenance: tuple[Provenance, ...] = ()
    examples: tuple[str, ...] = ()
    near_misses: tuple[str, ...] = ()
    area: str = ""
    location: Location = field(default=Location("<memory>"), compare=False)

    def patterns(self) -> tuple[Pattern, ...]:
        """Every log pattern of the signature, observables included, in file order."""
        found: list[Pattern] = []
        for item in self.evidence:
            if item.log is not None:
                found.extend(item.log.patterns)
                if item.log.observable is not None:
                    found.append(item.log.observable)
        return tuple(found)


# --- what was seen ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prefix:
    """What the front of a line says about it.

    ``format`` is a name of matching/prefix.py; ``time`` is the log's own time text; ``seconds`` is that time on a naive
    UTC scale (None when the date is not known); ``end`` is the index in the text where the message begins.
    """

    format: str = ""
    time: str | None = None
    seconds: float | None = None
    rank: str | None = None
    level: str | None = None
    pid: int | None = None
    node: str | None = None
    wrappers: tuple[str, ...] = ()
    end: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands: 1-based line as ``grep -n`` counts, byte offset of the line's first byte."""

    source: str
    line: int
    offset: int
    time: str | None = None
    seconds: float | None = None
    rank: str | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One confirmed match of one pattern on one line. ``block`` is the first line of the traceback or record it stands in."""

    key: str
    place: Place
    text: str
    captures: tuple[tuple[str, Value], ...] = ()
    context: Context = Context.NORMAL
    block: int = 0
    phase: Phase = Phase.UNKNOWN


@dataclass(frozen=True, slots=True)
class Finding:
    """All hits of one pattern in one source: counted, with the first of each rank, a few samples and the last kept."""

    key: str
    source: str
    count: int
    hits: tuple[Hit, ...]
    last: Place
    count_exact: bool = True
    discounted: int = 0

    @property
    def first(self) -> Hit:
        """The earliest hit of the source."""
        return self.hits[0]


@dataclass(frozen=True, slots=True)
class Fact:
    """A typed value about the world and where it comes from (``file:line``, a probe's name, an answer).

    ``source`` is the input that it holds for, empty when it holds for everything; ``node`` the container, pod or host that
    printed it, where one input carries several.
    """

    name: str
    value: Value
    origin: str
    source: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """A line that speaks of an error; ``origin`` is the last source frame above it (``module.py:line in function``), if known."""

    text: str
    place: Place
    block: int
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """One source as it was read. ``notes`` say in plain words what was cut, capped or decoded."""

    path: str
    bytes: int = 0
    lines: int = 0
    decode_errors: int = 0
    truncated: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Launch:
    """One start of a server seen in a log, and what became of it. Lines are 1-based; 0 means not seen.

    ``last_batch`` is the last line that shows a batch of requests at work; ``node`` the container, pod or host that
    started, where one input carries several.
    """

    source: str
    line: int
    ready_line: int = 0
    last_batch: Place | None = None
    command: tuple[str, ...] = ()
    node: str = ""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A step of a server's start, named as in matching/markers.py, where a source first shows it in its last launch."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything matching saw in all sources: what reasoning works on."""

    inputs: tuple[Input, ...] = ()
    findings: tuple[Finding, ...] = ()
    facts: tuple[Fact, ...] = ()
    errors: tuple[ErrorLine, ...] = ()
    error_count: int = 0
    launches: tuple[Launch, ...] = ()
    first_time: str | None = None
    last_time: str | None = None
    ranks: tuple[str, ...] = ()
    limits_hit: tuple[str, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    planned: tuple[tuple[str, Hit], ...] = ()
    """Facts of a launch that has not happened yet, with the words of the command that say so: they count as evidence seen."""


# --- what follows from it --------------------------------------------------------------------------------------------


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
