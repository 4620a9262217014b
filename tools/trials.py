"""What a table of weights is judged on: each labelled log, the same without its cause's signature, and healthy logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

from tools.corpus import Case
from tools.weight_table import OVER_CLAIM, Table, in_force
from triage.knowledge.base import KnowledgeBase
from triage.model import Context, Observation, Report, Severity
from triage.reasoning.diagnose import diagnose
from triage.reasoning.evidence import Support, seen_by_source, weigh
from triage.reasoning.weights import SHOWN

_OVER_CLAIM_FACTOR = 5.0
_CLIP = 0.02
"""Nothing is gained by saying more than 98 %: a corpus of some hundred logs cannot tell more."""
_SERIOUS = (Severity.ERROR, Severity.FATAL)


@dataclass(frozen=True, slots=True)
class Trial:
    """A log to be answered. ``kind``: labelled, left-out (its cause's signature is off) or healthy; ``answerable``: a line
    of it speaks for a fair answer, so that silence is a choice; ``depends_on``: the weights that can change the answer."""

    name: str
    group: str
    kind: str
    accepted: frozenset[str]
    answerable: bool
    observation: Observation
    base: KnowledgeBase
    depends_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The first answer: its confidence from 0 to 1 (None: nothing was said), and whether it is a fair one."""

    confidence: float | None
    right: bool

    @property
    def is_over_claim(self) -> bool:
        """Wrong and sure?"""
        return self.confidence is not None and not self.right and self.confidence >= OVER_CLAIM


def trials(cases: Sequence[Case], base: KnowledgeBase) -> list[Trial]:
    """Two for a case whose cause has a signature, one for any other log, in the order of ``cases``."""
    # Examples are only compared with unexplained lines, which costs most of the time and changes no answer.
    bare = KnowledgeBase({key: replace(item, data={**item.data, "examples": []}) for key, item in base.records.items()})
    return [trial for case in cases for trial in _trials_of(case, bare)]


def _trials_of(case: Case, base: KnowledgeBase) -> Iterator[Trial]:
    variants = [("healthy" if case.is_healthy else "labelled", base)]
    if not case.is_healthy and case.causes and case.causes[0] in base:
        variants.append(("left-out", base.without(frozenset({case.causes[0]}))))
    for kind, known in variants:
        applying = _applying(case.observation, known)
        speaking = {
            name
            for name, items in applying.items()
            if any(item.hits and item.evidence.strength.is_for for item in items)
        }
        yield Trial(
            case.name,
            case.group,
            kind,
            case.accepted,
            not case.unknown_is_honest and not speaking.isdisjoint(case.accepted),
            case.observation,
            known,
            _depends_on(case.observation, known, applying),
        )


def _applying(observation: Observation, base: KnowledgeBase) -> dict[str, list[Support]]:
    """The evidence that applies, by signature: it does not depend on what it is worth."""
    views = seen_by_source(observation.findings, observation.facts)
    touched = sorted({finding.key.partition("/")[0] for finding in observation.findings})
    found = {
        name: [item for seen in views.values() for item in weigh(base.get(name).evidence, seen).supports]
        for name in touched
        if name in base
    }
    return {name: items for name, items in found.items() if items}


def _depends_on(
    observation: Observation, base: KnowledgeBase, applying: Mapping[str, Sequence[Support]]
) -> tuple[str, ...]:
    names = {"later-in-chain"} if len(applying) > 1 else set()
    for identifier, supports in applying.items():
        signature = base.get(identifier)
        names |= {signature.prevalence.value} | {item.evidence.strength.value for item in supports}
        names |= {"same-family-cap"} if len(supports) > 1 else set()
        names |= {"outside-versions"} if signature.versions else set()
    if any(hit.context is Context.SUSPECT for finding in observation.findings for hit in finding.hits):
        names |= {"supports", "contradicts"}  # what a line that a client may have written counts at most
    return tuple(sorted(names))


class Judge:
    """Answers every trial under any table, and remembers the answers by the weights that they depend on."""

    def __init__(self, tried: Sequence[Trial]) -> None:
        self.trials = tuple(tried)
        self._known: list[dict[tuple[float, ...], Outcome]] = [{} for _ in self.trials]

    def outcomes(self, table: Table) -> list[Outcome]:
        """One for each trial."""
        with in_force(table):
            return [self._outcome(trial, known, table) for trial, known in zip(self.trials, self._known, strict=True)]

    def losses(self, table: Table) -> list[float]:
        """Nats, one for each trial."""
        return [loss(trial, found) for trial, found in zip(self.trials, self.outcomes(table), strict=True)]

    @staticmethod
    def _outcome(trial: Trial, known: dict[tuple[float, ...], Outcome], table: Table) -> Outcome:
        key = tuple(table[name] for name in trial.depends_on)
        if key not in known:
            known[key] = outcome(trial, diagnose(trial.observation, trial.base))
        return known[key]


def outcome(trial: Trial, report: Report) -> Outcome:
    """The first answer of ``report``; for a healthy log its surest alarm."""
    if trial.kind == "healthy":
        alarms = [item.confidence for item in report.diagnoses if item.severity in _SERIOUS]
        return Outcome(max(alarms, default=None), right=False)
    if not report.diagnoses:
        return Outcome(None, right=False)
    first = report.diagnoses[0]
    return Outcome(first.confidence, first.id in trial.accepted)


def loss(trial: Trial, found: Outcome) -> float:
    """Logarithmic loss of the first answer's confidence, in nats; beyond 0.8 a wrong one costs five times as much.

    Silence is free where nothing speaks for a fair answer. Else it costs what a fair answer at the least shown confidence
    does, so that nothing is gained by hiding one.
    """
    if found.confidence is None:
        return -log(SHOWN) if trial.answerable else 0.0
    sure = min(max(found.confidence, _CLIP), 1.0 - _CLIP)
    if found.right:
        return -log(sure)
    nats = -log(1.0 - sure)
    return nats + (_OVER_CLAIM_FACTOR - 1.0) * max(0.0, nats + log(1.0 - OVER_CLAIM))


def figures(judged: Sequence[tuple[Trial, Outcome]]) -> Mapping[str, float]:
    """Mean loss (nats), Brier score of the answers given, right first answers among labelled logs, honest ones among those
    left out (silent, below 0.5 or fair), and the numbers of over-claims and of false alarms."""
    spoken = [item for trial, item in judged if item.confidence is not None and trial.kind != "healthy"]
    labelled = [item.right for trial, item in judged if trial.kind == "labelled"]
    honest = [item.right or (item.confidence or 0.0) < 0.5 for trial, item in judged if trial.kind == "left-out"]
    return {
        "loss": _mean([loss(trial, item) for trial, item in judged]),
        "brier": _mean([((item.confidence or 0.0) - item.right) ** 2 for item in spoken]),
        "top1": _mean(labelled),
        "honest": _mean(honest),
        "over-claims": sum(item.is_over_claim for _, item in judged),
        "alarms": sum(item.confidence is not None for trial, item in judged if trial.kind == "healthy"),
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))
