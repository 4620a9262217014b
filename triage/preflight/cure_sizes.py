"""Another --tp (and what follows it) that the model, the GPUs and their memory allow."""

from __future__ import annotations

from collections.abc import Iterator

from triage.preflight.parallelism import Sizes, block_remainder, heads_remainder, kv_heads_remainder, sizes_of
from triage.preflight.plan import Plan
from triage.preflight.resources import gpus_needed, gpus_visible, weights_share_mb
from triage.records import replace

_MOST_TP = 1024


def better_sizes(plan: Plan) -> tuple[tuple[str, int], ...] | None:
    """(option's field, value) to set so that the sizes fit; None if none will do."""
    asked, better = sizes_of(plan), fitting_sizes(plan)
    if asked is None or better is None or asked == better:
        return None
    return tuple(_settings(plan, asked, better))


def fitting_sizes(plan: Plan) -> Sizes | None:
    """The sizes asked for if they fit, else those with the nearest --tp that does; None if none does.

    Nearest is the next larger one where the GPUs are known and suffice, since so many were asked for at least; else the
    next smaller one.
    """
    asked = sizes_of(plan)
    if asked is None:
        return None
    return next((sizes for sizes in (asked, *_candidates(plan, asked)) if _fits(plan, sizes)), None)


def _candidates(plan: Plan, asked: Sizes) -> Iterator[Sizes]:
    stated_ep = plan.whole("server.ep_size")
    if stated_ep is not None and stated_ep != asked.tp and asked.ep == stated_ep:
        # An --ep of its own is the smaller change.
        others = (ep for ep in range(1, asked.tp + 1) if asked.tp % ep == 0)
        yield from (replace(asked, ep=ep) for ep in sorted(others, key=lambda ep: (abs(ep - asked.ep), ep)))
    if gpus_visible(plan) is not None:
        yield from (asked.with_tp(tp) for tp in range(asked.tp + 1, _MOST_TP + 1))
    yield from (asked.with_tp(tp) for tp in range(asked.tp - 1, 0, -1))


def _fits(plan: Plan, sizes: Sizes) -> bool:
    """Whatever is known speaks for these sizes."""
    if (
        (sizes.tp * sizes.pp) % sizes.nodes
        or sizes.tp % (sizes.attention_dp * sizes.attention_cp)
        or sizes.tp % sizes.ep
    ):
        return False
    needed, visible = gpus_needed(plan, sizes), gpus_visible(plan)
    if needed is not None and visible is not None and needed > visible:
        return False
    total, share = plan.number("gpu.memory_total_mb"), weights_share_mb(plan, sizes)
    if total is not None and share is not None and share >= total:
        return False
    return not any(_remainders(plan, sizes))


def _remainders(plan: Plan, sizes: Sizes) -> Iterator[int]:
    heads, kv_heads = plan.whole("model.num_attention_heads"), plan.whole("model.num_key_value_heads")
    if heads:
        yield heads_remainder(sizes, heads)
        if kv_heads and kv_heads != heads:
            yield kv_heads_remainder(sizes, kv_heads)
    experts, block = plan.whole("model.num_experts"), plan.whole("model.weight_block_n")
    if experts:
        yield (experts + (plan.whole("server.ep_num_redundant_experts", 0) or 0)) % sizes.ep
    width = plan.whole("model.moe_intermediate_size" if experts else "model.intermediate_size")
    if width and block and block > 1 and sizes.tp > 1:
        yield block_remainder(sizes, width, block, of_experts=bool(experts))


def _settings(plan: Plan, asked: Sizes, sizes: Sizes) -> Iterator[tuple[str, int]]:
    if sizes.tp != asked.tp:
        yield "tp_size", sizes.tp
    if sizes.ep != asked.ep and plan.command.option("ep_size") is not None:
        yield "ep_size", sizes.ep
    if sizes.attention_dp != asked.attention_dp:
        yield from ((field, sizes.attention_dp) for field in ("attn_dp_size", "dp_size") if plan.command.option(field))
