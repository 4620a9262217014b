"""Which --mem-fraction-static the numbers of a log imply, upwards or downwards depending on what ran out.

SGLang sizes the KV pool after the weights are loaded (``profile_max_num_token``, later ``_profile_available_bytes``, in
``model_executor/model_runner*.py`` and ``mem_cache/kv_cache_configurator.py``, alike from 0.4.3 to 0.5.23):
pool = after - before * (1 - fraction), where ``before`` is what was free before the weights ("Load weight begin"; the least
of all ranks) and ``after`` what was free behind them ("Load weight end"). So before * (1 - fraction) stays for CUDA graphs
and activations, and the pool exists at all only if the fraction is above 1 - after / before. All sizes here are in GB of
2**30 bytes, as SGLang prints them.
"""

from __future__ import annotations

import math

from triage.fixing.sizing_numbers import GIB, LackingError, Sized, captured, formula, need, number, whole
from triage.fixing.sizing_weights import Weights, card_of, fraction_of, fraction_told, free_before, weights_of
from triage.playbook import Case
from triage.preflight.resources import LEAST_FREE_MB

LOWEST, HIGHEST = 0.30, 0.95
_ROOM_GB = 2.0
"""What graphs and activations of a small launch take beside weights and pool."""
_AMPLE_ROOM_GB = 10.0
"""What SGLang itself keeps free on cards of more than 60 GB when it chooses the fraction."""
_LEAST_POOL_GB = 0.5
_MARGIN_GB, _MARGIN_SHARE = 1.0, 0.02
"""Kept beyond what was missing: an allocator cuts its memory into pieces, and the next request may be larger."""
_TELLING_GB = 0.2
"""The log prints hundredths of a GB: of smaller differences the tokens' size cannot be told."""


@formula
def for_kv_pool(case: Case) -> Sized:
    """HIGHER: the pool could not be made. Needs ``memory.available_gb`` (or ``.weights_gb``) and ``memory.after_weights_gb``;
    or the capture ``least``. With ``server.max_total_tokens`` or ``.context_length`` and a known size of a token: for so many."""
    if number(case, "memory.after_pool_gb", "memory.kv_gb") is not None:
        raise LackingError("the pool was made in this start: a higher --mem-fraction-static is not what it lacks")
    current, weights = fraction_told(case), weights_of(case)
    if weights is None:
        return _between(case, current)
    lines = [
        weights.said,
        f"the pool begins above 1 - {weights.after:.2f} / {weights.before:.2f} = {weights.least:.3f}",
    ]
    lines += [] if current is None else [f"--mem-fraction-static was {current:g}"]
    highest = min(HIGHEST, _down(1 - _ROOM_GB / weights.before))
    if highest < LOWEST or highest <= weights.least or weights.pool(highest) < _LEAST_POOL_GB:
        raise LackingError(
            f"{weights.said}; at {highest:g} the pool would get {max(0.0, weights.pool(highest)):.2f} GB:"
            " no fraction helps, the weights of each GPU must become smaller (larger --tp, quantization)"
        )
    wanted = max(weights.after / 2, weights.after - _AMPLE_ROOM_GB)
    exact, more = _pool_for_tokens(case, weights, current, wanted)
    asked = 1 - (weights.after - more) / weights.before
    chosen = min(highest, max(LOWEST, (_up if exact else _near)(asked)))
    if chosen <= weights.least or weights.pool(chosen) < _LEAST_POOL_GB:
        chosen = min(highest, _up(weights.least + _LEAST_POOL_GB / weights.before))
    lines += exact or ["the log does not tell how many tokens are needed: the pool gets half of what is left, or more"]
    if current is not None and chosen <= current:
        raise LackingError(f"{weights.said}; that asks for {chosen:.2f}, which is not above the present {current:g}")
    lines.append(
        f"1 - ({weights.after:.2f} - {more:.2f}) / {weights.before:.2f} = "
        f"{asked:.3f}, so {chosen:.2f}" + (", the most that leaves room for a start" if asked > highest else "")
    )
    lines.append(
        f"that gives {weights.pool(chosen):.2f} GB to the pool and leaves {weights.room(chosen):.2f} GB to graphs and activations"
    )
    return Sized(chosen, tuple(lines))


@formula
def for_larger_pool(case: Case) -> Sized:
    """HIGHER: the pool was made and holds too few tokens. Needs ``memory.kv_gb``, the tokens it holds, what is free after the
    start, and how many are wanted: the context length if so many fit, else the capture ``tokens``."""
    held = need(number(case, "scheduler.max_total_num_tokens", "memory.kv_tokens"), "how many tokens the KV pool holds")
    size = need(number(case, "memory.kv_gb"), "the size of the KV pool")
    free = need(
        number(case, "memory.after_start_gb", "memory.after_graphs_gb"), "how much GPU memory is free after the start"
    )
    before = need(free_before(case), "how much GPU memory was free before the weights")
    current = need(fraction_of(case), "the --mem-fraction-static in force")
    if held < 1 or size <= 0 or before <= free:
        raise LackingError("cannot be computed: the sizes in the log contradict each other")
    lines = [f"the pool holds {held:.0f} tokens in {size:.2f} GB; {free:.2f} GB are free after the start"]
    asked = [number(case, "scheduler.context_len", "server.context_length"), captured(case, "tokens")]
    wanted = [tokens for tokens in asked if tokens is not None and tokens > held]
    if not wanted:
        raise LackingError("cannot be computed: the log names no number of tokens above what the pool holds")
    for tokens in wanted:
        extra = size * (tokens - held) / held
        chosen = max(LOWEST, _up(current + extra / before))
        if chosen <= HIGHEST and free - (chosen - current) * before >= LEAST_FREE_MB / 1024:
            lines.append(
                f"{tokens:.0f} tokens need {extra:.2f} GB more: {current:g} + {extra:.2f} / {before:.2f}, so {chosen:.2f}"
            )
            lines.append(f"{free - (chosen - current) * before:.2f} GB stay free")
            return Sized(chosen, tuple(lines))
    raise LackingError(
        f"{lines[0]}, and {wanted[-1]:.0f} tokens need {size * (wanted[-1] - held) / held:.2f} GB more:"
        " a smaller KV cache (--kv-cache-dtype fp8_e5m2) or a larger --tp is needed"
    )


