"""Which --mem-fraction-static follows from the numbers of a log: higher, lower, or none at all. The sums were done by hand."""

from __future__ import annotations

import pytest

from tests.fixing.formula_answers import reason, run, value
from triage.fixing.sizing_numbers import Sized
from triage.model import Value
from triage.playbook import Missing

GIB = 1 << 30
WEIGHTS: dict[str, Value] = {
    "memory.available_gb": 78.58, "memory.after_weights_gb": 11.92, "server.mem_fraction_static": 0.7,
}  # fmt: skip
ROOMY: dict[str, Value] = {
    "memory.available_gb": 78.58, "memory.after_weights_gb": 30.0, "server.mem_fraction_static": 0.88,
}  # fmt: skip
FAILED: dict[str, Value] = {"tried": 4.0 * GIB, "free": 1.0 * GIB, "total": 79.11 * GIB}


# --- the pool could not be made --------------------------------------------------------------------------------------


def test_kv_pool_with_its_sum() -> None:
    """Half of the 11.92 GB that the weights leave: 1 - (11.92 - 5.96) / 78.58 = 0.924."""
    found = run("mem-fraction-for-kv-pool", WEIGHTS)
    assert found == Sized(
        0.92,
        (
            "78.58 GB were free before the weights, 11.92 GB after them",
            "the pool begins above 1 - 11.92 / 78.58 = 0.848",
            "--mem-fraction-static was 0.7",
            "the log does not tell how many tokens are needed: the pool gets half of what is left, or more",
            "1 - (11.92 - 5.96) / 78.58 = 0.924, so 0.92",
            "that gives 5.63 GB to the pool and leaves 6.29 GB to graphs and activations",
        ),
    )


def test_kv_pool_of_the_message() -> None:
    """The least value of the message, 0.875 of 17.40 + 121.31 GB, counts a draft model: after = 138.71 x 0.125 = 17.34 GB."""
    facts: dict[str, Value] = {"memory.after_weights_gb": 17.40, "memory.weights_gb": 121.31}
    assert value("mem-fraction-for-kv-pool", facts, {"fraction": 0.82, "least": 0.875}) == 0.94
    # Of the message alone: (1 + 0.875) / 2 = 0.9375.
    assert value("mem-fraction-for-kv-pool", {}, {"fraction": 0.82, "least": 0.875}) == 0.94


def test_kv_pool_keeps_ten_gigabytes_at_most() -> None:
    """Where much is left, 10 GB are ample for graphs: 1 - 10 / 180 = 0.944."""
    facts: dict[str, Value] = {"memory.available_gb": 180.0, "memory.after_weights_gb": 60.0}
    assert value("mem-fraction-for-kv-pool", facts) == 0.94


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        # 4 GB too little are 40000 tokens, so a token has 104.9 KB: 65536 x 4 / 40000 = 6.55 GB, 1 - (12 - 6.55) / 80 = 0.932.
        ({"server.max_total_tokens": 65536}, 0.94),
        # 13.1 GB are more than there is: as much as leaves room for a start.
        ({"server.max_total_tokens": 131072}, 0.95),
        # 16384 tokens are 1.64 GB, less than half of what is left: 1 - 6 / 80 = 0.925.
        ({"server.context_length": 16384}, 0.93),
        # A limit of the pool is all that is wanted: 3.28 GB, 1 - (12 - 3.28) / 80 = 0.891.
        ({"server.max_total_tokens": 32768, "server.context_length": 65536}, 0.90),
    ],
)
def test_kv_pool_for_so_many_tokens(wanted: dict[str, Value], expected: float) -> None:
    """The negative number of profiled tokens tells how large one is."""
    facts: dict[str, Value] = {
        "memory.available_gb": 80.0, "memory.after_weights_gb": 12.0, "server.mem_fraction_static": 0.8, **wanted,
    }  # fmt: skip
    assert value("mem-fraction-for-kv-pool", facts, {"tokens": -40000}) == expected


