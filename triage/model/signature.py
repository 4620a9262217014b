"""The nouns of knowledge: what a signature file says."""

from __future__ import annotations

from enum import Enum

from triage.model.vocabulary import Location, Phase, Prevalence, Role, Severity, Strength, Value
from triage.records import dataclass, field


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
