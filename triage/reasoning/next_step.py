"""Which probe would tell the most for its price: expected drop of entropy over the leading causes."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from triage.model import Evidence, NextStep, Strength
from triage.reasoning.candidate import Candidate
from triage.reasoning.probe_costs import COST_S
from triage.reasoning.weights import STRENGTH
from triage.records import replace

_HIT_RATE, _FALSE_RATE = 0.9, 0.1
"""How often a probe shows what it looks for when the cause is present, and when it is not."""
_PROBE_SECONDS, _QUESTION_SECONDS = 1.0, 15.0
"""What a probe takes of which nobody says it, and what a person takes to answer: a question comes first only where it tells
far more."""
_START_SECONDS = 0.2
"""What any probe takes beside its own work: the cheapest are not worth hundreds of times more for a millisecond less."""
_MOST = 3
_MIN_GAIN = 0.01


def next_steps(item: Candidate, field: Sequence[Candidate]) -> tuple[NextStep, ...]:
    """The probes and questions worth their price for ``item``, its rivals and the narrower causes in ``field``, the best
    first: expected bits for each second."""
    return tuple(step for step in _ranked(item, field)[:_MOST] if step.gain_bits >= _MIN_GAIN)


def by_use(item: Candidate, field: Sequence[Candidate]) -> tuple[str, ...]:
    """What ``item`` waits for, the most telling for its price first, and last what no step would tell."""
    order = {step.name: place for place, step in enumerate(_ranked(item, field))}
    return tuple(sorted(item.not_checked, key=lambda name: order.get(name, len(order))))


def _ranked(item: Candidate, field: Sequence[Candidate]) -> list[NextStep]:
    # A narrower cause is no rival, yet whether it is that one is what there is to find out.
    group = [item, *(other for other in field if other.id in item.rivals or item.id in other.signature.refines)]
    weights = [max(other.confidence, 1e-6) for other in group]
    rest = max(0.0, 1.0 - sum(weights))
    found: dict[tuple[str, str], NextStep] = {}
    for index, other in enumerate(group):
        for evidence in other.signature.evidence:
            step = _step(evidence)
            if step is not None and step.name in other.not_checked:
                gain = round(_gain([*weights, rest], index, evidence.strength), 3)
                best = found.get((step.kind, step.name))
                if best is None or gain > best.gain_bits:
                    found[step.kind, step.name] = replace(step, gain_bits=gain)
    return sorted(found.values(), key=lambda step: (-step.gain_bits / (step.cost_s + _START_SECONDS), step.name))


def _step(evidence: Evidence) -> NextStep | None:
    """The way to what an item waits for, its gain still open."""
    if evidence.probe:
        return NextStep("probe", evidence.probe, 0.0, COST_S.get(evidence.probe, _PROBE_SECONDS))
    if evidence.question is None:
        return None
    answers = {"yes-no": "yes or no", "choice": ", ".join(evidence.question.choices)}.get(
        evidence.question.kind, "a value"
    )
    return NextStep("question", evidence.facts[0].name, 0.0, _QUESTION_SECONDS, f"{evidence.question.ask} ({answers})")


def _gain(weights: Sequence[float], index: int, strength: Strength) -> float:
    """Entropy now less its expectation after a probe that speaks for (or against) cause ``index``."""
    total = sum(weights)
    prior = [weight / total for weight in weights]
    factor = 10.0 ** (STRENGTH[strength] / 10.0)
    shown = prior[index] * _HIT_RATE + (1.0 - prior[index]) * _FALSE_RATE if strength.is_for else 0.5
    after = [share * (factor if position == index else 1.0) for position, share in enumerate(prior)]
    without = [
        share * (1.0 - _HIT_RATE if position == index and strength.is_for else 1.0)
        for position, share in enumerate(prior)
    ]
    return max(0.0, _entropy(prior) - shown * _entropy(after) - (1.0 - shown) * _entropy(without))


def _entropy(weights: Sequence[float]) -> float:
    total = sum(weights)
    return -sum(weight / total * log2(weight / total) for weight in weights if weight > 0) if total > 0 else 0.0
