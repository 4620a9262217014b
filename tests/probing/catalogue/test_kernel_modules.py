"""Loaded modules, and whether nvidia_peermem could be one."""

from __future__ import annotations

import pytest

from triage.model import Value
from triage.probing.catalogue.kernel_modules import parse_loaded, parse_peermem
from triage.probing.probe import NotApplicable, Transcript

MODULES = (
    "nvidia_uvm 1830912 2 - Live 0x0000000000000000 (OE)\n"
    "nvidia 14299136 41 nvidia_uvm, Live 0x0000000000000000 (OE)\n"
    "mlx5_ib 500000 0 - Live 0x0000000000000000\n"
    "ib_uverbs 200704 1 mlx5_ib, Live 0x0000000000000000\n"
)
ALL = {
    "nvidia", "nvidia_uvm", "nvidia_modeset", "nvidia_drm", "nvidia_peermem", "nv_peer_mem", "nvidia_fs", "gdrdrv",
}  # fmt: skip


def item(label: str, text: str | None, status: str = "absent") -> Transcript:
    """A readable transcript, or one that is missing."""
    return Transcript(label, status, reason="not there") if text is None else Transcript(label, "ok", text)


def loaded(
    modules: str | None,
    sys: str | None = "",
    driver: str | None = None,
    built_in: str | None = None,
    *,
    status: str = "absent",
) -> dict[str, Value]:
    """Facts of ``lsmod``, without the prefix of their names."""
    items = [
        item("/proc/modules", modules, status),
        item("/sys/module", sys),
        item("/proc/driver/nvidia/version", driver),
        item("/lib/modules/6.8.0/modules.builtin", built_in),
    ]
    return {name.removeprefix("kernel.module."): value for name, value in parse_loaded(items)}


def test_loaded_and_missing() -> None:
    """What only the list can tell is false when it is not there; what may be built in is then left out."""
    facts = loaded(MODULES, sys="nvidia\nib_core\nkernel")
    assert {name for name, value in facts.items() if value} == {
        "nvidia",
        "nvidia_uvm",
        "mlx5_ib",
        "ib_uverbs",
        "ib_core",
    }
    assert {name for name, value in facts.items() if not value} == ALL - {"nvidia", "nvidia_uvm"}


def test_the_list_of_built_in_modules_completes_it() -> None:
    """With it, false is told of every module."""
    facts = loaded(
        MODULES, built_in="kernel/drivers/infiniband/core/ib_core.ko\nkernel/drivers/infiniband/core/rdma-cm.ko\n"
    )
    assert facts["ib_core"] is True
    assert facts["rdma_cm"] is True
    assert facts["rdma_ucm"] is False
    assert facts["nouveau"] is False


def test_a_host_without_nvidia_still_says_so() -> None:
    """That is what tells a missing driver from a missing device."""
    assert loaded("ext4 900000 1 - Live 0x0000000000000000\n")["nvidia"] is False
    assert loaded("")["nvidia"] is False


def test_without_the_list_only_what_is_seen_is_told() -> None:
    """Never false."""
    assert loaded(None, sys="kernel\nnvidia") == {"nvidia": True}
    assert loaded(None, driver="NVRM version: x") == {"nvidia": True}
    assert loaded(None, driver="NVRM version: x", status="denied") == {"nvidia": True}


def test_a_kernel_without_modules() -> None:
    """Not applicable; a list that is refused, or is none, is an error."""
    with pytest.raises(NotApplicable, match="no /proc/modules"):
        loaded(None, sys="kernel")
    with pytest.raises(ValueError, match="not there"):
        loaded(None, status="denied")
    with pytest.raises(ValueError, match="not a list of modules"):
        loaded("<html>\n")


def peermem(
    dry_run: str | None = None,
    modules: str | None = MODULES,
    disk: str | None = None,
    offered: str | None = None,
    devices: str = "/dev/nvidia0",
) -> dict[str, Value]:
    """Facts of ``peermem-dry-run``, without their prefix."""
    items = [
        item("modprobe -n -v nvidia_peermem", dry_run),
        item("/proc/modules", modules),
        item("nvidia_peermem in /lib/modules", disk),
        item("peer memory in /proc/kallsyms", offered),
        item("NVIDIA devices", devices),
    ]
    return {name.removeprefix("peermem."): value for name, value in parse_peermem(items)}


NOT_ON_DISK = "not among the modules of this kernel"
NO_FOLDER = "no modules of this kernel"
FATAL = "modprobe: FATAL: Module nvidia_peermem not found in directory /lib/modules/6.8.0-45-generic\n"


def test_peermem_is_loaded() -> None:
    """Then nothing else is asked."""
    facts = peermem(modules=MODULES + "nvidia_peermem 16384 0 - Live 0x0000000000000000 (OE)\n")
    assert facts == {"available": True, "reason": "loaded"}


def test_peermem_could_be_loaded() -> None:
    """modprobe would insert it, or it stands in the kernel's index where modprobe is missing."""
    insert = "insmod /lib/modules/6.8.0/kernel/drivers/infiniband/core/ib_core.ko.zst \ninsmod /lib/modules/6.8.0/updates/dkms/nvidia-peermem.ko.zst \n"
    assert peermem(insert)["available"] is True
    assert peermem(disk="updates/dkms/nvidia-peermem.ko.zst")["available"] is True


def test_peermem_is_not_there() -> None:
    """The modules of this kernel are seen and it is not among them."""
    assert peermem(FATAL, disk=NOT_ON_DISK) == {"available": False, "reason": "is not among the modules of this kernel"}
    assert "available" not in peermem(FATAL, disk=NOT_ON_DISK, modules=None)


def test_peermem_is_switched_off() -> None:
    """An install rule runs something else."""
    assert peermem("install /bin/false \n")["available"] is False


def test_a_container_sees_no_modules_of_the_host() -> None:
    """modprobe then says "not found" whatever the host has."""
    with pytest.raises(NotApplicable, match="not visible"):
        peermem(FATAL, disk=NO_FOLDER)
    with pytest.raises(NotApplicable, match="no NVIDIA device"):
        peermem(FATAL, disk=NOT_ON_DISK, devices="")


def test_what_the_kernel_offers_to_peermem() -> None:
    """Told only where ib_core is loaded."""
    assert peermem(disk=NOT_ON_DISK, offered="not offered")["kernel_offers_peer_memory"] is False
    assert peermem(disk=NOT_ON_DISK, offered="offered")["kernel_offers_peer_memory"] is True
    assert "kernel_offers_peer_memory" not in peermem(disk=NOT_ON_DISK, offered="ib_core is not loaded")