def test_kv_pool_says_when_not_all_fits() -> None:
    """131072 tokens of 104.9 KB are 13.11 GB, more than the weights leave: the sum says that less is given."""
    facts: dict[str, Value] = {
        "memory.available_gb": 80.0, "memory.after_weights_gb": 12.0, "server.mem_fraction_static": 0.8, "server.max_total_tokens": 131072,
    }  # fmt: skip
    found = run("mem-fraction-for-kv-pool", facts, {"tokens": -40000})
    assert isinstance(found, Sized)
    assert found.sum[-2] == "1 - (12.00 - 13.11) / 80.00 = 1.014, so 0.95, the most that leaves room for a start"


def test_kv_pool_no_fraction_helps() -> None:
    """Weights that leave next to nothing want other GPUs, not another number."""
    assert "no fraction helps" in reason("mem-fraction-for-kv-pool", {**WEIGHTS, "memory.after_weights_gb": 1.5})
    # 24 GB with 2.2 left: 2 of them are for graphs, 0.04 GB would be the pool.
    small: dict[str, Value] = {"memory.available_gb": 24.0, "memory.after_weights_gb": 2.2}
    assert "at 0.91 the pool would get 0.04 GB" in reason("mem-fraction-for-kv-pool", small)


def test_kv_pool_never_downwards() -> None:
    """A pool that was made, or a fraction that is higher already, gets no new value."""
    assert "the pool was made" in reason("mem-fraction-for-kv-pool", {**WEIGHTS, "memory.after_pool_gb": 4.0})
    assert "not above the present 0.93" in reason(
        "mem-fraction-for-kv-pool", {**WEIGHTS, "server.mem_fraction_static": 0.93}
    )
    assert isinstance(run("mem-fraction-for-kv-pool", {}, {"fraction": 0.96, "least": 0.94}), Missing)


@pytest.mark.parametrize("gone", ["memory.available_gb", "memory.after_weights_gb"])
def test_kv_pool_lacks(gone: str) -> None:
    """Without both numbers nothing is guessed."""
    facts = {name: item for name, item in WEIGHTS.items() if name != gone}
    assert reason("mem-fraction-for-kv-pool", facts).startswith("cannot be computed: the log does not tell how much")


def test_kv_pool_contradictory_numbers() -> None:
    """More free after the weights than before: the numbers are of two ranks or of two starts."""
    assert isinstance(run("mem-fraction-for-kv-pool", {**WEIGHTS, "memory.after_weights_gb": 79.0}), Missing)


# --- the pool holds too little ---------------------------------------------------------------------------------------

POOL: dict[str, Value] = {
    "scheduler.max_total_num_tokens": 29648, "scheduler.context_len": 60000, "memory.kv_gb": 3.62, "memory.after_start_gb": 12.0,
    "memory.available_gb": 78.58, "server.mem_fraction_static": 0.8,
}  # fmt: skip


def test_larger_pool_for_the_context() -> None:
    """3.62 x 30352 / 29648 = 3.71 GB more are 0.047 of 78.58 GB."""
    found = run("mem-fraction-for-larger-pool", POOL)
    assert found == Sized(
        0.85,
        (
            "the pool holds 29648 tokens in 3.62 GB; 12.00 GB are free after the start",
            "60000 tokens need 3.71 GB more: 0.8 + 3.71 / 78.58, so 0.85",
            "8.07 GB stay free",
        ),
    )


def test_larger_pool_for_the_request() -> None:
    """131072 tokens would need 12.38 GB; the refused request of 32211 needs 0.31."""
    assert value("mem-fraction-for-larger-pool", {**POOL, "scheduler.context_len": 131072}, {"tokens": 32211}) == 0.81


