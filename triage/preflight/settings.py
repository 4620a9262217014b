"""Single values of the launch that the server refuses, ignores or warns of."""

from __future__ import annotations

from collections.abc import Iterator

from triage.preflight.command import COMPILER, ROUTER, SERVER
from triage.preflight.plan import Derived, Plan

DISPATCH_TOKENS = "SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK"
MOST_DISPATCH_TOKENS = 1024
"""DeepEP's low-latency kernels keep this number as a marker."""
_RENAMES_BEGAN = "0.5.6"
"""Before it the old names of variables were the only ones."""
_LONGER_CONTEXT = "env.sglang_allow_overwrite_longer_context_len"
_TRUE = ("1", "true", "yes", "on")

RENAMED = {
    "SGLANG_GC_LOG": "SGLANG_LOG_GC",
    "SGLANG_CUTEDSL_MOE_NVFP4_DISPATCH": "SGLANG_MOE_NVFP4_DISPATCH",
    "SGLANG_ENABLE_THINKING": "SGLANG_DEFAULT_THINKING",
    "SGLANG_REASONING_EFFORT": "SGLANG_DSV4_REASONING_EFFORT",
    "SGLANG_USE_JIT_ALL_REDUCE": "SGLANG_OPT_USE_CUSTOM_ALL_REDUCE_V2",
}
"""Variables that sglang copies to a new name with a warning, value unchanged."""
NO_PLAIN_SUCCESSOR = {
    "SGL_DISABLE_TP_MEMORY_INBALANCE_CHECK": "SGLANG_ENABLE_TP_MEMORY_INBALANCE_CHECK says the opposite",
    "SGLANG_DISABLE_TP_MEMORY_INBALANCE_CHECK": "SGLANG_ENABLE_TP_MEMORY_INBALANCE_CHECK says the opposite",
    "SGLANG_QUEUED_TIMEOUT_MS": "SGLANG_REQ_WAITING_TIMEOUT is in seconds",
    "SGLANG_FORWARD_TIMEOUT_MS": "SGLANG_REQ_RUNNING_TIMEOUT is in seconds",
    "SGLANG_SCHEDULER_DECREASE_PREFILL_IDLE": "the flag --enable-prefill-delayer took its place",
    "SGLANG_PREFILL_DELAYER_MAX_DELAY_PASSES": "the flag --prefill-delayer-max-delay-passes took its place",
    "SGLANG_PREFILL_DELAYER_TOKEN_USAGE_LOW_WATERMARK": "the flag --prefill-delayer-token-usage-low-watermark took its place",
    "SGLANG_ENABLE_FLASHINFER_GEMM": "the flag --fp8-gemm-backend took its place",
    "SGLANG_ENABLE_FLASHINFER_FP8_GEMM": "the flag --fp8-gemm-backend took its place",
    "SGLANG_SUPPORT_CUTLASS_BLOCK_FP8": "the flag --fp8-gemm-backend took its place",
    "SGLANG_FLASHINFER_FP4_GEMM_BACKEND": "the flag --fp4-gemm-backend took its place",
}
"""Variables that sglang calls deprecated and whose value cannot simply move to another name."""


def successor(name: str) -> str:
    """The name that a deprecated variable has now; '' if it is not deprecated or its value would have to change."""
    if name in RENAMED:
        return RENAMED[name]
    if name.startswith("SGL_") and name not in NO_PLAIN_SUCCESSOR:
        return "SGLANG_" + name.removeprefix("SGL_")
    return ""


def is_deprecated(name: str) -> bool:
    """Would a recent release warn of it?"""
    return bool(successor(name)) or name in NO_PLAIN_SUCCESSOR


