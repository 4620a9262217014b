"""Writes ``fixtures/hosts/*.json``: example hosts, each the base with its differences.

    python -m tools.make_hosts [FOLDER]

The tests read the stored files, and hold them against what this writes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tools import host_texts as texts
from tools.host_base import VARIABLES, Host, snapshot
from tools.host_packages import SERVER, SGLANG, USER, Environment, Package, nvidia, torch
from triage.probing.snapshot import to_json

FOLDER = Path(__file__).parents[1] / "fixtures" / "hosts"
_SMALL = Host(gpus=2, rdma=(2, "InfiniBand"))
"""The base with two GPUs, to keep the files of the other hosts short."""
_NOT_LOADED = tuple(name for name in Host().modules if name != "nvidia_peermem")
_SMI = ("nvidia-smi", "nvidia-smi -q", "nvidia-smi topo -m", "nvidia-smi topo -p2p r", "nvidia-smi nvlink -s")
_FIELDS = "index,name,driver_version,memory.total,memory.used,memory.free,compute_mode,mig.mode.current,compute_cap"
_HOLDERS = "nvidia-smi --query-compute-apps=gpu_bus_id,pid,used_gpu_memory,process_name --format=csv,nounits"
_SMI_TABLES = (f"nvidia-smi --query-gpu={_FIELDS} --format=csv,nounits", _HOLDERS)
_FAILED = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is "
    "installed and running.\n\n"
)
_NO_CARD = {
    "/proc/driver/nvidia/version": None,
    "/proc/driver/nvidia/params": None,
    "/sys/module/nvidia/version": None,
    "/proc/driver/nvidia/gpus/*/information": None,
    "NVIDIA devices": "",
}
_DOCKER: Mapping[str, str | None] = {
    "/.dockerenv": "",
    "/proc/1/cgroup": "0::/\n",
    "mount of /": "512 480 0:60 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A,upperdir=/u,workdir=/w\n",
    "control groups of process self": texts.sections(
        (f"/sys/fs/cgroup/{name}", text)
        for name, text in (
            ("memory.max", "max"),
            ("memory.current", "2147483648"),
            ("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0"),
            ("cpu.max", "max 100000"),
            ("pids.max", "max"),
        )
    ),
    "nvidia_peermem in /lib/modules": "no modules of this kernel",
    "modprobe -n -v nvidia_peermem": None,
}
"""A container sees neither the kernel's modules on disk nor the processes of its host."""


def _with(**variables: str) -> Mapping[str, str]:
    return {**VARIABLES, **variables}


def hosts() -> dict[str, Host]:
    """Every host, by the name of its file."""
    return {
        "h100-healthy": Host(),
        "h200-pair": _h200_pair(),
        "peermem-missing": replace(_SMALL, modules=_NOT_LOADED),
        "torch-twice": replace(_SMALL, python=_torch_twice()),
        "torch-wrong": replace(_SMALL, python=Environment((*torch("2.10.0", "12.8", triton="3.6.0"), *SGLANG))),
        "cuda-majors-mixed": _cuda_majors_mixed(),
        "no-driver": _no_driver(),
        "shm-small": replace(_SMALL, shm_mb=64, services=(), texts=_DOCKER),
        "roce-prefill": _roce_prefill(),
        "minimal-container": _minimal_container(),
        "memlock-64k": replace(_SMALL, memlock_kb=64, nofile=1024),
        "geforce-4090": replace(
            _SMALL, gpu=texts.RTX_4090, services=("kthreadd", "nvidia-persiste"), memory_gb=251, numa_nodes=1
        ),
        "libnuma-absent": replace(_SMALL, unfound=("libnuma.so.1",)),
        "transformers-too-new": replace(_SMALL, python=_transformers_too_new()),
        "expandable-segments": replace(_SMALL, variables=_with(PYTORCH_CUDA_ALLOC_CONF="expandable_segments:True")),
    }


