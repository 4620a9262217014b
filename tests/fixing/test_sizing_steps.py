"""How large a step of the server may be, by the numbers of a log. The sums were done by hand."""

from __future__ import annotations

import pytest

from tests.fixing.formula_answers import reason, run, value
from triage.fixing.sizing_numbers import Sized
from triage.model import Value

MIB, GIB = 1 << 20, 1 << 30
CAPTURE: dict[str, Value] = {"tried": 448.0 * MIB, "free": 260.88 * MIB}
PREFILL: dict[str, Value] = {"tried": 4.0 * GIB, "free": 1.2 * GIB}
DISPATCH = "env.sglang_deepep_num_max_dispatch_tokens_per_rank"


def test_graph_batch_is_halved_until_it_fits() -> None:
    """187 MB are missing: 80 fewer requests are 160 MB, 120 fewer 240."""
    found = run("cuda-graph-max-bs", {"server.cuda_graph_max_bs": 160}, CAPTURE)
    assert found == Sized(
        40,
        (
            "0.44 GB were asked for and 0.25 GB were free: 187 MB were missing",
            "(160 - 40) requests x 2 MB = 240 MB, by SGLang's own estimate",
            "larger batches than 40 run without a graph",
        ),
    )


@pytest.mark.parametrize(
    "facts",
    [
        {"server.cuda_graph_config.decode.max_bs": 160},
        {"server.cuda_graph_max_bs_decode": 160, "server.cuda_graph_max_bs": None},
        {"memory.graph_max_bs": 160, "server.cuda_graph_max_bs": None},
        {"server.cuda_graph_bs": (1, 2, 160, 8)},
    ],
)
def test_graph_batch_of_each_release(facts: dict[str, Value]) -> None:
    """Wherever a release says how large the largest graph is."""
    assert value("cuda-graph-max-bs", facts, CAPTURE) == 40


def test_graph_batch_refuses() -> None:
    """Graphs that are smaller in all than what is missing; nothing known; enough free."""
    assert "a lower --mem-fraction-static does" in reason("cuda-graph-max-bs", {"server.cuda_graph_max_bs": 8}, CAPTURE)
    assert "the largest batch" in reason("cuda-graph-max-bs", {}, CAPTURE)
    assert "how much memory was free" in reason(
        "cuda-graph-max-bs", {"server.cuda_graph_max_bs": 160}, {"tried": 1.0 * GIB}
    )
    enough: dict[str, Value] = {"tried": 1.0 * GIB, "free": 2.0 * GIB}
    assert "not the size of the step" in reason("cuda-graph-max-bs", {"server.cuda_graph_max_bs": 160}, enough)


def test_prefill_chunk_is_halved_until_it_fits() -> None:
    """4 GB for 8192 tokens: 4096 would ask for 2 GB, 2048 for 1.00 of the 1.20 that are free."""
    found = run("chunked-prefill-size", {"server.chunked_prefill_size": 8192}, PREFILL)
    assert found == Sized(
        2048,
        (
            "4.00 GB were asked for in a step of up to 8192 tokens, 1.20 GB were free",
            "2048 tokens ask for 4.00 x 2048 / 8192 = 1.00 GB",
        ),
    )


def test_prefill_chunk_counts_for_all_ranks() -> None:
    """With attention DP the option is divided by the ranks; what the scheduler prints is one rank's."""
    facts: dict[str, Value] = {
        "scheduler.chunked_prefill_size": 4096,
        "server.enable_dp_attention": True,
        "server.dp_size": 8,
    }
    assert value("chunked-prefill-size", facts, PREFILL) == 8 * 1024
    # The option alone may be printed before or after the division.
    del facts["scheduler.chunked_prefill_size"]
    assert "how many tokens" in reason("chunked-prefill-size", {**facts, "server.chunked_prefill_size": 32768}, PREFILL)


def test_prefill_chunk_is_whole_pages() -> None:
    """6000 / 4 = 1500, of which 1472 are whole pages of 64; a page larger than what fits is refused."""
    assert value("chunked-prefill-size", {"server.chunked_prefill_size": 6000, "server.page_size": 64}, PREFILL) == 1472
    pages: dict[str, Value] = {"server.chunked_prefill_size": 8192, "server.page_size": 4096}
    assert "even 4096 tokens" in reason("chunked-prefill-size", pages, PREFILL)


def test_prefill_chunk_switched_off() -> None:
    """With -1 a step has as many tokens as a prefill may have."""
    facts: dict[str, Value] = {"server.chunked_prefill_size": -1, "scheduler.max_prefill_tokens": 16384}
    assert value("chunked-prefill-size", facts, PREFILL) == 4096


def test_prefill_chunk_refuses() -> None:
    """Not even the smallest chunk fits, or nothing is known."""
    tight: dict[str, Value] = {"tried": 4.0 * GIB, "free": 1.0 * MIB}
    assert "a lower --mem-fraction-static" in reason(
        "chunked-prefill-size", {"server.chunked_prefill_size": 8192}, tight
    )
    assert "how many tokens" in reason("chunked-prefill-size", {}, PREFILL)