def deprecated_variables(plan: Plan) -> Iterator[Derived]:
    """How many variables of the command have old names."""
    if plan.command.kind == ROUTER or not plan.command.variables or plan.older_than(_RENAMES_BEGAN):
        return
    old = [item for item in plan.command.variables if is_deprecated(item.name)]
    names = ", ".join(item.name for item in old)
    yield Derived(
        "launch.deprecated_variables", len(old), tuple(item.word for item in old), why=f"{names} is deprecated"
    )


def dispatch_tokens(plan: Plan) -> Iterator[Derived]:
    """By how much the tokens per rank of DeepEP's low-latency dispatch are above the limit."""
    name = f"env.{DISPATCH_TOKENS.lower()}"
    tokens, backend = plan.whole(name), plan.text("server.moe_a2a_backend")
    if tokens is None or plan.command.kind == ROUTER:
        return
    used = backend == "deepep" or plan.on("server.enable_deepep_moe")
    over = max(0, tokens - MOST_DISPATCH_TOKENS) if used else 0
    said = "" if name in plan.stated else f"{DISPATCH_TOKENS}={tokens} (from the environment)"
    why = f"at most {MOST_DISPATCH_TOKENS} is accepted"
    yield Derived("launch.dispatch_tokens_over_limit", over, plan.words(name), said, why)


def context_length(plan: Plan) -> Iterator[Derived]:
    """By how many tokens --context-length is above what the model's configuration allows."""
    wanted = plan.whole("server.context_length")
    if wanted is None or plan.get("server.json_model_override_args"):
        return
    most = derived_context(plan)
    if most is None:
        yield Derived("launch.context_over_model", needs=("model.max_position_embeddings",))
        return
    allowed = plan.text(_LONGER_CONTEXT).lower() in _TRUE
    why = f"the model's configuration allows {most}, unless SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN=1 is set"
    over = 0 if allowed else max(0, wanted - most)
    yield Derived("launch.context_over_model", over, plan.words("server.context_length"), why=why)


def derived_context(plan: Plan) -> int | None:
    """The longest context that the server takes without being told twice; None where the model is not known."""
    positions, factor = plan.whole("model.max_position_embeddings"), plan.number("model.rope_scaling_factor", 1)
    return None if not positions or factor is None else int(positions * factor)


def model_path(plan: Plan) -> Iterator[Derived]:
    """The model's folder is not there. A name without a leading slash or dot may be one of the hub's."""
    path, there = plan.text("server.model_path"), plan.get("model.path_exists")
    if plan.command.kind not in (SERVER, COMPILER) or not path.startswith(("/", "./", "../", "~")):
        return
    container = plan.command.container
    if container is not None and not container.on_host(path):
        return  # it may be part of the image
    if not isinstance(there, bool):
        yield Derived("launch.model_path_missing", needs=("model.path_exists",))
        return
    yield Derived(
        "launch.model_path_missing", not there, plan.words("server.model_path"), why=f"there is no folder {path}"
    )


def kernel_cache(plan: Plan) -> Iterator[Derived]:
    """DeepGEMM has compiled nothing yet, and this launch will use it."""
    if plan.command.kind != SERVER or plan.text("env.sglang_enable_jit_deepgemm").lower() in ("0", "false"):
        return
    if not (
        plan.text("server.moe_a2a_backend") == "deepep"
        or plan.on("server.enable_deepep_moe")
        or plan.get("model.weight_block_n")
    ):
        return
    kernels, capability = plan.whole("deepgemm.cached_kernels"), plan.number("gpu.compute_capability")
    if kernels is None or capability is None:
        lacking = [name for name in ("deepgemm.cached_kernels", "gpu.compute_capability") if plan.get(name) is None]
        yield Derived("launch.deepgemm_cache_cold", needs=tuple(lacking))
        return
    # Consumer cards of the same generation (12.x) are not served by it.
    cold = kernels == 0 and 9.0 <= capability < 11.0
    why = "the first start compiles kernels for many minutes"
    yield Derived(
        "launch.deepgemm_cache_cold", cold, plan.words("server.moe_a2a_backend", "server.model_path"), why=why
    )
