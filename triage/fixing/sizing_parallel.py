"""Into how many pieces this model can be cut: the rules of preflight, asked for every size there could be.

What ``triage/preflight`` holds against a planned launch (heads, key/value heads, experts, quantization blocks, nodes, GPUs,
memory) is held here against the launch that a log shows, with what its error message says about the model besides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from triage.fixing.sizing_numbers import LackingError, Sized, captured_whole, formula, need, need_whole, number, whole
from triage.model import Value
from triage.playbook import Case
from triage.preflight.command import parse_command
from triage.preflight.cure_sizes import fitting_sizes
from triage.preflight.parallelism import Sizes, block_remainder, sizes_of
from triage.preflight.plan import Plan, plan_for
from triage.preflight.resources import gpus_visible, weights_share_mb
from triage.records import dataclass, replace

_MOST_TP = 256
_WEIGHTS_SHARE = 0.8
"""Of a GPU's memory: what the weights may take at most, so that a pool and graphs fit beside them."""
_SHOWN = 16


@dataclass(frozen=True, slots=True)
class _Model:
    """A dimension that must divide by the ranks of tensor parallelism, known from the message: ``width`` channels that must
    moreover fall into whole quantization blocks. 0: not known."""

    heads: int = 0
    width: int = 0
    block: int = 0

    def allows(self, sizes: Sizes) -> bool:
        """Does nothing known from the message speak against these sizes?"""
        if self.heads and self.heads % sizes.tp:
            return False
        return not (self.width and block_remainder(sizes, self.width, self.block, of_experts=False))


@formula
def tp_that_divides(case: Case) -> Sized:
    """``--tp`` that divides what is known of the model and that the GPUs suffice for: the next larger one where the number of
    GPUs is known, else the next smaller. Needs ``server.tp_size`` and the heads (``model.num_attention_heads``), or the
    numbers of the error message; where only GPUs are lacking, a divisor of the present one does."""
    plan, asked = _plan(case), _asked(case)
    model = _model(case, asked)
    heads_known = plan.whole("model.num_attention_heads") is not None
    if not heads_known and not model.heads and not model.width and case.diagnosis != "tp-exceeds-visible-gpus":
        raise LackingError(
            "cannot be computed: the number of attention heads is not known (probe the model's directory: model-directory)"
        )
    valid = [
        tp
        for tp in range(1, _largest_tp(plan, asked) + 1)
        if (heads_known or asked.tp % tp == 0) and _fits(case, asked, tp) and model.allows(asked.with_tp(tp))
    ]
    lines = [*_known(plan, model, heads_known), f"valid: --tp {_list(valid)}"]
    if asked.tp in valid:
        raise LackingError(f"{'; '.join(lines)}: the present {asked.tp} is among them")
    if not valid:
        raise LackingError(f"{'; '.join(lines)}: no size that these GPUs allow divides the model")
    larger, smaller = [tp for tp in valid if tp > asked.tp], [tp for tp in valid if tp < asked.tp]
    chosen = larger[0] if larger else smaller[-1]
    lines.append(f"{chosen} is the next {'larger' if larger else 'smaller'} one than {asked.tp}")
    return Sized(chosen, tuple(lines))


@formula
def tp_for_weights(case: Case) -> Sized:
    """The smallest valid ``--tp`` above the present one with which the weights leave room on each GPU. Needs
    ``model.weights_gb``, the GPUs' number and memory, the heads, ``server.tp_size``."""
    plan, asked = _plan(case), _asked(case)
    total = need(number(case, "gpu.memory_total_mb"), "how much memory a GPU has (probe gpu-list)")
    need(number(case, "model.weights_gb"), "the size of the weights (probe model-directory)")
    need_whole(gpus_visible(plan), "how many GPUs there are (probe gpu-list)")
    need_whole(whole(case, "model.num_attention_heads"), "the number of attention heads (probe model-directory)")
    share = need(weights_share_mb(plan, asked), "the size that the weights have once they are loaded")
    lines = [
        f"with --tp {asked.tp} each GPU of {total / 1024:.1f} GB holds {share / 1024:.1f} GB of weights, at the least"
    ]
    for tp in range(asked.tp + 1, _largest_tp(plan, asked) + 1):
        sizes = asked.with_tp(tp)
        share = weights_share_mb(plan, sizes) or math.inf
        if share <= _WEIGHTS_SHARE * total and _fits(case, asked, tp) and _model(case, asked).allows(sizes):
            lines.append(
                f"with --tp {tp} it is {share / 1024:.1f} GB, {share / total:.0%} of it: room for a pool is left"
            )
            return Sized(tp, tuple(lines))
    raise LackingError(f"{lines[0]}; no larger --tp that divides the model leaves room on the GPUs there are")