REQUESTS: dict[str, Value] = {"scheduler.max_total_num_tokens": 390113, "scheduler.context_len": 16384}


def test_running_requests_of_full_length() -> None:
    """390113 / 16384 = 23.8."""
    found = run("max-running-requests", {**REQUESTS, "scheduler.max_running_requests": 2048})
    assert found == Sized(
        23,
        (
            "a pool of 390113 tokens holds 23.8 requests of the full 16384",
            "if requests are shorter than 16961 tokens, more may run",
        ),
    )


def test_running_requests_halve_what_was_set() -> None:
    """Half of a limit that somebody chose, if full length would be fewer: 256 / 2; for 4 ranks as many each."""
    assert value("max-running-requests", {**REQUESTS, "server.max_running_requests": 256}) == 128
    ranks: dict[str, Value] = {"server.enable_dp_attention": True, "server.dp_size": 4}
    assert value("max-running-requests", {**REQUESTS, **ranks, "server.max_running_requests": 256}) == 4 * 32
    assert value("max-running-requests", {**REQUESTS, **ranks}) == 4 * 23


def test_running_requests_refuse() -> None:
    """So few run already; or a number is lacking."""
    assert "at most 16 run at once" in reason("max-running-requests", {**REQUESTS, "server.max_running_requests": 16})
    assert "the context length" in reason("max-running-requests", {"memory.kv_tokens": 390113})
    assert "how many tokens" in reason("max-running-requests", {"scheduler.context_len": 16384})


def test_context_in_pool() -> None:
    """29647 tokens are 115 times 256 and some."""
    facts: dict[str, Value] = {"scheduler.max_total_num_tokens": 29648, "scheduler.context_len": 131072}
    found = run("context-length-in-pool", facts, {"tokens": 32211, "limit": 29642})
    assert isinstance(found, Sized)
    assert found.value == 29440
    assert found.sum[-1] == "the refused request of 32211 tokens stays too long: only a larger pool takes it"


def test_context_in_pool_refuses() -> None:
    """A context that fits is not made longer, and a tiny pool holds none."""
    assert "fits into the pool" in reason(
        "context-length-in-pool", {"memory.kv_tokens": 29648, "server.context_length": 8192}
    )
    assert "no context at all" in reason("context-length-in-pool", {"memory.kv_tokens": 100})
    assert "how many tokens" in reason("context-length-in-pool", {})


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"scheduler.max_running_requests": 200, "server.cuda_graph_max_bs": 256}, 256),
        ({"scheduler.max_running_requests": 300}, 512),
        ({"server.max_running_requests": 1600, "server.enable_dp_attention": True, "server.dp_size": 8}, 256),
        ({"scheduler.max_running_requests": 200, "server.speculative_algorithm": "EAGLE", "server.speculative_num_draft_tokens": 4}, 1024),
        ({"server.deepep_mode": "low_latency", "scheduler.chunked_prefill_size": 1000}, 1024),
        ({DISPATCH: 2048}, 1024),
        ({DISPATCH: 2048, "scheduler.max_running_requests": 100}, 128),
    ],
)  # fmt: skip
def test_dispatch_tokens(facts: dict[str, Value], expected: int) -> None:
    """A power of two that holds the largest step of a rank, at most 1024."""
    assert value("dispatch-tokens", facts) == expected


def test_dispatch_tokens_refuse() -> None:
    """More than the kernels take, enough already, or nothing known."""
    assert "more than the 1024" in reason("dispatch-tokens", {"scheduler.max_running_requests": 2048})
    assert "the present limit of 512" in reason(
        "dispatch-tokens", {"scheduler.max_running_requests": 300, DISPATCH: 512}
    )
    assert "how many tokens a rank dispatches" in reason("dispatch-tokens", {})
    drafts: dict[str, Value] = {"scheduler.max_running_requests": 200, "server.speculative_algorithm": "EAGLE"}
    assert "how many tokens a rank dispatches" in reason("dispatch-tokens", drafts)


@pytest.mark.parametrize(
    ("facts", "known"),
    [
        ({"server.model_path": "deepseek-ai/DeepSeek-V3-0324"}, True),
        ({"server.model_path": "/models/deepseek_r1"}, True),
        ({"model.architecture": "DeepseekV3ForCausalLM", "model.num_experts": 256}, True),
        ({"model.architecture": "DeepseekV3ForCausalLM", "model.num_experts": 384}, False),
        ({"server.model_path": "deepseek-ai/DeepSeek-V3.2"}, False),
        ({}, False),
    ],
)
def test_deepgemm_cache_count(facts: dict[str, Value], known: bool) -> None:
    """Known for DeepSeek-V3 and R1 only, whose shapes are the same."""
    found = run("deepgemm-cache-count", {**facts, "deepgemm.cached_kernels": 12})
    assert isinstance(found, Sized) == known
    if isinstance(found, Sized):
        assert (found.value, found.sum[-1]) == (692, "12 are there")
