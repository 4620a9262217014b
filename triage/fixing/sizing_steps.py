"""How large one step of the server may be: batches of graphs, chunks of prefill, running requests, contexts, dispatches."""

from __future__ import annotations

import re

from triage.fixing.sizing_numbers import (
    GIB,
    LackingError,
    Sized,
    captured,
    captured_whole,
    formula,
    need,
    need_whole,
    number,
    whole,
)
from triage.model import Value
from triage.playbook import Case
from triage.preflight.settings import DISPATCH_TOKENS, MOST_DISPATCH_TOKENS

_GRAPH_MB_A_REQUEST = 2
"""What SGLang reckons for each request of the largest graph (``server_args.py``, ``arg_groups/memory_hook.py``)."""
_LEAST_CHUNK = 128
_CONTEXT_STEP = 256
_DEFAULT_DISPATCH_TOKENS = 128
_DEEPSEEK_V3_KERNELS = 692
_DEEPSEEK_V3 = re.compile(r"deepseek[-_]?(?:v3|r1)(?![.\d])", re.IGNORECASE)
_GRAPH_SIZES = (
    "server.cuda_graph_max_bs_decode", "server.cuda_graph_config.decode.max_bs", "server.cuda_graph_max_bs", "memory.graph_max_bs",
)  # fmt: skip
_GRAPH_LISTS = ("server.cuda_graph_bs_decode", "server.cuda_graph_config.decode.bs", "server.cuda_graph_bs")


@formula
def graph_batch(case: Case) -> Sized:
    """``--cuda-graph-max-bs``: halved until what SGLang reckons for the graphs shrinks by what was missing. Needs the present
    largest batch of a graph and the captures ``tried`` and ``free``."""
    size = need_whole(_largest_graph(case), "the largest batch that a CUDA graph is made for (--cuda-graph-max-bs)")
    tried, free = _failed(case)
    missing_mb = (tried - free) * 1024
    lines = [f"{tried:.2f} GB were asked for and {free:.2f} GB were free: {missing_mb:.0f} MB were missing"]
    chosen = size // 2
    while chosen >= 1 and (size - chosen) * _GRAPH_MB_A_REQUEST < missing_mb:
        chosen //= 2
    if chosen < 1:
        raise LackingError(
            f"{lines[0]}; graphs for {size} requests take some {size * _GRAPH_MB_A_REQUEST} MB in all:"
            " smaller ones do not make room for it, a lower --mem-fraction-static does"
        )
    saved = (size - chosen) * _GRAPH_MB_A_REQUEST
    lines.append(f"({size} - {chosen}) requests x {_GRAPH_MB_A_REQUEST} MB = {saved} MB, by SGLang's own estimate")
    lines.append(f"larger batches than {chosen} run without a graph")
    return Sized(chosen, tuple(lines))


@formula
def prefill_chunk(case: Case) -> Sized:
    """``--chunked-prefill-size``: halved until a request of the failed one's size per token fits into what was free; a multiple
    of the page size. Needs the present size and the captures ``tried`` and ``free``."""
    page, ranks = whole(case, "server.page_size") or 1, _attention_ranks(case)
    chunk = need_whole(_chunk(case, ranks), "how many tokens a step of prefill has (--chunked-prefill-size)")
    tried, free = _failed(case)
    lines = [f"{tried:.2f} GB were asked for in a step of up to {chunk} tokens, {free:.2f} GB were free"]
    chosen = chunk // 2
    while chosen >= _LEAST_CHUNK and tried * chosen / chunk > free:
        chosen //= 2
    chosen = chosen // page * page
    if chosen < max(_LEAST_CHUNK, page):
        raise LackingError(
            f"{lines[0]}: even {max(_LEAST_CHUNK, page)} tokens would not fit, a lower --mem-fraction-static is needed"
        )
    lines.append(f"{chosen} tokens ask for {tried:.2f} x {chosen} / {chunk} = {tried * chosen / chunk:.2f} GB")
    if ranks > 1:
        # With attention DP SGLang divides the option by the number of ranks before it uses and prints it.
        lines.append(f"the option counts for all {ranks} ranks of attention DP: {ranks} x {chosen} = {ranks * chosen}")
    return Sized(chosen * ranks, tuple(lines))


