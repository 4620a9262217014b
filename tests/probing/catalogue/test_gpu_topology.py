"""How GPUs are joined."""

from __future__ import annotations

import pytest

from triage.model import Value
from triage.probing.catalogue.gpu_topology import parse_links, parse_matrix
from triage.probing.probe import NotApplicable, Transcript

LEGEND = """
Legend:

  X    = Self
  SYS  = Connection traversing PCIe as well as the SMP interconnect between NUMA nodes (e.g., QPI/UPI)
  PIX  = Connection traversing at most a single PCIe bridge
  NV#  = Connection traversing a bonded set of # NVLinks

NIC Legend:

  NIC0: mlx5_0
"""
SWITCHED = (
    "\tGPU0\tGPU1\tNIC0\tNIC1\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\n"
    "GPU0\t X \tNV18\tPXB\tSYS\t0-31\t0\t\tN/A\n"
    "GPU1\tNV18\t X \tNODE\tSYS\t0-31\t0\t\tN/A\n"
    "NIC0\tPXB\tNODE\t X \tSYS\t\t\t\t\n"
    "NIC1\tSYS\tSYS\tSYS\t X \t\t\t\t\n" + LEGEND
)
BRIDGED = (
    "\tGPU0\tGPU1\tGPU2\tGPU3\tmlx5_0\tCPU Affinity\tNUMA Affinity\n"
    "GPU0\t X \tNV12\tSYS\tSYS\tNODE\t0-15\t0\n"
    "GPU1\tNV12\t X \tSYS\tSYS\tNODE\t0-15\t0\n"
    "GPU2\tSYS\tSYS\t X \tPHB\tSYS\t16-31\t1\n"
    "GPU3\tSYS\tSYS\tPHB\t X \tSYS\t16-31\t1\n"
    "mlx5_0\tNODE\tNODE\tSYS\tSYS\t X \n" + LEGEND
)
PEERS = " \tGPU0\tGPU1\t\n GPU0\tX\tOK\t\n GPU1\tOK\tX\t\n\nLegend:\n\n  X    = Self\n  OK   = Status Ok\n  CNS  = Chipset not supported\n"


def joined(matrix: str, peers: str | None = None, devices: str = "/dev/nvidia0") -> dict[str, Value]:
    """Facts of ``gpu-topology``."""
    items = [
        Transcript("nvidia-smi topo -m", "ok", matrix),
        Transcript("nvidia-smi topo -p2p r", "absent" if peers is None else "ok", peers or ""),
        Transcript("NVIDIA devices", "ok", devices),
    ]
    return dict(parse_matrix(items))


def test_two_gpus_behind_switches() -> None:
    """Every pair has NVLink; one of the GPUs has a network card near by."""
    assert joined(SWITCHED, PEERS) == {
        "topology.gpu_count": 2,
        "topology.pairs_over_host": 0,
        "topology.pairs_across_sockets": 0,
        "topology.nvlink": True,
        "topology.nvlink_all_pairs": True,
        "topology.nvlink_min_links": 18,
        "topology.nic_count": 2,
        "topology.gpus_without_near_nic": 1,
        "topology.p2p": True,
    }


def test_bridges_join_pairs_only() -> None:
    """The other pairs talk through the host, most of them from socket to socket; old columns carry the card's own name."""
    facts = joined(BRIDGED)
    assert facts["topology.pairs_over_host"] == 5
    assert facts["topology.pairs_across_sockets"] == 4
    assert facts["topology.nvlink"] is True
    assert facts["topology.nvlink_all_pairs"] is False
    assert facts["topology.nic_count"] == 1
    assert facts["topology.gpus_without_near_nic"] == 4
    assert "topology.p2p" not in facts


def test_peer_access_that_is_refused_is_named() -> None:
    """The words of the legend are kept."""
    facts = joined(SWITCHED, PEERS.replace("\tOK\t\n", "\tCNS\t\n", 1))
    assert facts["topology.p2p"] is False
    assert facts["topology.p2p_status"] == ("CNS",)


def test_one_gpu_has_no_pairs() -> None:
    """Then nothing is said about NVLink."""
    facts = joined("\tGPU0\tCPU Affinity\tNUMA Affinity\nGPU0\t X \t0-15\tN/A\n" + LEGEND)
    assert facts == {
        "topology.gpu_count": 1, "topology.pairs_over_host": 0, "topology.pairs_across_sockets": 0, "topology.nic_count": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "usage: nvidia-smi topo", SWITCHED.replace("GPU1\tNV18\t X \t", "GPU1\t"), "\tGPU0\tGPU1\tCPU Affinity\n"],
)
def test_a_matrix_with_gaps_is_refused(text: str) -> None:
    """Half a matrix must not be told as a whole one."""
    with pytest.raises(ValueError, match="matrix"):
        joined(text)


GPU = "GPU {n}: NVIDIA H100 80GB HBM3 (UUID: GPU-00000000-0000-0000-0000-000000000000)\n"
LINK = "\t Link {n}: 26.562 GB/s\n"


def linked(text: str, devices: str = "/dev/nvidia0") -> dict[str, Value]:
    """Facts of ``nvlink``."""
    return dict(
        parse_links([Transcript("nvidia-smi nvlink -s", "ok", text), Transcript("NVIDIA devices", "ok", devices)])
    )


def test_all_links_are_up() -> None:
    """Links are counted over all GPUs."""
    text = "".join(GPU.format(n=gpu) + "".join(LINK.format(n=link) for link in range(18)) for gpu in range(2))
    assert linked(text) == {
        "nvlink.links": 36,
        "nvlink.active_links": 36,
        "nvlink.inactive_links": 0,
        "nvlink.gpus_all_inactive": 0,
        "nvlink.uneven": False,
    }


def test_links_that_are_down() -> None:
    """Some on one GPU, all on another."""
    text = (
        GPU.format(n=0) + LINK.format(n=0) + "\t Link 1: <inactive>\n"
        + GPU.format(n=1) + "NVML: Unable to retrieve NVLink information as all links are inActive\n"
        + GPU.format(n=2) + "\t Link 0: <inactive>\n"
    )  # fmt: skip
    facts = linked(text)
    assert facts["nvlink.active_links"] == 1
    assert facts["nvlink.inactive_links"] == 2
    assert facts["nvlink.gpus_all_inactive"] == 2
    assert facts["nvlink.uneven"] is True


def test_cards_without_nvlink() -> None:
    """Only their names are printed."""
    assert linked(GPU.format(n=0))["nvlink.links"] == 0


def test_no_links_to_ask_for() -> None:
    """Not applicable without a GPU; other text is refused."""
    with pytest.raises(NotApplicable):
        linked("Failed to initialize NVML: Driver Not Loaded\n", devices="")
    with pytest.raises(ValueError, match="not a list of links"):
        linked("hello")


def test_a_card_that_lists_no_links() -> None:
    """One GPU of a virtual machine: nvidia-smi ends well and prints nothing, which is no fault of its text."""
    with pytest.raises(NotApplicable):
        linked("")
