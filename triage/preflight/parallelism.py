"""How many pieces a model is cut into, and whether its dimensions can be cut so."""

from __future__ import annotations

from collections.abc import Iterator

from triage.preflight.command import COMPILER, SERVER
from triage.preflight.plan import Derived, Plan
from triage.records import dataclass, replace

_DP_FOLLOWED_TP = "0.4.7"
"""Before it attention DP took the size of --tp, whatever --dp said."""
_OLD_EXPERT_FLAGS = ("server.enable_ep_moe", "server.enable_deepep_moe")


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of one server: ``attention_dp`` is 1 without attention DP, ``replicas`` is 1 with it."""

    tp: int
    pp: int = 1
    replicas: int = 1
    attention_dp: int = 1
    attention_cp: int = 1
    ep: int = 1
    nodes: int = 1

    def with_tp(self, tp: int) -> Sizes:
        """The same with another --tp: sizes that were equal to it follow."""
        return replace(
            self,
            tp=tp,
            attention_dp=tp if self.attention_dp == self.tp else self.attention_dp,
            ep=tp if self.ep == self.tp else self.ep,
        )


def sizes_of(plan: Plan) -> Sizes | None:
    """The sizes of a server's launch, defaults filled in; None where one is no positive number or it is no server."""
    if plan.command.kind not in (SERVER, COMPILER):
        return None
    names = ("tp_size", "pp_size", "dp_size", "attn_dp_size", "attn_cp_size", "ep_size", "nnodes")
    values = [plan.whole(f"server.{name}", 1) for name in names]
    if any(value is None or value < 1 for value in values):
        return None
    tp, pp, dp, attention_dp, attention_cp, ep, nodes = (value or 1 for value in values)
    if plan.on("server.enable_dp_attention"):
        attention_dp, dp = (tp if plan.older_than(_DP_FOLLOWED_TP) else max(dp, attention_dp)), 1
    backend = plan.text("server.moe_a2a_backend")
    if backend not in ("", "none") or any(plan.on(name) for name in _OLD_EXPERT_FLAGS):
        ep = tp  # these backends set it, whatever --ep says
    return Sizes(tp, pp, dp, attention_dp, attention_cp, ep, nodes)


def heads_remainder(sizes: Sizes, heads: int) -> int:
    """Attention heads left over when every rank has taken its equal share."""
    return heads % max(1, sizes.tp // (sizes.attention_dp * sizes.attention_cp))


def kv_heads_remainder(sizes: Sizes, kv_heads: int) -> int:
    """Key/value heads left over. More ranks than heads is fine where each head is repeated on a whole number of ranks."""
    ranks = max(1, sizes.tp // (sizes.attention_dp * sizes.attention_cp))
    return kv_heads % ranks if kv_heads >= ranks else ranks % kv_heads


def block_remainder(sizes: Sizes, width: int, block: int, *, of_experts: bool) -> int:
    """How far a rank's piece of a layer's width is from whole quantization blocks, in channels; a width that does not
    divide at all counts with its remainder."""
    pieces = max(1, sizes.tp // sizes.ep) if of_experts else sizes.tp
    return width % pieces or (width // pieces) % block


def divisibility(plan: Plan) -> Iterator[Derived]:
    """Heads, experts, quantization blocks, nodes and attention DP against the sizes."""
    sizes = sizes_of(plan)
    if sizes is None:
        return
    yield from _groups(plan, sizes)
    if plan.get("server.json_model_override_args") or plan.text("server.device") == "cpu":
        return  # the model is changed, or its heads are padded
    yield from _heads(plan, sizes)
    yield from _experts(plan, sizes)
    yield from _blocks(plan, sizes)


def _groups(plan: Plan, sizes: Sizes) -> Iterator[Derived]:
    if sizes.nodes > 1:
        left = (sizes.tp * sizes.pp) % sizes.nodes
        why = f"{sizes.tp * sizes.pp} ranks do not divide by {sizes.nodes} nodes"
        yield Derived("launch.nodes_remainder", left, plan.words("server.nnodes", "server.tp_size"), why=why)
    if sizes.attention_dp > 1:
        left = sizes.tp % sizes.attention_dp
        words = plan.words("server.attn_dp_size", "server.dp_size", "server.tp_size")
        yield Derived(
            "launch.dp_attention_remainder", left, words, why=f"--tp {sizes.tp} is no multiple of {sizes.attention_dp}"
        )
    if sizes.ep > 1:
        left = sizes.tp % sizes.ep
        why = f"--tp {sizes.tp} is no multiple of --ep {sizes.ep}"
        yield Derived("launch.ep_remainder", left, plan.words("server.ep_size", "server.tp_size"), why=why)


def _heads(plan: Plan, sizes: Sizes) -> Iterator[Derived]:
    ranks = sizes.tp // (sizes.attention_dp * sizes.attention_cp)
    if ranks <= 1:
        return
    heads, kv_heads = plan.whole("model.num_attention_heads"), plan.whole("model.num_key_value_heads")
    if not heads:
        yield Derived("launch.heads_remainder", needs=("model.num_attention_heads",))
        return
    words = plan.words("server.tp_size", "server.model_path")
    why = f"{heads} attention heads do not divide by {ranks}"
    yield Derived("launch.heads_remainder", heads_remainder(sizes, heads), words, why=why)
    # With as many as there are query heads they are cut alike (or not at all, in latent attention).
    if kv_heads and kv_heads != heads:
        why = f"{kv_heads} key/value heads cannot be spread over {ranks}"
        yield Derived("launch.kv_heads_remainder", kv_heads_remainder(sizes, kv_heads), words, why=why)


def _experts(plan: Plan, sizes: Sizes) -> Iterator[Derived]:
    if sizes.ep <= 1:
        return
    experts, redundant = plan.whole("model.num_experts"), plan.whole("server.ep_num_redundant_experts", 0)
    if not experts or redundant is None:
        yield Derived("launch.experts_remainder", needs=("model.num_experts",))
        return
    physical = experts + redundant
    why = f"{physical} experts do not divide by {sizes.ep}"
    words = plan.words("server.ep_size", "server.ep_num_redundant_experts", "server.tp_size")
    yield Derived("launch.experts_remainder", physical % sizes.ep, words, why=why)


def _blocks(plan: Plan, sizes: Sizes) -> Iterator[Derived]:
    block = plan.whole("model.weight_block_n")
    if sizes.tp <= 1 or not block or block < 2:
        return
    of_experts = bool(plan.whole("model.num_experts"))
    width = plan.whole("model.moe_intermediate_size" if of_experts else "model.intermediate_size")
    if not width:
        yield Derived("launch.quant_block_remainder", needs=("model.intermediate_size",))
        return
    left = block_remainder(sizes, width, block, of_experts=of_experts)
    pieces = max(1, sizes.tp // sizes.ep) if of_experts else sizes.tp
    why = f"{width} channels in {pieces} pieces are no whole blocks of {block}"
    yield Derived("launch.quant_block_remainder", left, plan.words("server.tp_size", "server.ep_size"), why=why)