@formula
def running_requests(case: Case) -> Sized:
    """``--max-running-requests``: as many requests of full length as the pool holds, but not less than half of a limit that
    the operator had set. Needs the pool's tokens and the context length."""
    pool = need_whole(
        whole(case, "scheduler.max_total_num_tokens", "memory.kv_tokens"), "how many tokens the KV pool holds"
    )
    context = need_whole(whole(case, "scheduler.context_len", "server.context_length"), "the context length")
    ranks = _attention_ranks(case)
    present = whole(case, "scheduler.max_running_requests")
    limit = whole(case, "server.max_running_requests")
    sure = max(1, pool // context)
    lines = [f"a pool of {pool} tokens holds {pool / context:.1f} requests of the full {context}"]
    chosen = sure
    if limit is not None and limit // ranks // 2 > sure:
        chosen = limit // ranks // 2
        lines.append(
            f"half of the present {limit // ranks} is more: {chosen} requests have {pool // chosen} tokens each"
        )
    known = [value for value in (present, None if limit is None else limit // ranks) if value is not None]
    if known and chosen >= min(known):
        raise LackingError(f"{lines[0]}, and at most {min(known)} run at once: their number is not what fills the pool")
    if ranks > 1:
        lines.append(f"the option counts for all {ranks} ranks of attention DP: {ranks} x {chosen} = {ranks * chosen}")
    lines.append(f"if requests are shorter than {pool // chosen} tokens, more may run")
    return Sized(chosen * ranks, tuple(lines))


@formula
def context_in_pool(case: Case) -> Sized:
    """``--context-length`` that the pool can hold. Needs the pool's tokens; refuses where the context fits already."""
    pool = need_whole(
        whole(case, "scheduler.max_total_num_tokens", "memory.kv_tokens"), "how many tokens the KV pool holds"
    )
    context = whole(case, "scheduler.context_len", "server.context_length")
    # A request may be as long as the pool less one token (managers/tp_worker.py).
    chosen = (pool - 1) // _CONTEXT_STEP * _CONTEXT_STEP
    if chosen < _CONTEXT_STEP:
        raise LackingError(f"the pool holds {pool} tokens: that is no context at all, it must become larger")
    if context is not None and context <= chosen:
        raise LackingError(f"the context of {context} tokens fits into the pool of {pool}")
    lines = [f"the pool holds {pool} tokens, so a request may have {pool - 1}"]
    lines += [] if context is None else [f"the context length is {context}"]
    lines.append(f"{pool - 1} rounded down to a multiple of {_CONTEXT_STEP} is {chosen}")
    wanted = captured_whole(case, "tokens")
    if wanted is not None and wanted > chosen:
        lines.append(f"the refused request of {wanted} tokens stays too long: only a larger pool takes it")
    return Sized(chosen, tuple(lines))


@formula
def dispatch_tokens(case: Case) -> Sized:
    """``SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK``: a power of two that holds the largest step of a rank, at most 1024.
    Needs how many requests a rank runs (and, in low-latency prefill, the chunk)."""
    stated = whole(case, f"env.{DISPATCH_TOKENS.lower()}")
    present = stated or _DEFAULT_DISPATCH_TOKENS
    lines, needed = _dispatched(case)
    if needed is None:
        if present > MOST_DISPATCH_TOKENS:
            too_many = f"{present} is above {MOST_DISPATCH_TOKENS}, which is the most that DeepEP's kernels take"
            return Sized(MOST_DISPATCH_TOKENS, (too_many,))
        raise LackingError("cannot be computed: the log does not tell how many tokens a rank dispatches in one step")
    if needed > MOST_DISPATCH_TOKENS:
        raise LackingError(
            f"{'; '.join(lines)}: more than the {MOST_DISPATCH_TOKENS} that DeepEP's kernels take, so the step must become"
            " smaller (--deepep-mode auto, --max-running-requests, --cuda-graph-max-bs, --chunked-prefill-size)"
        )
    chosen = max(_DEFAULT_DISPATCH_TOKENS, 1 << (needed - 1).bit_length())
    if chosen <= present <= MOST_DISPATCH_TOKENS:
        raise LackingError(f"{'; '.join(lines)}: the present limit of {present} holds them")
    lines.append(f"{needed} rounded up to a power of two is {chosen}; at most {MOST_DISPATCH_TOKENS} is taken")
    return Sized(chosen, tuple(lines))


@formula
def deepgemm_kernels(case: Case) -> Sized:
    """How many kernels DeepGEMM's cache holds once DeepSeek-V3 is compiled: folders in ``~/.cache/deep_gemm/cache``. For other
    models nothing is known."""
    names = [str(case.facts.get(name, "")) for name in ("server.model_path", "server.served_model_name")]
    same = case.facts.get("model.architecture") == "DeepseekV3ForCausalLM" and whole(case, "model.num_experts") == 256
    if not (same or any(map(_DEEPSEEK_V3.search, names))):
        raise LackingError("how many kernels DeepGEMM compiles is known for DeepSeek-V3 only")
    lines = [f"about {_DEEPSEEK_V3_KERNELS} kernels are compiled for DeepSeek-V3, in ~/.cache/deep_gemm/cache"]
    there = number(case, "deepgemm.cached_kernels")
    lines += [] if there is None else [f"{there:.0f} are there"]
    return Sized(_DEEPSEEK_V3_KERNELS, tuple(lines))


def _dispatched(case: Case) -> tuple[list[str], int | None]:
    """(how it is reckoned, tokens of a rank's largest low-latency step)."""
    if (
        case.facts.get("server.deepep_mode") == "low_latency"
        and case.facts.get("server.disaggregation_mode") != "decode"
    ):
        chunk = _chunk(case, _attention_ranks(case))
        if chunk is not None:
            return [f"prefill goes through the low-latency dispatch too, up to {chunk} tokens a step"], chunk
    running, graph = whole(case, "scheduler.max_running_requests"), _largest_graph(case)
    limit = whole(case, "server.max_running_requests")
    if running is None and limit is not None:
        running = max(1, limit // _attention_ranks(case))
    if running is None:
        return [], None
    drafts = whole(case, "server.speculative_num_draft_tokens") if case.facts.get("server.speculative_algorithm") else 1
    if drafts is None:
        return [], None
    # A batch is padded to the size of the next larger graph.
    requests = max(running, graph or 0)
    said = f"a rank runs up to {running} requests" + (f", graphs are made for {graph}" if graph else "")
    return [said + (f", with {drafts} draft tokens each" if drafts > 1 else "")], requests * drafts


def _failed(case: Case) -> tuple[float, float]:
    """GB that were asked for and that were free; less was free than asked for."""
    tried = need(captured(case, "tried"), "how much memory was asked for") / GIB
    free = need(captured(case, "free"), "how much memory was free when the allocation failed") / GIB
    if free >= tried:
        raise LackingError(f"{free:.2f} GB were free and {tried:.2f} GB asked for: it is not the size of the step")
    return tried, free


def _chunk(case: Case, ranks: int) -> int | None:
    """Tokens of a rank's largest prefill step; the scheduler says it, or the option where it counts for one rank only."""
    # Releases differ in whether they print the option before or after it was divided among the ranks.
    options = () if ranks > 1 else ("server.chunked_prefill_size",)
    chunk = whole(case, "scheduler.chunked_prefill_size", *options)
    if chunk is None and _is_off(case.facts.get("server.chunked_prefill_size")):
        chunk = whole(case, "scheduler.max_prefill_tokens", "server.max_prefill_tokens")
    return chunk


def _largest_graph(case: Case) -> int | None:
    stated = whole(case, *_GRAPH_SIZES)
    if stated is not None:
        return stated
    for name in _GRAPH_LISTS:
        sizes = case.facts.get(name)
        if isinstance(sizes, tuple):
            return max((size for size in sizes if isinstance(size, int) and size > 0), default=None)
    return None


def _attention_ranks(case: Case) -> int:
    """The ranks of attention DP among which SGLang shares out options that count for the whole server; 1 without it."""
    if case.facts.get("server.enable_dp_attention") is not True:
        return 1
    return whole(case, "server.attn_dp_size", "server.dp_size") or 1


def _is_off(value: Value) -> bool:
    return isinstance(value, int) and value <= 0