def _h200_pair() -> Host:
    """A virtual machine with a plain PyTorch image: no SGLang, no tools of the network or of modules, two faults in the log."""
    folder = "/opt/torch/.venv/lib/python3.12/site-packages"
    wheels = {
        "nvidia-cublas": "13.1.0.3", "nvidia-cuda-nvrtc": "13.0.88", "nvidia-cuda-runtime": "13.0.96",
        "nvidia-cudnn-cu13": "9.19.0.56", "nvidia-cusparselt-cu13": "0.8.0", "nvidia-nccl-cu13": "2.28.9",
        "nvidia-nvshmem-cu13": "3.4.5", "transformers": "5.17.0", "packaging": "26.3", "torchvision": "0.26.0",
    }  # fmt: skip
    packages = (
        Package("torch", "2.11.0", folder=folder, torch_cuda="13.0", module="torch"),
        Package("triton", "3.6.0", folder=folder, module="triton"),
        *(Package(name, version, folder=folder) for name, version in wheels.items()),
    )
    python = Environment(packages, "3.12.3", "/opt/torch/.venv", (folder,), ("virtual /usr",))
    variables = {
        "CUDA_HOME": "/usr/local/cuda",
        "CUDA_VERSION": "13.0.2",
        "HOME": "/root",
        "LD_LIBRARY_PATH": "/usr/local/nvidia/lib64:/usr/local/nvidia/lib",
        "LIBRARY_PATH": "/usr/local/cuda/lib64/stubs",
        "NCCL_NVLS_ENABLE": "0",
        "NCCL_VERSION": "2.28.3-1",
        "NVIDIA_DRIVER_CAPABILITIES": "compute,graphics,utility",
        "NVIDIA_VISIBLE_DEVICES": "0,1",
        "NVSHMEM_DISABLE_NVLS": "1",
        "PATH": "/opt/torch/.venv/bin:/usr/local/nvidia/bin:/usr/local/cuda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "TORCH_CUDA_ARCH_LIST": "9.0a",
        "TORCH_SYMM_MEM_DISABLE_MULTICAST": "1",
    }
    log = (
        "[    0.557583] NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  (dvs-builder@)\n"
        "[   38.733912] NVRM: GPU at PCI:0000:00:06: GPU-00000000-0000-0000-0000-000000000000\n"
        "[   38.733920] NVRM: Xid (PCI:0000:00:06): 31, pid=627, name=python3, channel 0x0000000a, intr 00000000. MMU Fault: ENGINE "
        "GRAPHICS GPC1 GPCCLIENT_T1_8 faulted @ 0x47d_c7ec1000. Fault is of type FAULT_PDE ACCESS_TYPE_VIRT_WRITE\n"
        "[   42.445353] NVRM: Xid (PCI:0000:00:06): 43, pid=672, name=python3, channel 0x0000000a\n"
    )
    release = 'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n'
    host = Host(
        texts.H200, 2, "580.159.04", kernel="6.18.44-generic", modules=("nvidia_uvm", "nvidia", "rdma_cm", "ib_core"),
        services=("kthreadd",), python=python, variables=variables, nofile=20000, memory_gb=251, numa_nodes=1,
        shm_mb=262144, rdma=(0, "InfiniBand"), kernel_log=log,
    )  # fmt: skip
    gone = dict.fromkeys(("modprobe -n -v nvidia_peermem", "ip -o addr", "/usr/local/cuda/version.[jt][sx][ot]*"))
    return replace(
        host,
        texts={
            **gone,
            "/etc/os-release": release,
            "/usr/lib/os-release": release,
            "C library": "glibc 2.39",
            "nvidia_peermem in /lib/modules": "no modules of this kernel",
            "peer memory in /proc/kallsyms": "not offered",
            # The switches belong to the machine outside.
            "NVIDIA devices": "/dev/nvidia-uvm\n/dev/nvidia0\n/dev/nvidia1\n/dev/nvidiactl\n/proc/driver/nvidia",
            "nvcc --version": "nvcc: NVIDIA (R) Cuda compiler driver\nCuda compilation tools, release 13.0, V13.0.88\n",
            "ldconfig -p": texts.loader_cache(
                {
                    "librdmacm.so.1": "/lib/x86_64-linux-gnu",
                    "libibverbs.so.1": "/lib/x86_64-linux-gnu",
                    "libnccl.so.2": "/lib/x86_64-linux-gnu",
                    "libcudnn.so.9": "/lib/x86_64-linux-gnu",
                    "libcudart.so.13": "/usr/local/cuda/targets/x86_64-linux/lib",
                    "libnvrtc.so.13": "/usr/local/cuda/targets/x86_64-linux/lib",
                    "libcuda.so.1": "/usr/local/nvidia/lib64",
                }
            ),
            "DeepGEMM's cache": "caches",
            "/etc/hosts": "127.0.0.1 localhost\n127.0.0.1 node-1\n",
        },
    )


