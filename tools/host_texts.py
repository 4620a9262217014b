"""What the commands and files of a host say, in the forms that they really have; identifiers are zeroed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MIB, GIB = 1 << 20, 1 << 30
_UUID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Gpu:
    """A model of GPU. ``links``: NVLinks of each; ``fabric``: whether switches join them."""

    name: str
    memory_mb: int
    capability: str
    links: int = 0
    fabric: bool = False
    power_w: int = 700


H100 = Gpu("NVIDIA H100 80GB HBM3", 81559, "9.0", links=18, fabric=True)
H200 = Gpu("NVIDIA H200", 143771, "9.0", links=18, fabric=True)
RTX_4090 = Gpu("NVIDIA GeForce RTX 4090", 24564, "8.9", power_w=450)


def smi_banner(driver: str, cuda: str, gpu: Gpu, count: int) -> str:
    """``nvidia-smi``"""
    rule = "+-----------------------------------------------------------------------------------------+"
    row = "+-----------------------------------------+------------------------+----------------------+"
    ecc, mig = ("0", "Disabled") if gpu.fabric else ("Off", "N/A")
    rows = "".join(
        f"|   {n}  {gpu.name:<30}  On  |   00000000:{_bus(n)}:00.0 Off |{ecc:>21} |\n"
        f"| N/A   37C    P0             77W /  {gpu.power_w}W |{f'0MiB / {gpu.memory_mb}MiB':>23} |      0%      Default |\n"
        f"|                                         |                        |{mig:>21} |\n{row}\n"
        for n in range(count)
    )
    return (
        f"Sat Nov 21 21:31:08 2026       \n{rule}\n"
        f"| NVIDIA-SMI {driver:<22} Driver Version: {driver:<14} CUDA Version: {cuda:<8} |\n{row}\n"
        "| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |\n"
        "| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |\n"
        "|                                         |                        |               MIG M. |\n"
        f"|{'=' * 41}+{'=' * 24}+{'=' * 22}|\n{rows}\n{rule}\n"
        "| Processes:                                                                              |\n"
        "|  GPU   GI   CI              PID   Type   Process name                        GPU Memory |\n"
        "|        ID   ID                                                               Usage      |\n"
        f"|{'=' * 89}|\n"
        "|  No running processes found                                                             |\n"
        f"{rule}\n"
    )


def smi_list(driver: str, gpu: Gpu, count: int) -> str:
    """``nvidia-smi --query-gpu=...``, as a table with a header."""
    mig = "Disabled" if gpu.fabric else "[N/A]"
    rows = (
        f"{n}, {gpu.name}, {driver}, {gpu.memory_mb}, 0, {gpu.memory_mb - 616}, Default, {mig}, {gpu.capability}\n"
        for n in range(count)
    )
    return (
        "index, name, driver_version, memory.total [MiB], memory.used [MiB], memory.free [MiB], compute_mode, "
        "mig.mode.current, compute_cap\n" + "".join(rows)
    )


def smi_report(driver: str, cuda: str, gpu: Gpu, count: int) -> str:
    """``nvidia-smi -q``, without the parts that nobody reads."""
    fields: tuple[tuple[int, str, str | None], ...] = (
        (1, "Product Name", gpu.name), (1, "Persistence Mode", "Enabled"), (1, "Serial Number", "0000000000000"),
        (1, "GPU UUID", f"GPU-{_UUID}"), (1, "GPU Recovery Action", "None"), (1, "GSP Firmware Version", driver),
        (1, "PCI", None), (2, "GPU Link Info", None), (3, "PCIe Generation", None), (4, "Max", "5"), (4, "Current", "5"),
        (3, "Link Width", None), (4, "Max", "16x"), (4, "Current", "16x"),
        (1, "Clocks Event Reasons", None), (2, "Idle", "Active"), (2, "SW Power Cap", "Not Active"),
        (2, "HW Slowdown", "Not Active"), (3, "HW Thermal Slowdown", "Not Active"), (2, "SW Thermal Slowdown", "Not Active"),
        (1, "FB Memory Usage", None), (2, "Total", f"{gpu.memory_mb} MiB"), (2, "Used", "0 MiB"),
        (1, "Compute Mode", "Default"),
        (1, "ECC Errors", None), (2, "Volatile", None), (3, "SRAM Uncorrectable Parity", "0"), (3, "DRAM Correctable", "0"),
        (3, "DRAM Uncorrectable", "0"), (2, "Aggregate", None), (3, "SRAM Uncorrectable Parity", "0"),
        (3, "DRAM Uncorrectable", "0"), (2, "Channel Repair Pending", "No"), (2, "Unrepairable Memory", "No"),
        (1, "Remapped Rows", None), (2, "Correctable Error", "0"), (2, "Uncorrectable Error", "0"), (2, "Pending", "No"),
        (2, "Remapping Failure Occurred", "No"),
        (1, "Temperature", None), (2, "GPU Current Temp", "37 C"),
    )  # fmt: skip
    if gpu.fabric:
        fields += (
            (1, "Fabric", None), (2, "State", "Completed"), (2, "Status", "Success"), (2, "CliqueId", "0"),
            (2, "ClusterUUID", _UUID),
        )  # fmt: skip
    body = "".join(
        f"{'    ' * depth}{name:<{51 - 4 * (depth - 1)}}: {value}\n" if value else f"{'    ' * depth}{name}\n"
        for depth, name, value in fields
    )
    reports = "".join(f"GPU 00000000:{_bus(n)}:00.0\n{body}\n" for n in range(count))
    return (
        "\n==============NVSMI LOG==============\n\n"
        f"{'Driver Version':<55}: {driver}\n{'CUDA Version':<55}: {cuda}\n\n{'Attached GPUs':<55}: {count}\n{reports}"
    )


def smi_matrix(gpu: Gpu, count: int, nics: int) -> str:
    """``nvidia-smi topo -m``"""
    names = [f"GPU{n}" for n in range(count)] + [f"NIC{n}" for n in range(nics)]

    def cell(one: int, other: int) -> str:
        if one == other:
            return " X "
        if max(one, other) < count:
            return f"NV{gpu.links}" if gpu.links else "NODE"
        return "PXB" if one == other - count else "NODE"

    rows = "".join(
        f"{names[one]}\t" + "\t".join(cell(one, other) for other in range(len(names))) + "\t0-63\t0\t\tN/A\n"
        for one in range(count)
    )
    legend = "".join(f"  NIC{n}: mlx5_{n}\n" for n in range(nics))
    return (
        "\t" + "\t".join(names) + "\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\n" + rows + "\nLegend:\n\n  X    = Self\n"
        "  NODE = Connection traversing PCIe as well as the interconnect between PCIe Host Bridges within a NUMA node\n"
        "  PXB  = Connection traversing multiple PCIe bridges (without traversing the PCIe Host Bridge)\n"
        "  NV#  = Connection traversing a bonded set of # NVLinks\n" + (f"\nNIC Legend:\n\n{legend}" if nics else "")
    )


def smi_peers(gpu: Gpu, count: int) -> str:
    """``nvidia-smi topo -p2p r``; GeForce cards refuse access to each other."""
    word = "OK" if gpu.fabric else "CNS"
    header = " \t" + "".join(f"GPU{n}\t" for n in range(count)) + "\n"
    rows = "".join(
        f" GPU{one}\t" + "".join(("X" if one == other else word) + "\t" for other in range(count)) + "\n"
        for one in range(count)
    )
    return f"{header}{rows}\nLegend:\n\n  X    = Self\n  OK   = Status Ok\n  CNS  = Chipset not supported\n"


def smi_links(gpu: Gpu, count: int) -> str:
    """``nvidia-smi nvlink -s``"""
    links = "".join(f"\t Link {n}: 26.562 GB/s\n" for n in range(gpu.links))
    return "".join(f"GPU {n}: {gpu.name} (UUID: GPU-{_UUID})\n{links}" for n in range(count))


def card_files(gpu: Gpu, count: int) -> str:
    """``/proc/driver/nvidia/gpus/*/information``"""
    return sections(
        (
            f"/proc/driver/nvidia/gpus/0000:{_bus(n)}:00.0/information",
            (
                f"Model: \t\t {gpu.name}\nIRQ:   \t\t {120 + n}\nGPU UUID: \t GPU-{_UUID}\nBus Type: \t PCIe\n"
                f"DMA Size: \t 52 bits\nBus Location: \t 0000:{_bus(n)}:00.0\nDevice Minor: \t {n}\nGPU Excluded:\t No"
            ),
        )
        for n in range(count)
    )


def driver_file(driver: str, *, is_open: bool) -> str:
    """``/proc/driver/nvidia/version``"""
    kind = "Open Kernel Module for x86_64" if is_open else "x86_64 Kernel Module"
    return (
        f"NVRM version: NVIDIA UNIX {kind}  {driver}  Release Build  (dvs-builder@)  \n"
        "GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)\n"
    )


def sections(files: Iterable[tuple[str, str]]) -> str:
    """Several files, each under its path."""
    return "".join(f"==> {path} <==\n{text}\n" for path, text in files)


def limits_file(memlock_kb: int | None, nofile: int) -> str:
    """``/proc/self/limits``; without a number locked memory is unlimited."""
    memlock = "unlimited" if memlock_kb is None else str(memlock_kb << 10)
    rows = (
        ("Max cpu time", "unlimited", "unlimited", "seconds"), ("Max file size", "unlimited", "unlimited", "bytes"),
        ("Max data size", "unlimited", "unlimited", "bytes"), ("Max stack size", "8388608", "unlimited", "bytes"),
        ("Max core file size", "0", "unlimited", "bytes"), ("Max resident set", "unlimited", "unlimited", "bytes"),
        ("Max processes", "1031199", "1031199", "processes"), ("Max open files", str(nofile), "1048576", "files"),
        ("Max locked memory", memlock, memlock, "bytes"), ("Max address space", "unlimited", "unlimited", "bytes"),
        ("Max file locks", "unlimited", "unlimited", "locks"), ("Max pending signals", "1031199", "1031199", "signals"),
        ("Max realtime timeout", "unlimited", "unlimited", "us"),
    )  # fmt: skip
    header = f"{'Limit':<25} {'Soft Limit':<20} {'Hard Limit':<20} {'Units':<10}\n"
    return header + "".join(f"{name:<25} {soft:<20} {hard:<20} {unit:<10}\n" for name, soft, hard, unit in rows)


def volume(path: str, size: int, free: int, options: str = "rw") -> str:
    """What a look at a file system says; sizes in bytes."""
    return (
        f"size_bytes {size}\nfree_bytes {free}\ninodes 16777216\nfree_inodes 16230672\noptions {options}\nwritable yes\n"
        f"path {path}\nat {path}\n"
    )


def memory_files(total_gb: int, nodes: int) -> Mapping[str, str]:
    """The files of the memory probe."""
    total = total_gb << 20
    meminfo = {
        "MemTotal": total, "MemFree": total * 9 // 10, "MemAvailable": total * 95 // 100, "Shmem": 12288,
        "SwapTotal": 0, "SwapFree": 0,
    }  # fmt: skip
    lines = "".join(f"{name + ':':<16}{size:>8} kB\n" for name, size in meminfo.items())
    node_files = (
        (
            f"/sys/devices/system/node/node{n}/meminfo",
            f"Node {n} MemTotal:       {total // nodes} kB\nNode {n} MemFree:        {total * 9 // 10 // nodes} kB",
        )
        for n in range(nodes)
    )
    return {
        "/proc/meminfo": lines + "HugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 kB\n",
        "/sys/devices/system/node/node*/meminfo": sections(node_files),
        "/proc/sys/vm/overcommit_memory": "0\n",
        "/proc/sys/vm/max_map_count": "65530\n",
    }


