"""The operating system, memory and NUMA from recorded files."""

from __future__ import annotations

import pytest

from triage.model import Value
from triage.probing.catalogue.numa import NUMA_POLICY
from triage.probing.catalogue.system import MEMORY, OS
from triage.probing.catalogue.text_forms import ASKED
from triage.probing.probe import Probe, Transcript

UBUNTU = """PRETTY_NAME="Ubuntu 24.04.3 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
ID=ubuntu
ID_LIKE=debian
"""
BANNER = "Linux version 6.8.0-57-generic (builder@host) (x86_64-linux-gnu-gcc 13.3.0) #59-Ubuntu SMP PREEMPT_DYNAMIC\n"
WSL = "Linux version 5.15.167.4-microsoft-standard-WSL2 (root@host) (gcc 11.2.0) #1 SMP\n"
MEMINFO = """MemTotal:       2113363456 kB
MemFree:        1998876544 kB
MemAvailable:   2001234432 kB
Shmem:             1048576 kB
SwapTotal:               0 kB
SwapFree:                0 kB
HugePages_Total:      64
HugePages_Free:       60
Hugepagesize:       2048 kB
"""
NODES = """==> /sys/devices/system/node/node0/meminfo <==
Node 0 MemTotal:       1056681728 kB
Node 0 MemFree:         998244352 kB
Node 0 HugePages_Total:     0
==> /sys/devices/system/node/node1/meminfo <==
Node 1 MemTotal:       1056681728 kB
Node 1 MemFree:        1000438272 kB
"""


def told(probe: Probe, texts: dict[str, str]) -> dict[str, Value]:
    """The facts of readable transcripts by label."""
    return dict(probe.parse([Transcript(label, "ok", text) for label, text in texts.items()]))


def test_distribution_and_kernel() -> None:
    """Distribution, kernel and C library come from three places."""
    found = told(
        OS,
        {
            "/etc/os-release": UBUNTU,
            "/proc/version": BANNER,
            "uname": "system Linux\nrelease 6.8.0-57-generic\nmachine x86_64\n",
            "C library": "glibc 2.39",
        },
    )
    assert found == {
        "os.name": "Ubuntu",
        "os.id": "ubuntu",
        "os.version": "24.04",
        "kernel.version": "6.8.0-57-generic",
        "os.machine": "x86_64",
        "os.wsl": False,
        "os.libc": "glibc",
        "glibc.version": "2.39",
    }


def test_fall_backs_of_the_system() -> None:
    """Without uname the kernel's banner tells, without /etc/os-release the vendor's copy; WSL shows in the kernel's name."""
    found = told(OS, {"/usr/lib/os-release": UBUNTU, "/proc/version": WSL, "C library": "musl"})
    assert found["kernel.version"] == "5.15.167.4-microsoft-standard-WSL2"
    assert found["os.wsl"] is True
    assert found["os.version"] == "24.04"
    assert found["os.libc"] == "musl"
    assert "glibc.version" not in found


def test_memory() -> None:
    """Sizes are GiB, of the host and of each node; huge pages are counted."""
    found = told(
        MEMORY,
        {
            "/proc/meminfo": MEMINFO,
            "/sys/devices/system/node/node*/meminfo": NODES,
            "/proc/sys/vm/overcommit_memory": "2\n",
            "/proc/sys/vm/max_map_count": "65530\n",
        },
    )
    assert found["memory.host_total_gb"] == 2015.46
    assert found["memory.host_available_gb"] == 1908.53
    assert found["memory.swap_total_gb"] == 0.0
    assert (found["memory.hugepages_total"], found["memory.hugepages_free"], found["memory.hugepage_kb"]) == (
        64,
        60,
        2048,
    )
    assert found["memory.numa_total_gb"] == (1007.73, 1007.73)
    assert found["memory.numa_free_gb"] == (952.0, 954.09)
    assert found["memory.overcommit_memory"] == 2
    assert found["memory.max_map_count"] == 65530


def test_meminfo_without_a_total_is_not_understood() -> None:
    """A file that is not what the kernel writes is reported, not passed over."""
    with pytest.raises(ValueError, match="MemTotal"):
        told(MEMORY, {"/proc/meminfo": "Speicher: 5 kB\n"})


STATUS = "Name:\tcat\nCapEff:\t00000000a80425fb\nSeccomp:\t2\nMems_allowed:\t00000000,00000001\nMems_allowed_list:\t0\n"


@pytest.mark.parametrize(
    ("answer", "wanted", "allowed"),
    [
        ("allowed mode=0\n", "", True),
        ("refused EPERM\n", "", False),
        ("refused ENOSYS\n", "", False),
        ("allowed mode=0\n", "numa_node 0,0\n", True),
        ("allowed mode=0\n", "numa_node 0,1\n", False),
    ],
)
def test_binding_of_memory(answer: str, wanted: str, allowed: bool) -> None:
    """A binding is refused by a profile (the call fails), or where the container lacks a node that the launch names."""
    found = told(
        NUMA_POLICY,
        {
            "/sys/devices/system/node/online": "0-1\n",
            "/proc/self/status": STATUS,
            "get_mempolicy": answer,
            ASKED: wanted,
        },
    )
    assert found["numa.membind_allowed"] is allowed
    assert found["numa.nodes"] == 2
    assert found["numa.mems_allowed"] == (0,)
    assert found["numa.nodes_not_allowed"] == (1,)
    assert found["numa.seccomp"] is True
    assert found["numa.cap_sys_nice"] is False


def test_binding_is_left_open_when_nobody_could_ask() -> None:
    """Of another process the call cannot be tried, so nothing is said."""
    assert "numa.membind_allowed" not in told(NUMA_POLICY, {"/proc/7/status": STATUS})