def _torch_twice() -> Environment:
    """A second torch in the home folder, which comes first on the path."""
    packages = (*torch("2.10.0", "12.8", folder=USER, triton="3.6.0"), *SERVER.packages)
    return Environment(packages, folders=(USER, *SERVER.folders))


def _transformers_too_new() -> Environment:
    """Another package took transformers to a release that this sglang does not allow."""
    return Environment(
        tuple(replace(item, version="5.3.0") if item.name == "transformers" else item for item in SERVER.packages)
    )


def _cuda_majors_mixed() -> Host:
    """torch for CUDA 13 beside the wheels and an sgl-kernel for CUDA 12."""
    packages = (*torch("2.9.1+cu130", "13.0"), *nvidia(12), *SGLANG, Package("nixl-cu12", "0.8.0", module="nixl_cu12"))
    return replace(_SMALL, python=Environment(packages), unfound=("libcudart.so.12", "libcublas.so.12", "libnvrtc.so.12"), texts={
        "ldconfig -p": texts.loader_cache({"libcudart.so.13": "/usr/local/cuda/lib64", "libcuda.so.1": "/lib/x86_64-linux-gnu"}),
    })  # fmt: skip


def _no_driver() -> Host:
    """The kernel was updated and the driver's module was not built for it; nouveau took the cards."""
    failed = dict.fromkeys((*_SMI, *_SMI_TABLES), _FAILED)
    return replace(
        _SMALL,
        modules=("nouveau", *(name for name in _NOT_LOADED if not name.startswith("nvidia"))),
        services=("kthreadd",),
        texts={**failed, **_NO_CARD},
    )


