"""Which sources belong to one server spread over several nodes, and what differs between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from triage.model import Difference, Fact, Observation, Value

_ADDRESS = "server.dist_init_addr"
_NODES = "server.nnodes"
_OWN = frozenset(
    {
        "server.node_rank", "server.host", "server.port", "server.base_gpu_id", "server.random_seed", "server.nccl_port",
        "server.model_path", "server.tokenizer_path", "server.served_model_name", "server.log_level", "server.ready",
    }
)  # fmt: skip
"""Settings in which the nodes of a job may differ; a path may lie elsewhere on each node."""
_COMPARED = ("server.", "driver.", "nccl.", "cudnn.", "gpu.name", "gpu.compute_capability", "model.")


def jobs(observation: Observation) -> list[tuple[str, ...]]:
    """The sources of each job that runs over several nodes: they were told the same address to meet at."""
    nodes = {fact.source: fact.value for fact in observation.facts if fact.name == _NODES}
    meeting: dict[Value, dict[str, None]] = {}
    for fact in observation.facts:
        count = nodes.get(fact.source)
        if fact.name == _ADDRESS and fact.value and isinstance(count, int) and count > 1:
            meeting.setdefault(fact.value, {})[fact.source] = None
    return [tuple(sources) for sources in meeting.values() if len(sources) > 1]


def differences(observation: Observation, members: Sequence[str]) -> Iterator[Difference]:
    """Facts in which the ``members`` of one job differ, by name."""
    stated: dict[str, dict[str, Value]] = {}
    for fact in observation.facts:
        if fact.source in members and _is_shared(fact):
            stated.setdefault(fact.name, {})[fact.source] = fact.value
    for name, values in sorted(stated.items()):
        counts = Counter(map(repr, values.values()))
        if len(counts) < 2:
            continue
        most, number = counts.most_common(1)[0]
        usual = next(value for value in values.values() if repr(value) == most) if number * 2 > len(values) else None
        odd = ((source, value) for source, value in values.items() if usual is None or repr(value) != most)
        yield Difference(name, usual, tuple(odd))


def _is_shared(fact: Fact) -> bool:
    if fact.name in _OWN:
        return False
    return fact.name.startswith(_COMPARED) or fact.name.endswith((".version", ".build", ".cuda"))
