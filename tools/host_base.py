"""A host as ``sgltriage probe --record`` sees it: a healthy node with its differences, and the snapshot that it gives.

What each probe reads is asked of the catalogue, so that a recording made here holds what a recording there would; a read that
no host answers is an error, not a gap.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tools import host_texts as texts
from tools.host_packages import SERVER, Environment
from triage.probing.catalogue import all_probes
from triage.probing.probe import Command, Read, Target, Transcript
from triage.probing.snapshot import Snapshot

RECORDED, VERSION = "2026-11-21T21:31:08+00:00", "0.1.0"
_DRIVER_MODULES = ("nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia")
_RDMA_MODULES = ("rdma_ucm", "rdma_cm", "mlx5_ib", "ib_uverbs", "ib_core", "mlx5_core")
VARIABLES = {
    "CUDA_HOME": "/usr/local/cuda",
    "HOME": "/root",
    "PATH": "/usr/local/cuda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}


@dataclass(frozen=True)
class Host:
    """The base is a healthy node with eight H100, InfiniBand and a server's environment in the system's Python.

    ``texts``: transcripts of this host that differ, by label; None: there is no such command or file. ``denied``: labels of
    what may not be read. ``memlock_kb``: None is unlimited.
    """

    gpu: texts.Gpu = texts.H100
    gpus: int = 8
    driver: str = "580.95.05"
    is_open: bool = True
    kernel: str = "5.15.0-160-generic"
    modules: tuple[str, ...] = ("nvidia_peermem", *_DRIVER_MODULES, *_RDMA_MODULES)
    services: tuple[str, ...] = ("kthreadd", "nv-fabricmanage", "nvidia-persiste")
    python: Environment = SERVER
    kernel_cuda: str = "12"
    unfound: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=lambda: VARIABLES)
    memlock_kb: int | None = None
    nofile: int = 1048576
    memory_gb: int = 2015
    numa_nodes: int = 2
    shm_mb: int = 1031000
    rdma: tuple[int, str] = (8, "InfiniBand")
    ports: tuple[int, ...] = (22,)
    kernel_log: str = ""
    texts: Mapping[str, str | None] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()
    redacted: Mapping[str, int] = field(default_factory=dict)


def snapshot(host: Host) -> Snapshot:
    """What a recording of ``host`` holds."""
    target = Target(environment=host.variables)
    known = dict(_texts(host)) | dict(host.texts)
    found = {
        probe.name: tuple(_transcript(read, host, known) for read in probe.reads(target)) for probe in all_probes()
    }
    return Snapshot(found, host.redacted, RECORDED, VERSION)


def _transcript(read: Read, host: Host, known: Mapping[str, str | None]) -> Transcript:
    # Two reads are of places that the machine decides on which this runs.
    label = re.sub(r"^/lib/modules/[^/]+/", f"/lib/modules/{host.kernel}/", read.label)
    label = re.sub(r"^/\S*/version\.\[", "/usr/local/cuda/version.[", label)
    if label in host.denied:
        return Transcript(label, "denied", reason="Permission denied")
    if label not in known:
        raise KeyError(f"no host answers {label!r}: add it to tools/make_hosts.py")
    text = known[label]
    if text is None:
        missing = f"no command {read.argv[0]}" if isinstance(read, Command) else "No such file or directory"
        return Transcript(label, "absent", reason=missing)
    if isinstance(read, Command):
        failed = text.startswith(("modprobe: FATAL", "dmesg: ", "NVIDIA-SMI has failed"))
        return Transcript(label, "ok", text, int(failed), seconds=0.4 if read.argv[0] == "nvidia-smi" else 0.01)
    return Transcript(label, "ok", text)


def _texts(host: Host) -> Iterator[tuple[str, str | None]]:
    yield from _graphics(host)
    yield from _modules(host)
    yield from _system(host)
    yield from _storage(host)
    yield from _network(host)
    yield from texts.rdma_files(*host.rdma).items()
    yield from _tools(host)
    yield from _python(host)


def _graphics(host: Host) -> Iterator[tuple[str, str | None]]:
    driver, gpu, count = host.driver, host.gpu, host.gpus
    cuda = {"580": "13.0", "570": "12.8"}[driver[:3]]
    fields = "index,name,driver_version,memory.total,memory.used,memory.free,compute_mode,mig.mode.current,compute_cap"
    holders = "gpu_bus_id,pid,used_gpu_memory,process_name"
    yield "nvidia-smi", texts.smi_banner(driver, cuda, gpu, count)
    yield "nvidia-smi -q", texts.smi_report(driver, cuda, gpu, count)
    yield f"nvidia-smi --query-gpu={fields} --format=csv,nounits", texts.smi_list(driver, gpu, count)
    yield (
        f"nvidia-smi --query-compute-apps={holders} --format=csv,nounits",
        "gpu_bus_id, pid, used_gpu_memory [MiB], process_name\n",
    )
    yield "nvidia-smi topo -m", texts.smi_matrix(gpu, count, host.rdma[0])
    yield "nvidia-smi topo -p2p r", texts.smi_peers(gpu, count)
    yield "nvidia-smi nvlink -s", texts.smi_links(gpu, count)
    yield "/proc/driver/nvidia/version", texts.driver_file(driver, is_open=host.is_open)
    yield (
        "/proc/driver/nvidia/params",
        'EnableStreamMemOPs: 0\nNvLinkDisable: 0\nImexChannelCount: 2048\nCreateImexChannel0: 0\nRegistryDwords: ""\n',
    )
    yield "/sys/module/nvidia/version", f"{driver}\n"
    yield "/proc/driver/nvidia/gpus/*/information", texts.card_files(gpu, count)
    nodes = [f"/dev/nvidia{n}" for n in range(count)] + [
        f"/dev/nvidia-nvswitch{n}" for n in range(4 if gpu.fabric else 0)
    ]
    yield "NVIDIA devices", "\n".join(sorted([*nodes, "/dev/nvidia-uvm", "/dev/nvidiactl", "/proc/driver/nvidia"]))
    yield "NVIDIA services", "\n".join(host.services)
    yield "/dev/nvidia-caps-imex-channels", "no such folder"
    yield "AMD devices", ""
    for label in (
        "/sys/class/kfd/kfd/topology/nodes/*/properties", "/sys/module/amdgpu/version", "/opt/rocm/.info/version",
        "amd-smi list", "rocm-smi --showid",
    ):  # fmt: skip
        yield label, None


def _modules(host: Host) -> Iterator[tuple[str, str | None]]:
    yield "/proc/modules", texts.modules_file(host.modules)
    yield "/sys/module", "\n".join(sorted(("block", "kernel", "nvme", *host.modules)))
    yield f"/lib/modules/{host.kernel}/modules.builtin", "kernel/drivers/block/loop.ko\nkernel/fs/ext4/ext4.ko\n"
    file = f"/lib/modules/{host.kernel}/updates/dkms/nvidia-peermem.ko"
    has_peermem = "nvidia_peermem" in host.modules
    yield (
        "modprobe -n -v nvidia_peermem",
        ""
        if has_peermem
        else f"modprobe: FATAL: Module nvidia_peermem not found in directory /lib/modules/{host.kernel}\n",
    )
    yield "nvidia_peermem in /lib/modules", file if has_peermem else "not among the modules of this kernel"
    yield (
        "peer memory in /proc/kallsyms",
        "offered" if has_peermem else "not offered" if "ib_core" in host.modules else "ib_core is not loaded",
    )


def _system(host: Host) -> Iterator[tuple[str, str | None]]:
    release = 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\n'
    yield from (("/etc/os-release", release), ("/usr/lib/os-release", release))
    yield "/proc/version", f"Linux version {host.kernel} (buildd@node-1) (gcc (Ubuntu 11.4.0) 11.4.0) #170-Ubuntu SMP\n"
    yield "uname", f"system Linux\nrelease {host.kernel}\nmachine x86_64\n"
    yield "C library", "glibc 2.35"
    yield from texts.memory_files(host.memory_gb, host.numa_nodes).items()
    nodes = f"0-{host.numa_nodes - 1}" if host.numa_nodes > 1 else "0"
    yield "/sys/devices/system/node/online", f"{nodes}\n"
    yield (
        "/proc/self/status",
        f"Name:\tpython3\nState:\tR (running)\nCapEff:\t000001ffffffffff\nSeccomp:\t0\nMems_allowed_list:\t{nodes}\n",
    )
    yield "get_mempolicy", "allowed mode=0\n"
    yield "/proc/self/limits", texts.limits_file(host.memlock_kb, host.nofile)
    yield from ((label, None) for label in ("/.dockerenv", "/run/.containerenv", "/run/systemd/container"))
    yield "/proc/1/cgroup", "0::/init.scope\n"
    yield "mount of /", "30 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro\n"
    yield (
        "control groups of process self",
        texts.sections(
            (f"/sys/fs/cgroup/system.slice/{name}", text)
            for name, text in (
                ("memory.max", "max"), ("memory.current", "8589934592"), ("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0"),
                ("cpu.max", "max 100000"), ("pids.max", "max"),
            )
        ),
    )  # fmt: skip
    yield (
        "dmesg",
        (
            f"[    0.000000] Linux version {host.kernel} (buildd@node-1)\n"
            f"[    9.812345] nvidia: loading out-of-tree module taints kernel.\n{host.kernel_log}"
        ),
    )
    yield "journalctl -k -b --no-pager -n 5000", "No journal files were found.\n-- No entries --\n"
    yield "/proc/uptime", "86400.00 1000000.00\n"


def _storage(host: Host) -> Iterator[tuple[str, str | None]]:
    size = 1760 * texts.GIB
    for label, path in (
        ("disk root", "/"), ("disk cache", "/root/.cache"), ("disk hf", "/root/.cache/huggingface/hub"),
        ("temporary folder", "/tmp"),  # noqa: S108  (a path that is told of, not used)
    ):  # fmt: skip
        yield label, texts.volume(path, size, size // 2)
    shm = host.shm_mb * texts.MIB
    yield "mount of /dev/shm", f"31 25 0:27 / /dev/shm rw,nosuid,nodev shared:4 - tmpfs tmpfs rw,size={shm >> 10}k\n"
    yield "file system of /dev/shm", texts.volume("/dev/shm", shm, shm, "nosuid,nodev")  # noqa: S108  (told of, not used)
    yield "DeepGEMM's cache", "caches\nfolder kernels=412 broken=0 writable=yes /root/.cache/deep_gemm"


def _network(host: Host) -> Iterator[tuple[str, str | None]]:
    yield (
        "/proc/self/net/dev",
        (
            "Inter-|   Receive                                                |  Transmit\n"
            " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
            "    lo: 8779 98 0 0 0 0 0 0 8779 98 0 0 0 0 0 0\n  eth0: 646276 1429 0 0 0 0 0 0 64463 851 0 0 0 0 0 0\n"
        ),
    )
    yield (
        "/sys/class/net/*/operstate",
        texts.sections((("/sys/class/net/eth0/operstate", "up"), ("/sys/class/net/lo/operstate", "unknown"))),
    )
    yield (
        "ip -o addr",
        (
            "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
            "2: eth0    inet 10.0.0.11/24 brd 10.0.0.255 scope global eth0\\       valid_lft forever preferred_lft forever\n"
        ),
    )
    yield (
        "/proc/self/net/fib_trie",
        "Local:\n  +-- 10.0.0.0/24 2 0 1\n     |-- 10.0.0.11\n        /32 host LOCAL\n  +-- 127.0.0.0/8 2 0 2\n     |-- 127.0.0.1\n        /32 host LOCAL\n",
    )
    yield "/proc/self/net/if_inet6", "00000000000000000000000000000001 01 80 10 80       lo\n"
    yield from (("/proc/sys/kernel/hostname", "node-1\n"), ("/etc/hostname", "node-1\n"))
    yield "/etc/hosts", "127.0.0.1 localhost\n10.0.0.11 node-1\n"
    yield "listening sockets of /proc/self/net/tcp", texts.listening(host.ports)
    yield "listening sockets of /proc/self/net/tcp6", ""
    yield "what the launch asks for", ""
    yield "processes of SGLang", ""
    yield "answers of the server", json.dumps(
        {"port": 30000, "path": "/health", "outcome": "refused", "status": 0, "kept": {}}
    ) + "\n"  # fmt: skip
    yield "answers of the router", ""


def _tools(host: Host) -> Iterator[tuple[str, str | None]]:
    yield (
        "nvcc --version",
        "nvcc: NVIDIA (R) Cuda compiler driver\nCopyright (c) 2005-2025 NVIDIA Corporation\nCuda compilation tools, release 12.8, V12.8.93\n",
    )
    yield "ninja --version", "1.13.0\n"
    for name in ("gcc", "g++"):
        yield f"{name} --version", f"{name} (Ubuntu 11.4.0-1ubuntu1~22.04.2) 11.4.0\n"
    yield "CUDA home", "home: /usr/local/cuda\nnamed by: CUDA_HOME\nexists: True\nnvcc: True\nheaders: True"
    yield (
        "/usr/local/cuda/version.[jt][sx][ot]*",
        texts.sections([("/usr/local/cuda/version.json", '{\n   "cuda" : {\n      "name" : "CUDA SDK",\n      "version" : "12.8.1"\n   }\n}')]),
    )  # fmt: skip
    system = ("libnuma.so.1", "libibverbs.so.1", "libmlx5.so.1", "librdmacm.so.1", "libgomp.so.1", "libstdc++.so.6", "libcuda.so.1", "libnvidia-ml.so.1")  # fmt: skip
    toolkit = ("libcudart.so.12", "libnvrtc.so.12")
    folders = dict.fromkeys(system, "/lib/x86_64-linux-gnu")
    folders |= dict.fromkeys(toolkit, "/usr/local/cuda/targets/x86_64-linux/lib")
    folders = {name: folder for name, folder in folders.items() if name not in host.unfound}
    yield "ldconfig -p", texts.loader_cache(folders)
    yield (
        "library folders",
        "\n".join(f"\t{name} (listed) => {folder}/{name}" for name, folder in sorted(folders.items())),
    )
    lines = [f"{name}={value}" for name, value in sorted(host.variables.items()) if name not in ("HOME", "LANG")]
    yield (
        "environment variables",
        "\n".join(["# of the process that asks", *lines, "# token file of the Hugging Face hub: no"]),
    )


def _python(host: Host) -> Iterator[tuple[str, str | None]]:
    yield "installed packages", host.python.listing()
    yield "requirements of installed packages", host.python.requirements()
    yield "libraries that sgl_kernel needs", host.python.kernel_libraries(host.unfound, host.kernel_cuda)
