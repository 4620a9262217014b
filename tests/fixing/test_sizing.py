"""Formulas on logs that go through the real scanner, and on any numbers at all."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from triage.engine import scan_text
from triage.fixing.case import case_of
from triage.fixing.sizing import FORMULAS
from triage.fixing.sizing_numbers import Sized
from triage.knowledge.compiled import Knowledge
from triage.model import Value
from triage.playbook import Case, Missing

START = (
    "[2026-02-01 10:00:00] server_args=ServerArgs(model_path='/models/m', tokenizer_path='/models/m', tp_size=2, dp_size=1, "
    "mem_fraction_static={fraction}, chunked_prefill_size=8192, max_running_requests=None, page_size=1, cuda_graph_max_bs=160)\n"
    "[2026-02-01 10:00:10 TP0] Load weight begin. avail mem=78.58 GB\n"
)
WEIGHTS = "[2026-02-01 10:01:10 TP0] Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem={after} GB, mem usage={taken} GB.\n"
POOL = (
    "[2026-02-01 10:01:11 TP0] KV Cache is allocated. #tokens: 29648, K size: 1.81 GB, V size: 1.81 GB\n"
    "[2026-02-01 10:01:11 TP0] Memory pool end. avail mem=9.40 GB\n"
)
SERVING = (
    "[2026-02-01 10:01:30 TP0] max_total_num_tokens=29648, chunked_prefill_size=8192, max_prefill_tokens=16384, "
    "max_running_requests=2048, context_len=131072, available_gpu_mem=8.00 GB\n"
    "[2026-02-01 10:01:44] The server is fired up and ready to roll!\n"
)
OOM = (
    "{place}torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which "
    "512.00 MiB is free. Including non-PyTorch memory, this process has 78.61 GiB memory in use.\n"
)
END = "[2026-02-01 10:02:00] Received sigquit from a child process. It usually means the child failed.\n"


def case(knowledge: Knowledge, log: str, identifier: str) -> Case:
    """What the log tells of the cause that it must lead to."""
    return case_of(scan_text(log.encode(), knowledge, "server.log"), identifier)


def value(name: str, known: Case) -> float:
    """The value that a formula gives."""
    found = FORMULAS[name](known)
    assert isinstance(found, Sized), found
    return found.value


def test_pool_too_small_at_start(knowledge: Knowledge) -> None:
    """Weights of 66.66 GB under a fraction of 0.7: 1 - (11.92 - 5.96) / 78.58 = 0.924, and nothing lowers it."""
    log = START.format(fraction=0.7) + WEIGHTS.format(after=11.92, taken=66.66)
    log += "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static. Current value: self.server_args.mem_fraction_static=0.7\n"
    known = case(knowledge, log + END, "gpu-oom-kv-pool")
    assert value("mem-fraction-for-kv-pool", known) == 0.92
    assert isinstance(FORMULAS["mem-fraction-for-runtime"](known), Missing)
    assert isinstance(FORMULAS["mem-fraction-for-larger-pool"](known), Missing)


def test_pool_too_small_with_tokens(knowledge: Knowledge) -> None:
    """-40217 tokens for 11.92 - 23.574 = -11.654 GB: 65536 of them are 18.99 GB, more than there is."""
    log = START.format(fraction=0.7).replace("page_size=1", "page_size=1, max_total_tokens=65536")
    log += WEIGHTS.format(after=11.92, taken=66.66)
    log += "[2026-02-01 10:01:11 TP0] max_total_tokens=65536 is larger than the profiled value -40217. Use the profiled value instead.\n"
    log += "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.\n"
    found = FORMULAS["mem-fraction-for-kv-pool"](case(knowledge, log + END, "gpu-oom-kv-pool"))
    assert isinstance(found, Sized)
    assert found.value == 0.95
    assert "65536 tokens of 303.9 KB need a pool of 18.99 GB" in found.sum


def test_serving_ran_out(knowledge: Knowledge) -> None:
    """2 GB asked, 0.5 free: 0.88 - (1.5 + 2) / 78.58 = 0.8355; or a chunk of 2048, which asks for 0.5 GB."""
    log = START.format(fraction=0.88) + WEIGHTS.format(after=24.0, taken=54.58) + POOL + SERVING + OOM.format(place="")
    known = case(knowledge, log + END, "gpu-oom-runtime")
    assert value("mem-fraction-for-runtime", known) == 0.83
    assert value("chunked-prefill-size", known) == 2048
    assert isinstance(FORMULAS["mem-fraction-for-kv-pool"](known), Missing)


def test_capture_ran_out(knowledge: Knowledge) -> None:
    """1.5 GB missing and 1.57 kept: 0.88 - 3.07 / 78.58 = 0.841; no number of graphs makes up for 1536 MB."""
    log = START.format(fraction=0.88) + WEIGHTS.format(after=24.0, taken=54.58) + POOL
    log += (
        "[2026-02-01 10:01:12 TP0] Capture cuda graph begin. This can take up to several minutes. avail mem=9.30 GB\n"
    )
    log += "[2026-02-01 10:01:12 TP0] Capture cuda graph bs [1, 2, 4, 8, 16, 160]\n" + OOM.format(place="")
    known = case(knowledge, log + END, "gpu-oom-runtime")
    assert known.facts["memory.graph_max_bs"] == 160
    assert value("mem-fraction-for-graph-capture", known) == 0.84
    assert isinstance(FORMULAS["cuda-graph-max-bs"](known), Missing)


def test_input_longer_than_the_pool(knowledge: Knowledge) -> None:
    """The context shrinks to the pool, or the pool grows: 3.62 x 2563 / 29648 = 0.31 GB more for the refused request."""
    log = START.format(fraction=0.8) + WEIGHTS.format(after=20.0, taken=58.58) + POOL + SERVING
    log += "[2026-02-01 10:02:00] Input length (32211 tokens) exceeds the maximum allowed length (29642 tokens). Use a shorter input or enable --allow-auto-truncate.\n"
    known = case(knowledge, log, "kv-pool-smaller-than-context")
    assert value("context-length-in-pool", known) == 29440
    assert value("mem-fraction-for-larger-pool", known) == 0.81


def test_heads_do_not_divide(knowledge: Knowledge) -> None:
    """'16 is not divisible by 6' leaves 2 of the divisors of 6."""
    log = START.format(fraction=0.8).replace("tp_size=2", "tp_size=6") + "AssertionError: 16 is not divisible by 6\n"
    assert value("tp-that-divides", case(knowledge, log + END, "tp-not-dividing-heads")) == 2


def test_experts_do_not_divide(knowledge: Knowledge) -> None:
    """160 experts over 6."""
    log = START.format(fraction=0.8).replace("tp_size=2", "tp_size=6, ep_size=6")
    log += "AssertionError: n_physical_experts=160 must be divisible by ep_size=6\n"
    assert value("ep-that-divides", case(knowledge, log + END, "ep-experts-not-divisible")) == 2


FACTS = (
    "memory.available_gb", "memory.after_weights_gb", "memory.weights_gb", "memory.after_pool_gb", "memory.kv_gb", "memory.kv_tokens",
    "memory.after_start_gb", "memory.graph_max_bs", "server.mem_fraction_static", "server.max_total_tokens", "server.context_length",
    "server.tp_size", "server.ep_size", "server.chunked_prefill_size", "server.page_size", "server.max_running_requests",
    "scheduler.max_total_num_tokens", "scheduler.context_len", "scheduler.max_running_requests", "model.num_attention_heads",
    "model.num_experts", "model.weight_block_n", "gpu.count", "gpu.memory_total_mb", "model.weights_gb",
)  # fmt: skip
CAPTURES = (
    "tried",
    "free",
    "total",
    "fraction",
    "least",
    "tokens",
    "dimension",
    "parts",
    "size",
    "block",
    "experts",
    "ep",
)
odd = st.one_of(
    st.floats(),
    st.integers(-(10**6), 10**12),
    st.text(max_size=5),
    st.booleans(),
    st.none(),
    st.sampled_from([0, 1, 8, 0.5, 80]),
)
plausible = st.one_of(st.floats(0, 200), st.integers(1, 300), st.floats(0, 1))


@given(
    st.sampled_from(sorted(FORMULAS)),
    st.dictionaries(st.sampled_from(FACTS), st.one_of(odd, plausible)),
    st.dictionaries(st.sampled_from(CAPTURES), st.one_of(odd, plausible, st.floats(0, 2e11))),
)
def test_any_numbers(name: str, facts: dict[str, Value], captures: dict[str, Value]) -> None:
    """Whatever a log says: an answer or a reason, never an exception; a fraction in its range and in the right direction."""
    found = FORMULAS[name](Case("x", facts, captures))
    if isinstance(found, Missing):
        assert found.reason
        return
    assert found.sum
    assert math.isfinite(found.value)
    if not name.startswith("mem-fraction"):
        assert isinstance(found.value, int)
        assert found.value >= 1
        return
    assert 0.30 <= found.value <= 0.95
    assert found.value == round(found.value, 2)
    current = captures.get("fraction")
    if not isinstance(current, (int, float)) or isinstance(current, bool) or not 0 < current < 1:
        return
    higher = name in ("mem-fraction-for-kv-pool", "mem-fraction-for-larger-pool")
    assert found.value > current if higher else found.value < current


sizes = st.fixed_dictionaries(
    {
        "memory.available_gb": st.floats(5, 200),
        "memory.after_weights_gb": st.floats(0, 200),
        "server.mem_fraction_static": st.floats(0.01, 0.99),
        "memory.kv_tokens": st.integers(1, 500_000),
        "memory.after_start_gb": st.floats(0, 30),
        "scheduler.context_len": st.integers(1000, 200_000),
        "server.max_total_tokens": st.one_of(st.none(), st.integers(1, 10**6)),
        "memory.kv_gb": st.one_of(st.none(), st.floats(0.01, 50)),
    }
)
failures = st.fixed_dictionaries(
    {"tried": st.floats(1, 8 * 2**30), "free": st.floats(0, 2 * 2**30), "tokens": st.integers(-(10**6), 10**6)}
)


@given(st.sampled_from([name for name in sorted(FORMULAS) if name.startswith("mem-fraction")]), sizes, failures)
def test_fractions_go_the_right_way(name: str, facts: dict[str, Value], captures: dict[str, Value]) -> None:
    """A pool that is too small asks for more, an allocation that failed for less, within the range, or there is no answer."""
    found = FORMULAS[name](Case("x", facts, captures))
    if isinstance(found, Missing):
        return
    current = facts["server.mem_fraction_static"]
    assert isinstance(current, float)
    assert 0.30 <= found.value <= 0.95
    assert found.value > current if name.endswith("pool") else found.value < current