@formula
def for_graph_capture(case: Case) -> Sized:
    """LOWER: the capture of graphs ran out. Needs the fraction in force, the capture ``tried`` (and ``free``), and
    ``memory.available_gb`` (or the capture ``total``)."""
    return _lowered(case, again=False)


@formula
def for_runtime(case: Case) -> Sized:
    """LOWER: a batch ran out while serving. As for the capture of graphs; room for one more request of that size is kept,
    since the next batch may find less free."""
    return _lowered(case, again=True)


def _lowered(case: Case, *, again: bool) -> Sized:
    current = need(fraction_of(case), "the --mem-fraction-static in force")
    tried = need(captured(case, "tried"), "how much memory was asked for") / GIB
    free = captured(case, "free")
    before, said = card_of(case)
    missing = max(0.0, tried - (free or 0.0) / GIB)
    margin = max(_MARGIN_GB, _MARGIN_SHARE * before, tried if again else 0.0)
    lines = [
        f"{tried:.2f} GB were asked for and {(free or 0.0) / GIB:.2f} GB were free: {missing:.2f} GB were missing"
        if free is not None
        else f"{tried:.2f} GB were asked for; the log does not tell what was free, so all of it counts as missing",
        f"{margin:.2f} GB are kept beyond that"
        + (", as much again for the next batch" if again and margin == tried else ""),
    ]
    exact = current - (missing + margin) / before
    chosen = min(HIGHEST, _down(exact))
    lines.append(f"{current:g} - ({missing:.2f} + {margin:.2f}) / {before:.2f} = {exact:.3f}, so {chosen:.2f} ({said})")
    weights = weights_of(case)
    if weights is not None and weights.pool(current) <= 0:
        raise LackingError(
            f"{weights.said}; under {current:g} that leaves no KV pool: a lower fraction is the wrong way"
        )
    if chosen < LOWEST or (weights is not None and weights.pool(chosen) < _LEAST_POOL_GB):
        left = "" if weights is None else f" and leave {max(0.0, weights.pool(chosen)):.2f} GB to the KV pool"
        raise LackingError(
            f"{lines[0]}; making room for it would take --mem-fraction-static to {max(0.0, chosen):.2f}{left}:"
            " make the step smaller instead (--chunked-prefill-size, --cuda-graph-max-bs)"
        )
    if weights is not None:
        lines.append(f"the pool keeps {weights.pool(chosen):.2f} GB of {weights.pool(current):.2f} GB")
    return Sized(chosen, tuple(lines))


def _between(case: Case, current: float | None) -> Sized:
    """From the message alone, which says the least fraction and no sizes: the rest is shared in halves."""
    least = need(
        captured(case, "least"), "how much GPU memory is free before and after the weights ('Load weight begin', 'end')"
    )
    chosen = min(HIGHEST, _near((1 + least) / 2))
    if not LOWEST <= least < chosen or (current is not None and chosen <= current):
        raise LackingError(f"the message asks for more than {least:g}: the weights of each GPU must become smaller")
    halves = (
        f"half of what the weights leave goes to the pool: ({least:g} + 1) / 2 = {(1 + least) / 2:.3f}, so {chosen:.2f}"
    )
    return Sized(chosen, (f"the message says that the pool begins above {least:g}", halves))


def _pool_for_tokens(case: Case, weights: Weights, current: float | None, half: float) -> tuple[list[str], float]:
    """(how it was computed, GB for the pool): for the tokens asked for, if their size is known; else nothing and ``half``."""
    limit, context = whole(case, "server.max_total_tokens"), whole(case, "server.context_length")
    tokens, size = limit or context, _token_bytes(case, weights, current)
    if tokens is None or size is None:
        return [], half
    exact = tokens * size / GIB
    lines = [f"{tokens} tokens of {size / 1024:.1f} KB need a pool of {exact:.2f} GB"]
    # The context is what one request may need at most; a limit of the pool is all that it will hold.
    return (
        (lines, exact) if limit or exact >= half else ([*lines, f"half of what is left is more: {half:.2f} GB"], half)
    )


def _token_bytes(case: Case, weights: Weights, current: float | None) -> float | None:
    """From 'the profiled value -N': SGLang divides what it has for the pool, here less than nothing, by a token's size."""
    profiled = case.captures.get("tokens")
    if current is None or isinstance(profiled, bool) or not isinstance(profiled, (int, float)) or profiled >= 0:
        return None
    lacking = -weights.pool(current)
    return lacking * GIB / -profiled if lacking >= _TELLING_GB and math.isfinite(profiled) else None


def _up(value: float) -> float:
    return math.ceil(round(value * 100, 6)) / 100


def _down(value: float) -> float:
    return math.floor(round(value * 100, 6)) / 100


def _near(value: float) -> float:
    return math.floor(value * 100 + 0.5) / 100
