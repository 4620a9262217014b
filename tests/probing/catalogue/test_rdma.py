"""RDMA devices from recorded files."""

from __future__ import annotations

import pytest

from triage.model import Value
from triage.probing.catalogue.rdma import RDMA_DEVICES
from triage.probing.catalogue.text_forms import ASKED
from triage.probing.probe import Transcript

PORTS = "/sys/class/infiniband/*/ports/*"
DEVICES = "device mlx5_0\ndevice mlx5_1\n"
GIDS = """gid mlx5_0 1 0 link-local IB/RoCE v1
gid mlx5_0 1 1 link-local RoCE v2
gid mlx5_0 1 2 ipv4 IB/RoCE v1
gid mlx5_0 1 3 ipv4 RoCE v2
gid mlx5_1 1 3 ipv4 RoCE v2
gid mlx5_1 1 5 global RoCE v2
"""


def files(name: str, *values: str) -> str:
    """One file of each port 1, as the read of several files gives them."""
    return "".join(
        f"==> /sys/class/infiniband/mlx5_{number}/ports/1/{name} <==\n{value}\n" for number, value in enumerate(values)
    )


def facts(texts: dict[str, str], *absent: str) -> dict[str, Value]:
    """The facts of readable transcripts by label, and of some that find nothing."""
    made = [Transcript(label, "ok", text) for label, text in texts.items()]
    return dict(RDMA_DEVICES.parse([*made, *(Transcript(label, "absent") for label in absent)]))


def test_a_host_with_infiniband() -> None:
    """Devices, ports, rates, firmware and the files that programs open."""
    found = facts(
        {
            "RDMA devices": DEVICES,
            f"{PORTS}/state": files("state", "4: ACTIVE", "1: DOWN"),
            f"{PORTS}/link_layer": files("link_layer", "InfiniBand", "Ethernet"),
            f"{PORTS}/phys_state": files("phys_state", "5: LinkUp", "3: Disabled"),
            f"{PORTS}/rate": files("rate", "400 Gb/sec (4X NDR)", "25 Gb/sec (1X EDR)"),
            "/sys/class/infiniband/*/fw_ver": "==> /sys/class/infiniband/mlx5_0/fw_ver <==\n28.39.1002\n",
            "files of /dev/infiniband": "rdma_cm rw\nuverbs0 rw\nuverbs1 no\n",
        }
    )
    assert found == {
        "rdma.device_count": 2,
        "rdma.devices": ("mlx5_0", "mlx5_1"),
        "rdma.active_ports": 1,
        "rdma.inactive_ports": ("mlx5_1/1",),
        "rdma.unlinked_ports": ("mlx5_1/1",),
        "rdma.link_layers": ("InfiniBand",),
        "rdma.link_layer": "InfiniBand",
        "rdma.rate_gbit_s": 400.0,
        "rdma.firmware": ("28.39.1002",),
        "rdma.uverbs_present": True,
        "rdma.rdma_cm_present": True,
        "rdma.uverbs_accessible": False,
    }


def test_mixed_link_layers_are_left_open() -> None:
    """With active ports of both kinds nobody can say which one the traffic takes."""
    found = facts(
        {
            f"{PORTS}/state": files("state", "4: ACTIVE", "4: ACTIVE"),
            f"{PORTS}/link_layer": files("link_layer", "InfiniBand", "Ethernet"),
        }
    )
    assert found["rdma.link_layers"] == ("InfiniBand", "Ethernet")
    assert "rdma.link_layer" not in found


def test_gid_tables() -> None:
    """The index for RoCE is one that every port fills with a routable address of version 2."""
    found = facts({"RDMA devices": DEVICES, "RDMA address tables": GIDS})
    assert found["rdma.gid_count"] == 6
    assert found["rdma.roce_v2_gid_indices"] == (3,)


def test_no_device_at_all() -> None:
    """A host without RDMA is told as such; a container may see devices and lack their files."""
    bare = facts({"RDMA devices": ""}, "files of /dev/infiniband")
    assert bare["rdma.device_count"] == 0
    assert bare["rdma.uverbs_present"] is False
    assert "rdma.gid_count" not in bare
    assert "rdma.device_count" not in facts({f"{PORTS}/state": ""}, "RDMA devices")


@pytest.mark.parametrize(
    ("asked", "fact", "value"),
    [
        ("ib_device mlx5_0,mlx5_1", "rdma.ib_device_exists", True),
        ("ib_device mlx5_0,mlx5_7", "rdma.ib_device_exists", False),
        ('ib_device {"0": "mlx5_0"}', "rdma.ib_device_exists", None),
        ("ib_device /etc/devices.json", "rdma.ib_device_exists", None),
        ("nccl_ib_hca mlx5", "rdma.nccl_ib_hca_exists", True),
        ("nccl_ib_hca =mlx5", "rdma.nccl_ib_hca_exists", False),
        ("nccl_ib_hca =mlx5_1:1", "rdma.nccl_ib_hca_exists", True),
        ("nccl_ib_hca ^mlx5_0", "rdma.nccl_ib_hca_exists", True),
    ],
)
def test_configured_devices(asked: str, fact: str, value: bool | None) -> None:
    """Names that a launch or NCCL was given are held against the devices."""
    assert facts({"RDMA devices": DEVICES, ASKED: f"{asked}\n"}).get(fact) is value
