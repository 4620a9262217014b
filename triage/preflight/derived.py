"""Every rule over a planned command: facts ``launch.*`` from its own facts, the host's and the model's. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from triage.model import Value
from triage.preflight import disaggregation, flags, network, parallelism, resources, settings
from triage.preflight.command import PlannedCommand
from triage.preflight.plan import Derived, Plan, Rule, plan_for

RULES: tuple[Rule, ...] = (
    flags.refused_flags,
    parallelism.divisibility,
    resources.gpus,
    resources.container_gpus,
    resources.shared_memory,
    resources.memory,
    settings.deprecated_variables,
    settings.dispatch_tokens,
    settings.context_length,
    settings.model_path,
    settings.kernel_cache,
    disaggregation.transfer_library,
    disaggregation.peer_memory,
    disaggregation.router,
    network.rendezvous,
    network.ports,
    network.interfaces,
    network.proxies,
)


def plans(
    commands: Iterable[PlannedCommand], known: Mapping[str, Value], flags: frozenset[str] = frozenset()
) -> tuple[Plan, ...]:
    """Each command beside the facts of its host and model, and beside the other commands."""
    every = tuple(commands)
    return tuple(plan_for(item, known, tuple(other for other in every if other is not item), flags) for item in every)


def derive(plan: Plan) -> Iterator[Derived]:
    """What the rules find; a fact is stated only when everything that it needs is known."""
    for rule in RULES:
        yield from rule(plan)
