"""GPUs, their memory and shared memory against what the launch needs of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from triage.preflight.container_run import SHARED_MEMORY
from triage.preflight.parallelism import Sizes, sizes_of
from triage.preflight.plan import Derived, Plan

DOCKER_SHM_MB = 64
"""What a container gets unless --shm-size says otherwise."""
SHM_MB_A_RANK = 64
"""NCCL takes some ten megabytes of /dev/shm for each peer of a rank."""
SHM_SIZE = "32g"
"""What the documentation of sglang gives a container; memory that nobody touches costs nothing."""
LEAST_FREE_MB = 1024
"""What graphs, activations and the CUDA contexts need at the very least beside weights and pool."""
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([bkmgtBKMGT]?)[iI]?[bB]?")
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def gpus(plan: Plan) -> Iterator[Derived]:
    """More ranks on this node than GPUs that it shows."""
    sizes = sizes_of(plan)
    if sizes is None or plan.text("server.device") in ("cpu", "npu", "xpu", "hpu", "tpu") or plan.on("server.use_ray"):
        return
    if (sizes.tp * sizes.pp) % sizes.nodes:
        return
    needed = gpus_needed(plan, sizes)
    visible = gpus_visible(plan)
    if needed is None or visible is None:
        yield Derived("launch.ranks_over_gpus", needs=("gpu.count",))
        return
    words = plan.words("env.cuda_visible_devices", "server.tp_size", "server.pp_size", "server.dp_size")
    if plan.command.container is not None and (setting := plan.command.container.last("gpus")):
        words = (*words, *setting.words)
    why = f"{needed} GPUs are needed on this node and {visible} can be seen"
    yield Derived("launch.ranks_over_gpus", max(0, needed - visible), words, why=why)


def gpus_needed(plan: Plan, sizes: Sizes) -> int | None:
    """The number of GPUs that this node must show, counted from 0 as --base-gpu-id and --gpu-id-step say."""
    base, step = plan.whole("server.base_gpu_id", 0), plan.whole("server.gpu_id_step", 1)
    if base is None or step is None or step < 1:
        return None
    ranks = sizes.tp * sizes.pp // sizes.nodes * sizes.replicas
    return base + (ranks - 1) * step + 1


def gpus_visible(plan: Plan) -> int | None:
    """GPUs that the server will see: those of the host, as CUDA_VISIBLE_DEVICES or docker's --gpus narrow them."""
    there = plan.whole("gpu.count")
    chosen: list[int] = [] if there is None else [there]
    variable = plan.get("env.cuda_visible_devices")
    if variable is not None:
        names = [name for name in str(variable).split(",") if name.strip()]
        chosen.append(len(names) if str(variable).strip() != "-1" else 0)
    container = plan.command.container
    setting = container.last("gpus") if container is not None else None
    if setting is not None:
        value = setting.value.strip("\"'")
        if value.isdigit():
            chosen.append(int(value))
        elif value.startswith("device="):
            chosen.append(len([name for name in value.removeprefix("device=").split(",") if name]))
    return min(chosen, default=None)


def container_gpus(plan: Plan) -> Iterator[Derived]:
    """A container that is given no GPU at all."""
    container, sizes = plan.command.container, sizes_of(plan)
    if container is None or sizes is None or plan.text("server.device") not in ("", "cuda"):
        return
    devices = [item.value for item in container.all("device")]
    given = (
        container.last("gpus") is not None
        or container.last("runtime") is not None
        or container.last("privileged") is not None
        or any("nvidia" in value or "kfd" in value or "dri" in value or "davinci" in value for value in devices)
        or plan.get("env.nvidia_visible_devices") is not None
    )
    why = "docker run gives no GPU to the container"
    yield Derived(
        "launch.container_without_gpu", not given, (container.engine, container.run, container.image), why=why
    )


def shared_memory(plan: Plan) -> Iterator[Derived]:
    """Shared memory against what NCCL takes of it for the ranks of this node."""
    sizes = sizes_of(plan)
    if sizes is None or (sizes.tp * sizes.pp) % sizes.nodes:
        return
    ranks = sizes.tp * sizes.pp // sizes.nodes
    if ranks < 2:
        return
    size, container = plan.number("shm.size_mb"), plan.command.container
    words = plan.words("server.tp_size", "server.pp_size")
    if container is not None and any(item.value.startswith(SHARED_MEMORY) for item in container.all("tmpfs")):
        return
    if container is not None and not container.shares_ipc:
        setting = container.last("shm-size")
        size = DOCKER_SHM_MB if setting is None else size_in_mb(setting.value)
        words = (container.engine, container.run, *words) if setting is None else (*setting.words, *words)
    if size is None:
        yield Derived("launch.shm_too_small", needs=("shm.size_mb",))
        return
    why = f"shared memory (/dev/shm) is {size:g} MB for {ranks} ranks"
    yield Derived("launch.shm_too_small", size < SHM_MB_A_RANK * ranks, words, why=why)


def memory(plan: Plan) -> Iterator[Derived]:
    """Each GPU's share of the weights, and the static share of the memory, against what a GPU has."""
    sizes = sizes_of(plan)
    if sizes is None or plan.text("server.device") == "cpu":
        return
    total, share = plan.number("gpu.memory_total_mb"), weights_share_mb(plan, sizes)
    fraction = plan.number("server.mem_fraction_static")
    if total is not None and fraction is not None and total > 0:
        left = (1 - fraction) * total
        why = f"--mem-fraction-static {fraction:g} leaves {left:,.0f} MB of {total:,.0f} for graphs and activations"
        yield Derived(
            "launch.mem_fraction_too_high", left < LEAST_FREE_MB, plan.words("server.mem_fraction_static"), why=why
        )
    if total is None or share is None:
        lacking = [name for name in ("gpu.memory_total_mb", "model.weights_gb") if plan.number(name) is None]
        yield Derived("launch.weights_exceed_memory", needs=tuple(lacking or ("model.weights_gb",)))
        return
    words = plan.words("server.model_path", "server.tp_size")
    why = f"each GPU's share of the weights is {share:,.0f} MB, a GPU has {total:,.0f}"
    yield Derived("launch.weights_exceed_memory", share >= total, words, why=why)
    if fraction is not None and share < total:
        why = f"--mem-fraction-static {fraction:g} is {fraction * total:,.0f} MB, the weights alone take {share:,.0f}"
        words = plan.words("server.mem_fraction_static")
        yield Derived("launch.mem_fraction_too_low", share >= fraction * total, words, why=why)


def weights_share_mb(plan: Plan, sizes: Sizes) -> float | None:
    """MiB of weights on each GPU at the very least; None where it cannot be told from the files (their size is in GiB)."""
    weights, offloaded = plan.number("model.weights_gb"), plan.number("server.cpu_offload_gb", 0)
    if weights is None or offloaded is None:
        return None
    if plan.on("server.quantization") and not plan.get("model.quantization"):
        return None  # they are quantized while they are loaded
    if plan.text("server.load_format") in ("bitsandbytes", "dummy") or plan.get("server.torchao_config"):
        return None
    return max(0.0, weights / (sizes.tp * sizes.pp) - offloaded) * 1024


def size_in_mb(text: str) -> float | None:
    """``32g``, ``64m``, ``1073741824`` as docker reads them, in MiB."""
    found = _SIZE.fullmatch(text.strip())
    return float(found[1]) * _UNITS[found[2].lower()] / (1 << 20) if found else None
