"""Interfaces and addresses from recorded files, and what a launch asks of them."""

from __future__ import annotations

import pytest

from triage.model import Value
from triage.probing.catalogue.network import NETWORK_INTERFACES
from triage.probing.catalogue.text_forms import ASKED, nccl_takes
from triage.probing.probe import Look, Target, Transcript

DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 16341291   12475    0    0    0     0          0         0 16341291   12475    0    0    0     0       0          0
  eth0:     625      10    0    0    0     0          0         0     1473      18    0    0    0     0       0          0
ibs1f0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
"""
IP = """1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
1: lo    inet6 ::1/128 scope host noprefixroute \\       valid_lft forever preferred_lft forever
2: eth0    inet 10.0.0.5/24 metric 100 brd 10.0.0.255 scope global dynamic eth0\\       valid_lft 3039sec
2: eth0    inet6 fd00::5/64 scope global \\       valid_lft forever preferred_lft forever
"""
TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.0.0.0/24 2 0 2
        |-- 10.0.0.0
           /24 link UNICAST
        |-- 10.0.0.5
           /32 host LOCAL
        |-- 10.0.0.255
           /32 link BROADCAST
     |-- 127.0.0.1
        /32 host LOCAL
"""
INET6 = """00000000000000000000000000000001 01 80 10 80       lo
fd000000000000000000000000000005 02 40 00 80     eth0
"""
HOSTS = """127.0.0.1 localhost  # the usual
::1 localhost ip6-localhost
127.0.1.1 node-1.example node-1
10.0.0.9 node-2
"""


def facts(texts: dict[str, str]) -> dict[str, Value]:
    """The facts of readable transcripts by label."""
    return dict(NETWORK_INTERFACES.parse([Transcript(label, "ok", text) for label, text in texts.items()]))


def test_interfaces_and_addresses() -> None:
    """Names come from the kernel's table, addresses from the command."""
    states = "==> /sys/class/net/eth0/operstate <==\nup\n==> /sys/class/net/ibs1f0/operstate <==\ndown\n"
    found = facts({"/proc/self/net/dev": DEV, "/sys/class/net/*/operstate": states, "ip -o addr": IP})
    assert found["network.interfaces"] == ("lo", "eth0", "ibs1f0")
    assert found["network.interfaces_down"] == ("ibs1f0",)
    assert found["network.addresses"] == ("127.0.0.1", "::1", "10.0.0.5", "fd00::5")


def test_addresses_without_the_command() -> None:
    """Minimal images lack ip; the kernel's own tables name the same addresses."""
    found = facts({"/proc/self/net/fib_trie": TRIE, "/proc/self/net/if_inet6": INET6})
    assert set(found["network.addresses"] or ()) == {"127.0.0.1", "::1", "10.0.0.5", "fd00::5"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("place", "local"),
    [
        ("10.0.0.5:5000", True),
        ("10.0.0.6:5000", False),
        ("[fd00::5]:5000", True),
        ("tcp://10.0.0.5:5000", True),
        ("0.0.0.0:5000", True),
        ("localhost:5000", True),
        ("node-1:5000", True),
        ("node-2:5000", False),
        ("node-3.cluster.local:5000", None),
        ("[fd00::6]:5000", False),
    ],
)
def test_address_of_the_rendezvous(place: str, local: bool | None) -> None:
    """An address is compared with our own; a name counts only where /etc/hosts tells it."""
    found = facts({"ip -o addr": IP, "/etc/hosts": HOSTS, ASKED: f"dist_init_addr {place}\n"})
    assert found.get("network.dist_init_addr_is_local") is local


def test_a_kind_of_address_that_is_not_listed_tells_nothing() -> None:
    """Without the IPv4 table an IPv4 address may be ours all the same."""
    found = facts({"/proc/self/net/if_inet6": INET6, ASKED: "dist_init_addr 10.0.0.6:5000\n"})
    assert "network.dist_init_addr_is_local" not in found


@pytest.mark.parametrize(("name", "loopback"), [("node-1", True), ("node-2", False), ("node-9", None)])
def test_host_name_on_loopback(name: str, loopback: bool | None) -> None:
    """A host whose name leads to 127.0.1.1 tells the others to connect to themselves."""
    found = facts({"/proc/sys/kernel/hostname": f"{name}\n", "/etc/hosts": HOSTS})
    assert found.get("network.hostname_is_loopback") is loopback


@pytest.mark.parametrize(
    ("choice", "takes"),
    [
        ("eth0", True),
        ("eth", True),
        ("=eth", False),
        ("=eth0", True),
        ("bond0,eth", True),
        ("bond0", False),
        ("^docker,lo", True),
        ("^lo,eth,ib", False),
        ("^=eth", True),
    ],
)
def test_choices_of_nccl(choice: str, takes: bool) -> None:
    """A choice is of beginnings, of whole names, or of what to leave out."""
    assert nccl_takes(choice, ("lo", "eth0", "ibs1f0")) is takes
    assert (
        facts({"/proc/self/net/dev": DEV, ASKED: f"nccl_socket_ifname {choice}\n"})["network.nccl_socket_ifname_exists"]
        is takes
    )


@pytest.mark.parametrize(("choice", "exists"), [("eth0", True), ("eth", False), ("eth0,bond0", False)])
def test_choices_of_gloo(choice: str, exists: bool) -> None:
    """Gloo takes whole names, and needs every one of them."""
    found = facts({"/proc/self/net/dev": DEV, ASKED: f"gloo_socket_ifname {choice}\n"})
    assert found["network.gloo_socket_ifname_exists"] is exists


def test_what_is_asked_is_recorded() -> None:
    """The launch's values travel with the recording, so that it can be judged elsewhere."""
    target = Target(facts={"server.dist_init_addr": "10.0.0.5:5000"}, environment={"NCCL_SOCKET_IFNAME": "eth0"})
    look = next(read for read in NETWORK_INTERFACES.reads(target) if read.label == ASKED)
    assert isinstance(look, Look)
    assert look.function() == "dist_init_addr 10.0.0.5:5000\nnccl_socket_ifname eth0\n"
    assert all(read.label != ASKED for read in NETWORK_INTERFACES.reads(Target()))
