"""Sizes into which this model can be cut."""

from __future__ import annotations

import pytest

from tests.fixing.formula_answers import reason, run, value
from triage.fixing.sizing_numbers import Sized
from triage.model import Value

HEADS: dict[str, Value] = {"server.tp_size": 8, "model.num_attention_heads": 28, "model.num_key_value_heads": 4}
MOE: dict[str, Value] = {
    "server.tp_size": 8, "model.num_attention_heads": 64, "model.num_key_value_heads": 4, "model.num_experts": 128,
    "model.moe_intermediate_size": 1536, "model.weight_block_n": 128,
}  # fmt: skip
BIG: dict[str, Value] = {
    "server.tp_size": 1, "model.num_attention_heads": 64, "model.num_key_value_heads": 8, "model.weights_gb": 140.0,
    "gpu.memory_total_mb": 81559, "gpu.count": 8,
}  # fmt: skip


def test_heads_and_key_value_heads() -> None:
    """28 heads would take 7 and 14, four key/value heads do not."""
    found = run("tp-that-divides", {**HEADS, "gpu.count": 8})
    assert found == Sized(
        4,
        (
            "known: 28 attention heads, 4 key/value heads, 8 GPUs on this node",
            "valid: --tp 1, 2, 4",
            "4 is the next smaller one than 8",
        ),
    )


def test_larger_where_there_are_gpus() -> None:
    """64 heads on 6 ranks: 8 GPUs are there, so 8; where their number is not known, 4."""
    facts: dict[str, Value] = {"server.tp_size": 6, "model.num_attention_heads": 64, "model.num_key_value_heads": 8}
    assert value("tp-that-divides", {**facts, "gpu.count": 8}) == 8
    assert value("tp-that-divides", facts) == 4
    assert value("tp-that-divides", {**facts, "gpu.count": 8, "env.cuda_visible_devices": "0,1,2,3,4,5"}) == 4


def test_quantization_blocks() -> None:
    """1536 channels in 8 pieces are 192, in 4 pieces 384 = 3 x 128; with experts spread over 2 groups, 8 ranks do."""
    assert value("tp-that-divides", MOE) == 4
    assert "the present 8 is among them" in reason("tp-that-divides", {**MOE, "server.ep_size": 2})


def test_numbers_of_the_message() -> None:
    """What a message names counts, for divisors of the present size: others are not known to divide the heads."""
    tp: dict[str, Value] = {"server.tp_size": 8}
    assert value("tp-that-divides", tp, {"dimension": 28, "parts": 8}) == 4
    assert value("tp-that-divides", tp, {"size": 192, "axis": "n", "block": 128}) == 4
    assert value("tp-that-divides", {**tp, "gpu.count": 16}, {"size": 96, "block": 128}) == 2
    # With attention DP the piece is not an eighth of the whole.
    facts: dict[str, Value] = {**tp, "server.enable_dp_attention": True, "server.dp_size": 4}
    assert "the number of attention heads is not known" in reason("tp-that-divides", facts, {"size": 192, "block": 128})


def test_as_many_attention_ranks_as_the_other_side() -> None:
    """The other side's number times the own groups; what is not told, or agrees, gives none."""
    own: dict[str, Value] = {"server.tp_size": 8, "server.disaggregation_mode": "prefill"}
    sides: dict[str, Value] = {"prefill": 8, "decode": 4}
    assert value("tp-of-other-side", own, sides) == 4
    assert value("tp-of-other-side", {**own, "server.tp_size": 4, "server.disaggregation_mode": "decode"}, sides) == 8
    groups: dict[str, Value] = {**own, "server.enable_dp_attention": True, "server.dp_size": 4}
    assert value("tp-of-other-side", groups, {"decode": 4}) == 16
    assert "they agree" in reason("tp-of-other-side", groups, {"decode": 2})
    assert "how many attention ranks decode has" in reason("tp-of-other-side", own, {"prefill": 8})
    assert "which side" in reason("tp-of-other-side", {"server.tp_size": 8}, sides)


