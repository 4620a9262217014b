"""Which probe would tell the most for its price: expected drop of entropy over the leading causes."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from triage.model import NextStep, Strength
from triage.reasoning.candidate import Candidate
from triage.reasoning.weights import STRENGTH

_HIT_RATE, _FALSE_RATE = 0.9, 0.1
"""How often a probe shows what it looks for when the cause is present, and when it is not."""
_COST_SECONDS = 1.0
_MOST = 3
_MIN_GAIN = 0.01


def next_steps(item: Candidate, field: Sequence[Candidate]) -> tuple[NextStep, ...]:
    """The probes worth running for ``item``, its rivals and the narrower causes in ``field``, the best first."""
    # A narrower cause is no rival, yet whether it is that one is what there is to find out.
    group = [item, *(other for other in field if other.id in item.rivals or item.id in other.signature.refines)]
    weights = [max(other.confidence, 1e-6) for other in group]
    rest = max(0.0, 1.0 - sum(weights))
    found: dict[str, float] = {}
    for index, other in enumerate(group):
        for evidence in other.signature.evidence:
            if evidence.probe and evidence.probe in other.not_checked:
                gain = _gain([*weights, rest], index, evidence.strength)
                found[evidence.probe] = max(found.get(evidence.probe, 0.0), gain)
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(
        NextStep("probe", name, round(gain, 3), _COST_SECONDS) for name, gain in ranked[:_MOST] if gain >= _MIN_GAIN
    )


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