def modules_file(names: Sequence[str]) -> str:
    """``/proc/modules``"""
    return "".join(f"{name} 16384 0 - Live 0x0000000000000000\n" for name in names)


def rdma_files(devices: int, layer: str) -> Mapping[str, str]:
    """The files of the RDMA probe: ``layer`` is InfiniBand or Ethernet."""
    ports = [(f"mlx5_{n}", f"/sys/class/infiniband/mlx5_{n}/ports/1") for n in range(devices)]
    rate = "400 Gb/sec (4X NDR)" if layer == "InfiniBand" else "200 Gb/sec (4X HDR)"
    gids = "".join(
        f"gid {name} 1 0 global IB/RoCE v1\n"
        if layer == "InfiniBand"
        else f"gid {name} 1 0 link-local IB/RoCE v1\ngid {name} 1 1 link-local RoCE v2\n"
        f"gid {name} 1 2 ipv4 IB/RoCE v1\ngid {name} 1 3 ipv4 RoCE v2\n"
        for name, _ in ports
    )
    found = {
        f"/sys/class/infiniband/*/ports/*/{file}": sections((f"{path}/{file}", text) for _, path in ports)
        for file, text in (("state", "4: ACTIVE"), ("link_layer", layer), ("phys_state", "5: LinkUp"), ("rate", rate))
    }
    return {
        "RDMA devices": "".join(f"device {name}\n" for name, _ in ports),
        **found,
        "/sys/class/infiniband/*/fw_ver": sections(
            (f"/sys/class/infiniband/{name}/fw_ver", "28.43.2026") for name, _ in ports
        ),
        "RDMA address tables": gids,
        "files of /dev/infiniband": "rdma_cm rw\n" + "".join(f"uverbs{n} rw\n" for n in range(devices)),
    }


def listening(ports: Sequence[int]) -> str:
    """Rows of ``/proc/net/tcp`` for sockets on all addresses."""
    return "".join(
        f"   {n}: 00000000:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 {1500 + n} 1 "
        "0000000000000000 100 0 0 10 0\n"
        for n, port in enumerate(ports)
    )


def loader_cache(libraries: Mapping[str, str]) -> str:
    """``ldconfig -p``: file name to folder."""
    rows = "".join(f"\t{name} (libc6,x86-64) => {folder}/{name}\n" for name, folder in libraries.items())
    return f"{len(libraries)} libs found in cache `/etc/ld.so.cache'\n{rows}"


def _bus(number: int) -> str:
    return f"{0x1B + 0x10 * number:02X}"