def test_fewer_gpus_than_ranks() -> None:
    """Where only GPUs are lacking, a divisor of the present size divides all that it divides."""
    facts: dict[str, Value] = {"server.tp_size": 8, "gpu.count": 6}
    assert value("tp-that-divides", facts, diagnosis="tp-exceeds-visible-gpus") == 4
    assert "attention heads is not known" in reason("tp-that-divides", facts)


def test_attention_dp_follows() -> None:
    """DP attention as wide as --tp leaves the heads whole, so 8 of 28 is fine."""
    facts: dict[str, Value] = {**HEADS, "server.enable_dp_attention": True, "server.dp_size": 8}
    assert "the present 8 is among them" in reason("tp-that-divides", facts)


def test_tp_lacks() -> None:
    """Without the present size, or with sizes that are none."""
    assert "the present --tp" in reason("tp-that-divides", {"model.num_attention_heads": 28})
    assert "no positive numbers" in reason("tp-that-divides", {**HEADS, "server.pp_size": 0})
    assert "no size that these GPUs allow" in reason("tp-that-divides", {**HEADS, "gpu.count": 0})


def test_weights_want_more_gpus() -> None:
    """140 GB: 70 on each of two are 88% of 79.6 GB, 3 do not divide, 35 on each of four are 44%."""
    found = run("tp-for-weights", BIG)
    assert found == Sized(
        4,
        (
            "with --tp 1 each GPU of 79.6 GB holds 140.0 GB of weights, at the least",
            "with --tp 4 it is 35.0 GB, 44% of it: room for a pool is left",
        ),
    )


@pytest.mark.parametrize("gone", ["gpu.memory_total_mb", "model.weights_gb", "gpu.count", "model.num_attention_heads"])
def test_weights_lack(gone: str) -> None:
    """What only a probe can tell is named with the probe."""
    found = reason("tp-for-weights", {name: item for name, item in BIG.items() if name != gone})
    assert "does not tell" in found
    assert "probe " in found


def test_weights_too_large_for_all() -> None:
    """No number of the GPUs that are there is enough."""
    assert "no larger --tp" in reason("tp-for-weights", {**BIG, "gpu.count": 2})


def test_experts() -> None:
    """160 experts on 6 ranks: 1 and 2 divide both, 2 is nearer to 6."""
    tp: dict[str, Value] = {"server.tp_size": 6, "server.ep_size": 6}
    found = run("ep-that-divides", tp, {"experts": 160, "ep": 6})
    expected = ("160 experts on --tp 6: valid are --ep-size 1, 2", "2 is the nearest to the present 6")
    assert found == Sized(2, expected)
    assert value("ep-that-divides", {**tp, "model.num_experts": 160}) == 2
    assert value("ep-that-divides", {**tp, "model.num_experts": 158, "server.ep_num_redundant_experts": 1}) == 3


def test_experts_and_blocks() -> None:
    """With --ep-size 1 or 2 and 8 ranks: 1536 / 8 = 192 cuts a block, 1536 / 4 does not."""
    facts: dict[str, Value] = {**MOE, "model.num_experts": 130, "server.ep_size": 4}
    assert value("ep-that-divides", facts) == 2


def test_experts_refuse() -> None:
    """A backend that sets the size itself, a size that divides, or nothing known."""
    backend: dict[str, Value] = {"server.tp_size": 6, "model.num_experts": 160, "server.moe_a2a_backend": "deepep"}
    assert "always that of --tp" in reason("ep-that-divides", backend)
    assert "is among them" in reason(
        "ep-that-divides", {"server.tp_size": 8, "server.ep_size": 8, "model.num_experts": 160}
    )
    assert "how many experts" in reason("ep-that-divides", {"server.tp_size": 8})
