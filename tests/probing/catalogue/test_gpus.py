"""Which GPUs there are and who holds their memory."""

from __future__ import annotations

import pytest

from triage.model import Value
from triage.probing.catalogue.gpus import _CAPABILITIES, PROBES, parse_holders, parse_list
from triage.probing.probe import NotApplicable, Target, Transcript

LIST = "nvidia-smi --query-gpu=index,name"
HOLDERS = "nvidia-smi --query-compute-apps=gpu_bus_id"
HEADER = (
    "index, name, driver_version, memory.total [MiB], memory.used [MiB], memory.free [MiB], compute_mode, "
    "mig.mode.current, compute_cap\n"
)
TWO = HEADER + (
    "0, NVIDIA H200, 580.95.05, 143771, 1643, 141514, Default, Disabled, 9.0\n"
    "1, NVIDIA H200, 580.95.05, 143771, 12, 143145, Default, Disabled, 9.0\n"
)
CARD = "==> /proc/driver/nvidia/gpus/0000:00:0{n}.0/information <==\nModel: \t\t {name}\nIRQ:   \t\t 41\nGPU UUID: \t GPU-00000000-0000-0000-0000-000000000000\nDevice Minor: \t {n}\nGPU Excluded:\t No\n"


def listed(text: str, status: str = "ok", cards: str = "", devices: str = "/dev/nvidia0") -> dict[str, Value]:
    """Facts of ``gpu-list``."""
    items = [
        Transcript(LIST, status, text, reason="" if status == "ok" else "no command nvidia-smi"),
        Transcript("/proc/driver/nvidia/gpus/*/information", "ok" if cards else "absent", cards),
        Transcript("NVIDIA devices", "ok", devices),
    ]
    return dict(parse_list(items))


def test_two_alike() -> None:
    """The size of the smallest, the use of the fullest, and what is left on that."""
    assert listed(TWO) == {
        "gpu.unreachable": 0,
        "gpu.count": 2,
        "gpu.names": ("NVIDIA H200", "NVIDIA H200"),
        "gpu.name": "NVIDIA H200",
        "gpu.mixed": False,
        "gpu.compute_capability": 9.0,
        "gpu.memory_total_mb": 143771,
        "gpu.memory_used_mb": 1643,
        "gpu.memory_free_min_mb": 141514,
        "gpu.mig": False,
        "gpu.driver": "580.95.05",
        "gpu.compute_mode": "Default",
    }


def test_what_is_not_supported_is_left_out() -> None:
    """A card without MIG, a value that could not be read, one GPU in another mode, and two kinds of card."""
    text = HEADER + (
        "0, NVIDIA L4, 550.90.07, 23034, [Unknown Error], 22000, Default, [N/A], 8.9\n"
        "1, Tesla T4, 550.90.07, 15360, [Unknown Error], 15000, Exclusive_Process, [N/A], 7.5\n"
    )
    facts = listed(text)
    assert facts["gpu.mixed"] is True
    assert facts["gpu.compute_capability"] == 8.9
    assert facts["gpu.memory_total_mb"] == 15360
    assert "gpu.memory_used_mb" not in facts
    assert facts["gpu.mig"] is False
    assert facts["gpu.compute_mode"] == "Exclusive_Process"


def test_mig_on_one_gpu_is_mig() -> None:
    """One in slices is enough to surprise a server."""
    assert listed(TWO.replace("Disabled, 9.0\n1", "Enabled, 9.0\n1"))["gpu.mig"] is True


def test_an_old_nvidia_smi_leaves_it_to_proc() -> None:
    """It does not know the field; names come from the driver, the capability from the name."""
    cards = CARD.format(n=0, name="Tesla V100-SXM2-32GB")
    facts = listed('Field "compute_cap" is not a valid field to query.\n', cards=cards)
    assert facts == {
        "gpu.host_count": 1,
        "gpu.device_nodes": 1,
        "gpu.count": 1,
        "gpu.names": ("Tesla V100-SXM2-32GB",),
        "gpu.name": "Tesla V100-SXM2-32GB",
        "gpu.mixed": False,
        "gpu.compute_capability": 7.0,
    }


def test_a_container_without_gpus_sees_the_cards_of_its_host() -> None:
    """They are counted as the host's, and none is claimed for the container."""
    cards = CARD.format(n=0, name="NVIDIA H100 80GB HBM3") + CARD.format(n=1, name="NVIDIA H100 80GB HBM3")
    facts = listed("", "absent", cards, devices="/proc/driver/nvidia")
    assert facts == {"gpu.host_count": 2, "gpu.device_nodes": 0}


def test_no_devices_found_is_zero() -> None:
    """nvidia-smi works and sees no card."""
    assert listed("No devices were found\n") == {"gpu.count": 0}


