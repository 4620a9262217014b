"""The formulas that a playbook may name: ``from: compute NAME``. Each gives a value with its sum, or says what it lacks."""

from __future__ import annotations

from collections.abc import Mapping

from triage.fixing import sizing_memory, sizing_parallel, sizing_ports, sizing_steps
from triage.fixing.sizing_numbers import Formula, Sized

__all__ = ["FORMULAS", "Formula", "Sized"]

FORMULAS: Mapping[str, Formula] = {
    "mem-fraction-for-kv-pool": sizing_memory.for_kv_pool,
    "mem-fraction-for-larger-pool": sizing_memory.for_larger_pool,
    "mem-fraction-for-graph-capture": sizing_memory.for_graph_capture,
    "mem-fraction-for-runtime": sizing_memory.for_runtime,
    "cuda-graph-max-bs": sizing_steps.graph_batch,
    "chunked-prefill-size": sizing_steps.prefill_chunk,
    "max-running-requests": sizing_steps.running_requests,
    "context-length-in-pool": sizing_steps.context_in_pool,
    "dispatch-tokens": sizing_steps.dispatch_tokens,
    "deepgemm-cache-count": sizing_steps.deepgemm_kernels,
    "free-port": sizing_ports.free_port,
    "tp-that-divides": sizing_parallel.tp_that_divides,
    "tp-of-other-side": sizing_parallel.tp_of_other_side,
    "tp-for-weights": sizing_parallel.tp_for_weights,
    "ep-that-divides": sizing_parallel.ep_that_divides,
}
