"""What a log tells of a GPU's memory around the loading of the weights, in GB of 2**30 bytes."""

from __future__ import annotations

from triage.fixing.sizing_numbers import GIB, LackingError, captured, number
from triage.playbook import Case
from triage.records import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """GB free before and after the weights, and in which words the log says it."""

    before: float
    after: float
    said: str

    @property
    def least(self) -> float:
        """The fraction at which nothing is left for the pool."""
        return 1 - self.after / self.before

    def pool(self, fraction: float) -> float:
        """GB that the pool gets."""
        return self.after - self.before * (1 - fraction)

    def room(self, fraction: float) -> float:
        """GB that stay for graphs and activations."""
        return self.before * (1 - fraction)


def weights_of(case: Case) -> Weights | None:
    """GB free before and after the weights, if the log tells both."""
    before, after = free_before(case), number(case, "memory.after_weights_gb")
    least = captured(case, "least")
    if before is not None and least is not None and least < 1:
        # The message counts what else was loaded meanwhile, such as a draft model.
        after = before * (1 - least)
    if before is None or after is None or not 0 < after < before:
        return None
    return Weights(before, after, f"{before:.2f} GB were free before the weights, {after:.2f} GB after them")


def free_before(case: Case) -> float | None:
    """GB free before the weights; None where the log does not tell, or less than 1."""
    before = number(case, "memory.available_gb")
    after, weights = number(case, "memory.after_weights_gb"), number(case, "memory.weights_gb")
    if before is None and after is not None and weights is not None:
        before = after + weights
    return before if before is not None and before >= 1 else None


def card_of(case: Case) -> tuple[float, str]:
    """(GB that the fraction is a share of, what that is)."""
    before, total = free_before(case), captured(case, "total")
    if before is not None:
        return before, f"{before:.2f} GB were free before the weights"
    total = None if total is None else total / GIB
    megabytes = number(case, "gpu.memory_total_mb")
    total = megabytes / 1024 if total is None and megabytes is not None else total
    if total is None or total < 1:
        raise LackingError("cannot be computed: the log does not tell how much memory the GPU has")
    return total, f"the GPU has {total:.2f} GB"


def fraction_told(case: Case) -> float | None:
    """The fraction that the message or the launch names."""
    told = captured(case, "fraction")
    told = number(case, "server.mem_fraction_static") if told is None else told
    return told if told is not None and 0 < told < 1 else None


def fraction_of(case: Case) -> float | None:
    """As told, else as the pool shows it: what is free behind the pool is before * (1 - fraction)."""
    told, before, left = fraction_told(case), free_before(case), number(case, "memory.after_pool_gb")
    if told is None and before is not None and left is not None and left < before:
        return round(1 - left / before, 3)
    return told