def test_lost_gpus() -> None:
    """One that answers no more is counted beside those that do, also when none does."""
    lost = "Unable to determine the device handle for GPU0000:3B:00.0: Unknown Error\n"
    assert listed(lost) == {"gpu.unreachable": 1}
    assert listed(lost + TWO)["gpu.unreachable"] == 1
    assert listed(lost + TWO)["gpu.count"] == 2


def test_no_answer() -> None:
    """Not applicable without NVIDIA, an error with it."""
    with pytest.raises(NotApplicable):
        listed("", "absent", devices="")
    with pytest.raises(ValueError, match="no command nvidia-smi"):
        listed("", "absent")
    with pytest.raises(ValueError, match="Unknown Error"):
        listed("Failed to initialize NVML: Unknown Error\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NVIDIA A100-SXM4-80GB", 8.0), ("NVIDIA H20", 9.0), ("NVIDIA GH200 480GB", 9.0), ("NVIDIA GB200", 10.0),
        ("NVIDIA B300 SXM6 AC", 10.3), ("NVIDIA GeForce RTX 4090", 8.9), ("NVIDIA RTX 6000 Ada Generation", 8.9),
        ("NVIDIA RTX A6000", 8.6), ("Quadro RTX 6000", 7.5), ("NVIDIA GeForce RTX 5090", 12.0), ("NVIDIA A10", 8.6),
        ("NVIDIA GB10", 12.1), ("NVIDIA A10G", 8.6), ("NVIDIA L40S", 8.9), ("Some Other Card", None),
    ],
)  # fmt: skip
def test_capability_by_name(name: str, value: float | None) -> None:
    """A name that nobody knows has none."""
    assert next((number for pattern, number in _CAPABILITIES if pattern.search(name)), None) == value


HOLDER_HEADER = "gpu_bus_id, pid, used_gpu_memory [MiB], process_name\n"
HOLDER = HOLDER_HEADER + (
    "00000000:00:06.0, 554, 1634, python3\n00000000:00:06.0, 600, 400, sglang::scheduler_TP0\n00000000:00:07.0, 554, 1634, python3\n"
)


def held(text: str, *, used: str = TWO, services: str = "kthreadd", tree: str | None = None) -> dict[str, Value]:
    """Facts of ``nvidia-smi``; ``tree``: the server's processes."""
    items = [
        Transcript(HOLDERS, "ok", text),
        Transcript(LIST, "ok", used),
        Transcript("NVIDIA services", "ok", services),
        Transcript("NVIDIA devices", "ok", "/dev/nvidia0"),
    ]
    if tree is not None:
        items.append(Transcript("processes below 600", "ok", tree))
    return dict(parse_holders(items))


def test_a_process_on_two_gpus_is_one() -> None:
    """Memory is that of the GPU where most is held."""
    assert held(HOLDER) == {
        "gpu.other_processes": 2,
        "gpu.process_memory_mb": 2034,
        "gpu.process_names": ("python3", "sglang::scheduler_TP0"),
    }


def test_the_server_itself_does_not_count() -> None:
    """What descends from the asked process is its own."""
    assert held(HOLDER, tree="600\n554") == {"gpu.other_processes": 0}
    assert held(HOLDER, tree="600")["gpu.other_processes"] == 1


def test_an_empty_list_on_a_host_is_zero() -> None:
    """Only the header."""
    assert held(HOLDER_HEADER) == {"gpu.other_processes": 0}


def test_memory_that_nobody_seen_holds() -> None:
    """In a container processes of others are not listed; the memory they hold is."""
    full = TWO.replace("143771, 12,", "143771, 90000,")
    assert held(HOLDER_HEADER, used=full, services="") == {"gpu.hidden_memory_mb": 90000}
    assert held(HOLDER_HEADER, used=TWO.replace("1643", "600"), services="") == {"gpu.other_processes": 0}
    assert held(HOLDER_HEADER, used=full, services="kthreadd") == {"gpu.other_processes": 0}


def test_sizes_that_are_not_told_hide_nothing() -> None:
    """Without the size of one that is listed, the difference means nothing."""
    unknown = HOLDER_HEADER + "00000000:00:06.0, 554, [N/A], python3\n"
    full = TWO.replace("143771, 12,", "143771, 90000,")
    assert held(unknown, used=full, services="") == {"gpu.other_processes": 1, "gpu.process_names": ("python3",)}


def test_a_running_server_is_looked_at_with_its_descendants() -> None:
    """Only then is there a tree to leave out."""
    probe = next(item for item in PROBES if item.name == "nvidia-smi")
    assert len(probe.reads(Target(pid=1))) == len(probe.reads(Target())) + 1