@formula
def ep_that_divides(case: Case) -> Sized:
    """``--ep-size`` that divides both the experts and ``--tp``, the one nearest to the present. Needs ``server.tp_size`` and the
    experts: those of the message, else ``model.num_experts`` with the redundant ones."""
    asked = _asked(case)
    experts = captured_whole(case, "experts")
    if experts is None:
        logical = need_whole(whole(case, "model.num_experts"), "how many experts the model has (probe model-directory)")
        experts = logical + int(number(case, "server.ep_num_redundant_experts") or 0)
    free = sizes_of(_plan(case, {"server.ep_size": 1}))
    if free is None or free.ep != 1:
        raise LackingError(
            f"with this expert backend the size is always that of --tp, and {experts} experts do not divide by {asked.tp}:"
            " change --tp or --ep-num-redundant-experts"
        )
    present = captured_whole(case, "ep") or asked.ep
    width, block = whole(case, "model.moe_intermediate_size"), whole(case, "model.weight_block_n")
    valid = [
        ep
        for ep in range(1, asked.tp + 1)
        if asked.tp % ep == 0 and experts % ep == 0 and not _cuts_block(Sizes(asked.tp, ep=ep), width, block)
    ]
    lines = [f"{experts} experts on --tp {asked.tp}: valid are --ep-size {_list(valid)}"]
    others = sorted((ep for ep in valid if ep != present), key=lambda ep: (abs(ep - present), ep))
    if present in valid or not others:
        why = f"the present {present} is among them" if present in valid else "none divides all"
        raise LackingError(f"{lines[0]}: {why}")
    lines.append(f"{others[0]} is the nearest to the present {present}")
    return Sized(others[0], tuple(lines))


@formula
def tp_of_other_side(case: Case) -> Sized:
    """``--tp`` with which this server of a prefill/decode pair has as many attention ranks as the other one. Needs
    ``server.disaggregation_mode`` and ``server.tp_size``, and the other side's ranks (capture ``prefill`` or ``decode``)."""
    mode = case.facts.get("server.disaggregation_mode")
    if mode not in ("prefill", "decode"):
        raise LackingError("cannot be computed: which side this server is, is not known")
    other = "decode" if mode == "prefill" else "prefill"
    ranks = need_whole(captured_whole(case, other), f"how many attention ranks {other} has")
    asked = _asked(case)
    groups = asked.attention_dp * asked.attention_cp
    present = asked.tp // groups
    lines = [f"{other} has {ranks} attention ranks, this {mode} server {present}"]
    if ranks == present:
        raise LackingError(f"{lines[0]}: they agree, so something else differs")
    if groups > 1:
        lines.append(
            f"each of {groups} groups of attention DP and CP has so many: {ranks} x {groups} = {ranks * groups}"
        )
    return Sized(ranks * groups, tuple(lines))


def _plan(case: Case, other: dict[str, Value] | None = None) -> Plan:
    """The launch that the log shows, for preflight's rules: all that is known of it are facts, as of a host; ``other``: what
    another command would state."""
    (command,) = parse_command(("python3", "-m", "sglang.launch_server"))
    plan = plan_for(command, case.facts)
    return replace(plan, stated={**plan.stated, **(other or {})})


def _asked(case: Case) -> Sizes:
    need_whole(whole(case, "server.tp_size"), "the present --tp")
    sizes = sizes_of(_plan(case))
    if sizes is None:
        raise LackingError("cannot be computed: the sizes of the launch are no positive numbers")
    return sizes


def _fits(case: Case, asked: Sizes, tp: int) -> bool:
    """Do preflight's rules take ``--tp tp`` as it is?"""
    sizes = asked.with_tp(tp)
    other: dict[str, Value] = {"server.tp_size": tp, "server.ep_size": sizes.ep}
    if asked.attention_dp > 1:
        other |= {"server.dp_size": sizes.attention_dp, "server.attn_dp_size": sizes.attention_dp}
    plan = _plan(case, other)
    meant = sizes_of(plan)
    return meant is not None and fitting_sizes(plan) == meant


def _largest_tp(plan: Plan, asked: Sizes) -> int:
    """As many as the GPUs of all nodes are; the present one where they are not known."""
    visible = gpus_visible(plan)
    if visible is None:
        return min(asked.tp, _MOST_TP)
    return min(_MOST_TP, visible * asked.nodes // (asked.pp * asked.replicas))


def _model(case: Case, asked: Sizes) -> _Model:
    """What the error message tells: a dimension with the number of parts, or a rank's piece with the size of a block."""
    dimension, parts = captured_whole(case, "dimension"), captured_whole(case, "parts")
    piece, block = captured_whole(case, "size"), captured_whole(case, "block") or whole(case, "model.weight_block_n")
    whole_pieces = asked.ep == 1 and asked.attention_dp == 1
    return _Model(
        dimension if dimension and parts == asked.tp else 0,
        piece * asked.tp if piece and block and whole_pieces else 0,
        block or 0,
    )


def _known(plan: Plan, model: _Model, heads_known: bool) -> Iterator[str]:
    names = {
        "model.num_attention_heads": "attention heads", "model.num_key_value_heads": "key/value heads",
        "model.num_experts": "experts", "model.weight_block_n": "channels in a quantization block",
    }  # fmt: skip
    said = [f"{value} {word}" for name, word in names.items() if (value := plan.whole(name)) is not None]
    if model.heads:
        said.append(f"a dimension of {model.heads} (from the message)")
    if model.width:
        said.append(f"a width of {model.width} channels in blocks of {model.block} (from the message)")
    visible = gpus_visible(plan)
    said += [] if visible is None else [f"{visible} GPUs on this node"]
    if said:
        yield f"known: {', '.join(said)}"
    if not heads_known:
        yield "the heads are not known, so only divisors of the present --tp are considered"


def _cuts_block(sizes: Sizes, width: int | None, block: int | None) -> bool:
    return bool(width and block and block_remainder(sizes, width, block, of_experts=True))


def _list(sizes: list[int]) -> str:
    shown = ", ".join(map(str, sizes[:_SHOWN])) + (", ..." if len(sizes) > _SHOWN else "")
    return shown or "(none)"