def test_larger_pool_refuses() -> None:
    """Too little is free, or the pool is large enough."""
    assert "a larger --tp" in reason("mem-fraction-for-larger-pool", {**POOL, "memory.after_start_gb": 3.0})
    assert "no number of tokens" in reason("mem-fraction-for-larger-pool", {**POOL, "scheduler.context_len": 8192})
    assert "the size of the KV pool" in reason("mem-fraction-for-larger-pool", {**POOL, "memory.kv_gb": None})


# --- what is left beside the pool was too little ---------------------------------------------------------------------


def test_graph_capture() -> None:
    """448 MiB asked, 260.88 free: 0.18 GB missing and 2% of 95 kept, 0.88 - 2.08 / 95 = 0.858."""
    captures: dict[str, Value] = {"tried": 448.0 * 2**20, "free": 260.88 * 2**20, "total": 95.0 * GIB}
    found = run("mem-fraction-for-graph-capture", {"server.mem_fraction_static": 0.88}, captures)
    assert found == Sized(
        0.85,
        (
            "0.44 GB were asked for and 0.25 GB were free: 0.18 GB were missing",
            "1.90 GB are kept beyond that",
            "0.88 - (0.18 + 1.90) / 95.00 = 0.858, so 0.85 (the GPU has 95.00 GB)",
        ),
    )


def test_runtime_keeps_room_for_the_next() -> None:
    """3 GB missing and 4 more for the next batch: 0.88 - 7 / 78.58 = 0.791; the pool shrinks from 20.57 to 13.50 GB."""
    found = run("mem-fraction-for-runtime", ROOMY, FAILED)
    assert isinstance(found, Sized)
    assert found.value == 0.79
    assert found.sum[1] == "4.00 GB are kept beyond that, as much again for the next batch"
    assert found.sum[-1] == "the pool keeps 13.50 GB of 20.57 GB"
    # Capture asks once: 0.88 - (3 + 1.57) / 78.58 = 0.822.
    assert value("mem-fraction-for-graph-capture", ROOMY, FAILED) == 0.82


def test_fraction_in_force_is_read_off_the_pool() -> None:
    """Newer releases print None before they choose: 1 - 9.43 / 78.58 = 0.88."""
    facts = {**ROOMY, "server.mem_fraction_static": None, "memory.after_pool_gb": 9.43}
    assert value("mem-fraction-for-runtime", facts, FAILED) == 0.79


def test_nothing_known_to_be_free() -> None:
    """All that was asked for counts as missing: 0.88 - (4 + 1.57) / 78.58 = 0.809."""
    assert value("mem-fraction-for-graph-capture", ROOMY, {"tried": 4.0 * GIB}) == 0.80


@pytest.mark.parametrize("name", ["mem-fraction-for-graph-capture", "mem-fraction-for-runtime"])
def test_lower_refuses(name: str) -> None:
    """No pool would be left; there is none already; a number is lacking; the result would be out of range."""
    assert "make the step smaller" in reason(name, {**ROOMY, "memory.after_weights_gb": 11.0}, FAILED)
    assert "the wrong way" in reason(name, {**ROOMY, "memory.after_weights_gb": 5.0}, FAILED)
    assert "asked for" in reason(name, ROOMY)
    assert "--mem-fraction-static in force" in reason(name, {"memory.available_gb": 78.58}, FAILED)
    bare: dict[str, Value] = {"server.mem_fraction_static": 0.88}
    assert "how much memory the GPU has" in reason(name, bare, {"tried": 1.0 * GIB, "free": 0})
    assert "make the step smaller" in reason(name, {**ROOMY, "server.mem_fraction_static": 0.88}, {"tried": 60.0 * GIB})


def test_memory_of_the_probe() -> None:
    """A probe's megabytes serve where the log has none: 0.88 - (1 + 1.6) / 80 = 0.8475."""
    facts: dict[str, Value] = {"server.mem_fraction_static": 0.88, "gpu.memory_total_mb": 81920}
    assert value("mem-fraction-for-graph-capture", facts, {"tried": 1.5 * GIB, "free": 0.5 * GIB}) == 0.84
