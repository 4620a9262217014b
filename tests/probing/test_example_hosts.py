"""The example hosts: each is what its name says, in the forms that a recording has, without anybody's identifiers."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tools.host_base import snapshot
from tools.make_hosts import hosts
from triage.model import Value
from triage.probing.catalogue import all_probes
from triage.probing.host import answers
from triage.probing.probe import Answer
from triage.probing.snapshot import from_json, to_json

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "hosts"
STORED = sorted(path.stem for path in FOLDER.glob("*.json"))
OUTCOMES = {"ok", "not-applicable", "unavailable", "timed-out", "unparsable"}


@cache
def text_of(name: str) -> str:
    """The stored file."""
    return (FOLDER / f"{name}.json").read_text(encoding="utf-8")


@cache
def answers_of(name: str) -> tuple[Answer, ...]:
    """What every probe makes of the host."""
    return answers(all_probes(), from_json(text_of(name)))


def facts_of(name: str) -> dict[str, Value]:
    """All facts of the host."""
    return {fact.name: fact.value for answer in answers_of(name) for fact in answer.facts}


def outcome(host: str, probe: str) -> tuple[str, str]:
    """How one probe ended there."""
    return next((item.outcome, item.reason) for item in answers_of(host) if item.name == probe)


@pytest.mark.parametrize("name", sorted(hosts()))
def test_the_files_are_what_the_tool_writes(name: str) -> None:
    """A probe that reads something new must have its transcript in every host: ``python -m tools.make_hosts``."""
    assert text_of(name) == to_json(snapshot(hosts()[name]))


@pytest.mark.parametrize("name", STORED)
def test_every_outcome_is_explained(name: str) -> None:
    """And no parser meets anything that it does not know."""
    for answer in answers_of(name):
        assert answer.outcome in OUTCOMES
        assert answer.outcome != "unparsable", (answer.name, answer.reason)
        assert bool(answer.reason) is (answer.outcome != "ok")


@pytest.mark.parametrize("name", STORED)
def test_identifiers_are_zeroed(name: str) -> None:
    """Neither serial numbers nor UUIDs, addresses of hardware or of anybody's network."""
    text = text_of(name)
    assert {digits for digits in re.findall(r"GPU-([0-9a-f-]{36})", text) if digits.strip("0-")} == set()
    assert {number for number in re.findall(r"Serial(?: Number)? +: (\w+)", text) if number.strip("0")} == set()
    assert re.findall(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", text) == []
    addresses = facts_of(name).get("network.addresses", ())
    assert isinstance(addresses, tuple)
    assert {item for item in addresses if not str(item).startswith(("10.0.0.", "127.0.0.1", "::1"))} == set()


@pytest.mark.parametrize(
    ("host", "facts"),
    [
        ("h100-healthy", {
            "gpu.count": 8, "gpu.name": "NVIDIA H100 80GB HBM3", "gpu.compute_capability": 9.0, "fabric.state": "Completed",
            "fabric_manager.running": True, "kernel.module.nvidia_peermem": True, "peermem.available": True,
            "topology.nvlink_all_pairs": True, "rdma.link_layer": "InfiniBand", "rdma.active_ports": 8, "torch.copies": 1,
            "torch.version": "2.9.1", "torch.cuda": "12.8", "sglang.version": "0.5.9", "ulimit.memlock_unlimited": True,
            "requirements.conflict_count": 0, "requirements.missing_count": 0, "sgl_kernel.missing_libraries": (),
        }),
        ("h200-pair", {
            "gpu.count": 2, "gpu.name": "NVIDIA H200", "gpu.memory_total_mb": 143771, "driver.version": "580.159.04",
            "driver.cuda": "13.0", "driver.open_module": True, "kernel.xid_codes": (31, 43), "kernel.xid_count": 2,
            "torch.version": "2.11.0", "torch.build": "cu130", "packages.cuda_majors": ("13",), "sglang.installed": False,
            "nvcc.version": "13.0", "python.version": "3.12.3", "python.virtual_environment": True, "rdma.device_count": 0,
            "rdma.rdma_cm_present": True, "ulimit.nofile": 20000, "memory.host_total_gb": 251.0, "env.nvshmem_disable_nvls": 1,
            "topology.nvlink_min_links": 18, "shm.size_mb": 262144,
        }),
        ("peermem-missing", {
            "driver.open_module": True, "kernel.module.nvidia": True, "kernel.module.nvidia_peermem": False,
            "peermem.available": False, "peermem.reason": "is not among the modules of this kernel",
            "peermem.kernel_offers_peer_memory": False, "ulimit.memlock_unlimited": True,
        }),
        ("torch-twice", {
            "torch.copies": 2, "torch.version": "2.10.0",
            "torch.places": "2.10.0 in /root/.local/lib/python3.12/site-packages, 2.9.1 in /usr/local/lib/python3.12/dist-packages",
            "triton.copies": 2, "sgl-kernel.version": "0.3.21",
        }),
        ("torch-wrong", {"torch.copies": 1, "torch.version": "2.10.0", "sglang.version": "0.5.9", "requirements.conflict_count": 1}),
        ("cuda-majors-mixed", {
            "torch.cuda": "13.0", "packages.cuda_majors": ("12", "13"), "sgl_kernel.cuda_majors": ("12",),
            "sgl_kernel.missing_libraries": ("libcublas.so.12", "libcudart.so.12", "libnvrtc.so.12"), "ldconfig.cudart_majors": ("13",),
            "nixl-cu12.installed": True, "nixl-cu13.installed": False,
        }),
        ("no-driver", {
            "driver.nvidia_smi": "failed", "driver.nvml_error": "couldn't communicate with the NVIDIA driver",
            "kernel.module.nvidia": False, "kernel.module.nouveau": True,
        }),
        ("shm-small", {"shm.size_mb": 64, "container.is_container": True, "container.kind": "docker"}),
        ("roce-prefill", {
            "rdma.link_layer": "Ethernet", "rdma.roce_v2_gid_indices": (3,), "env.nccl_ib_gid_index": 3,
            "router.reachable": True, "router.pd_mode": True, "server_process.running": True, "pd.bootstrap_port_listening": True,
            "gpu.other_processes": 2, "uv.version": "0.9.11", "env.hf_token": "set",
        }),
        ("minimal-container", {
            "container.is_container": True, "driver.version": "580.95.05", "driver.nvidia_smi": "absent", "gpu.count": 2,
            "gpu.compute_capability": 9.0, "os.libc": "musl", "numa.membind_allowed": False, "gcc.on_path": False,
            "ldconfig.libnuma": False, "ulimit.memlock_kb": 8192,
        }),
        ("memlock-64k", {"ulimit.memlock_kb": 64, "ulimit.memlock_unlimited": False, "ulimit.nofile": 1024}),
        ("geforce-4090", {
            "gpu.name": "NVIDIA GeForce RTX 4090", "gpu.compute_capability": 8.9, "topology.nvlink": False, "topology.p2p": False,
            "kernel.module.nvidia_peermem": True,
        }),
        ("libnuma-absent", {
            "sgl_kernel.missing_libraries": ("libnuma.so.1",), "ldconfig.libnuma": False, "sgl_kernel.cuda_majors": ("12",),
        }),
        ("transformers-too-new", {
            "transformers.version": "5.3.0",
            "requirements.conflicts": ("sglang 0.5.9 requires transformers==4.57.1, transformers 5.3.0 is installed",),
        }),
        ("expandable-segments", {"env.pytorch_cuda_alloc_conf": "expandable_segments:True", "kernel.module.nvidia_peermem": True}),
    ],
)  # fmt: skip
def test_what_each_host_is_about(host: str, facts: dict[str, Value]) -> None:
    """The facts that tell it from the healthy one."""
    found = facts_of(host)
    assert {name: found.get(name) for name in facts} == facts


def test_a_requirement_that_is_not_met_is_named() -> None:
    """In the words of pip."""
    assert facts_of("torch-wrong")["requirements.conflicts"] == (
        "sglang 0.5.9 requires torch==2.9.1, torch 2.10.0 is installed",
    )


@pytest.mark.parametrize(
    ("host", "probe", "expected"),
    [
        ("no-driver", "gpu-list", "not-applicable"),
        ("minimal-container", "dmesg", "unavailable"),
        ("minimal-container", "python-packages", "unavailable"),
        ("minimal-container", "nvidia-smi", "unavailable"),
        ("minimal-container", "peermem-dry-run", "not-applicable"),
        ("geforce-4090", "fabric-manager", "not-applicable"),
        ("h200-pair", "kernel-libraries", "not-applicable"),
        ("h100-healthy", "router-endpoint", "not-applicable"),
        ("h100-healthy", "rocm", "not-applicable"),
    ],
)
def test_what_could_not_be_looked_at(host: str, probe: str, expected: str) -> None:
    """With a reason each."""
    word, reason = outcome(host, probe)
    assert (word, bool(reason)) == (expected, True)


def test_half_of_the_commands_may_be_missing() -> None:
    """In a minimal container more than half of the probes still answer."""
    found = answers_of("minimal-container")
    assert sum(item.outcome == "ok" for item in found) > len(found) / 2
    absent = {item.label for items in from_json(text_of("minimal-container")).transcripts.values() for item in items if item.status == "absent"}  # fmt: skip
    assert {"nvidia-smi", "ldconfig -p", "ip -o addr"} <= absent