def _roce_prefill() -> Host:
    """A prefill server and a router run, over RoCE; many variables are set."""
    command = [
        "/usr/bin/python3", "-m", "sglang.launch_server", "--model-path", "/models/m", "--disaggregation-mode", "prefill",
        "--port", "30000",
    ]  # fmt: skip
    router = ["python3", "-m", "sglang_router.launch_router", "--pd-disaggregation", "--port", "8000"]
    started = {"parent": 1, "state": "S", "started": "2026-11-21T20:00:00Z", "python": "/usr/bin/python3"}
    processes = (
        {
            "pid": 4100,
            "kind": "server",
            "command": command,
            "log": "/var/log/sglang/prefill.log",
            "ports": [8998, 30000],
            **started,
        },
        {"pid": 4900, "kind": "router", "command": router, "log": "", "ports": [8000], **started},
        {"pid": 4211, "kind": "part", "command": [], "log": "", "ports": [], **started, "parent": 4100},
    )
    info = {"version": "0.5.9", "model_path": "/models/m", "tp_size": 2, "disaggregation_mode": "prefill"}
    server = (
        _exchange(30000, "/health", {}), _exchange(30000, "/server_info", info), _exchange(30000, "/metrics", {}, status=404),
    )  # fmt: skip
    workers = {"workers": 2, "healthy_workers": 2, "prefill_workers": 1, "decode_workers": 1, "regular_workers": 0}
    asked = (
        _exchange(8000, "/health", {}), _exchange(8000, "/workers", workers), {"path": "", "kept": {"pd_mode": True}},
    )  # fmt: skip
    held = "".join(f"00000000:{0x1B + 0x10 * n:02X}:00.0, {5000 + n}, 71200, sglang::scheduler\n" for n in range(2))
    return replace(
        _SMALL,
        rdma=(2, "Ethernet"),
        ports=(22, 8000, 8998, 30000),
        python=replace(SERVER, prefix="/opt/server", marks=("virtual /usr", "uv 0.9.11")),
        variables=_with(
            NCCL_IB_GID_INDEX="3", NCCL_IB_HCA="=mlx5_0,mlx5_1", NCCL_SOCKET_IFNAME="eth0", GLOO_SOCKET_IFNAME="eth0",
            NVSHMEM_IB_TRAFFIC_CLASS="106", NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME="eth0", NIXL_PLUGIN_DIR="/opt/nixl/plugins",
            SGLANG_DG_USE_NVRTC="1", HF_HUB_OFFLINE="1", HF_TOKEN="<set>",  # noqa: S106  (what a recording says of it)
        ),
        texts={
            "what the launch asks for": "nccl_ib_hca =mlx5_0,mlx5_1\nnccl_socket_ifname eth0\ngloo_socket_ifname eth0\n",
            "processes of SGLang": _json_lines(*processes),
            "answers of the server": _json_lines(*server),
            "answers of the router": _json_lines(*asked),
            _HOLDERS: f"gpu_bus_id, pid, used_gpu_memory [MiB], process_name\n{held}",
        },
    )  # fmt: skip


def _minimal_container() -> Host:
    """Two GPUs given to a slim image: no tools, no Python, no list of modules, a kernel log that may not be read."""
    commands = (
        *_SMI, *_SMI_TABLES, "modprobe -n -v nvidia_peermem", "ip -o addr", "ldconfig -p", "nvcc --version", "ninja --version",
        "gcc --version", "g++ --version", "journalctl -k -b --no-pager -n 5000",
    )  # fmt: skip
    files = (
        "/proc/modules", f"/lib/modules/{Host().kernel}/modules.builtin", "/usr/local/cuda/version.[jt][sx][ot]*",
        "files of /dev/infiniband", "installed packages", "requirements of installed packages",
        "libraries that sgl_kernel needs",
    )  # fmt: skip
    release = 'PRETTY_NAME="Alpine Linux v3.22"\nNAME="Alpine Linux"\nVERSION_ID=3.22.1\nID=alpine\n'
    return replace(
        _SMALL,
        services=(),
        rdma=(0, "InfiniBand"),
        shm_mb=64,
        nofile=1024,
        memlock_kb=8192,
        variables={"HOME": "/root", "PATH": "/usr/local/bin:/usr/bin:/bin"},
        texts={
            **_DOCKER,
            **dict.fromkeys((*commands, *files)),
            "dmesg": "dmesg: klogctl: Operation not permitted\n",
            "/etc/os-release": release,
            "C library": "musl",
            "CUDA home": "home: /usr/local/cuda\nnamed by: default\nexists: False\nnvcc: False\nheaders: False",
            "library folders": "",
            "DeepGEMM's cache": "caches",
            "get_mempolicy": "refused EPERM\n",
        },
        denied=frozenset({"peer memory in /proc/kallsyms"}),
    )


def _exchange(port: int, path: str, kept: Mapping[str, object], *, status: int = 200) -> Mapping[str, object]:
    return {"port": port, "path": path, "outcome": "answered", "status": status, "kept": kept}


def _json_lines(*records: Mapping[str, object]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def main() -> None:
    """Write the files."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, host in hosts().items():
        (folder / f"{name}.json").write_text(to_json(snapshot(host)), encoding="utf-8")


if __name__ == "__main__":
    main()
