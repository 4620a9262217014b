"""Prefill/decode disaggregation: the transfer library, the kernel module it needs, and the router in front."""

from __future__ import annotations

from collections.abc import Iterator

from triage.preflight.command import ROUTER, SERVER
from triage.preflight.plan import Derived, Plan

_WHEELS = {
    "mooncake": ("mooncake-transfer-engine", "mooncake-transfer-engine-cuda13", "mooncake-transfer-engine-non-cuda"),
    "nixl": ("nixl", "nixl-cu12", "nixl-cu13"),
}
"""The wheels that provide each transfer library, the usual one first."""


def transfer_library(plan: Plan) -> Iterator[Derived]:
    """The name of the transfer library that is not installed, '' if it is."""
    backend = transfer_backend(plan)
    if backend not in _WHEELS:
        return
    installed = [plan.get(f"{wheel}.installed") for wheel in _WHEELS[backend]]
    words = plan.words("server.disaggregation_transfer_backend", "server.disaggregation_mode")
    if True in installed:
        yield Derived("launch.pd_without_transfer_backend_package", "", words)
    elif installed[0] is False:
        why = f"{_WHEELS[backend][0]} is not installed"
        yield Derived("launch.pd_without_transfer_backend_package", backend, words, why=why)
    else:
        yield Derived("launch.pd_without_transfer_backend_package", needs=(f"{_WHEELS[backend][0]}.installed",))


def transfer_backend(plan: Plan) -> str:
    """``mooncake``, ``nixl``, ... of a prefill or decode server, '' of any other command."""
    if plan.command.kind != SERVER or plan.text("server.disaggregation_mode") not in ("prefill", "decode"):
        return ""
    return plan.text("server.disaggregation_transfer_backend") or "mooncake"


def peer_memory(plan: Plan) -> Iterator[Derived]:
    """Mooncake over RDMA without the kernel module that lets a NIC read GPU memory."""
    if transfer_backend(plan) != "mooncake":
        return
    loaded, devices = plan.get("kernel.module.nvidia_peermem"), plan.whole("rdma.device_count")
    # With its own memory pool it goes over NVLink, and dma-buf needs no module.
    spared = plan.on("env.sglang_mooncake_custom_mem_pool") or plan.text("env.with_nvidia_peermem") in ("0", "false")
    if not isinstance(loaded, bool) or devices is None:
        lacking = [name for name in ("kernel.module.nvidia_peermem", "rdma.device_count") if plan.get(name) is None]
        yield Derived("launch.pd_without_peermem", needs=tuple(lacking))
        return
    why = "the kernel module nvidia_peermem is not loaded, so no NIC can read GPU memory"
    words = plan.words("server.disaggregation_transfer_backend", "server.disaggregation_mode")
    yield Derived("launch.pd_without_peermem", devices > 0 and not loaded and not spared, words, why=why)


def router(plan: Plan) -> Iterator[Derived]:
    """A prefill or decode server for which no router is in sight; a router that was not told of its PD workers."""
    if plan.command.kind == ROUTER:
        given = [name for name in ("router.prefill", "router.decode") if plan.get(name) is not None]
        if given or plan.on("router.pd_mode"):
            # The old load balancer knows no other mode.
            without = not plan.on("router.pd_mode") and "disaggregation" not in plan.command.program[-1].text
            why = "--prefill and --decode are read with --pd-disaggregation only"
            yield Derived("launch.router_without_pd_mode", without, plan.words(*given), why=why)
        return
    if transfer_backend(plan):
        beside = any(other.kind == ROUTER for other in plan.others)
        there = beside or plan.get("router.reachable") is True
        why = "requests must go through a router in PD mode"
        yield Derived("launch.pd_without_router", not there, plan.words("server.disaggregation_mode"), why=why)
