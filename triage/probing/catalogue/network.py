"""Probes of the network: interfaces and addresses (and, from their own modules, RDMA devices and listening ports)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from triage.model import Value
from triage.probing.catalogue.addresses import Address, address_of, addresses_of, host_and_port
from triage.probing.catalogue.ports import LISTENING_PORTS
from triage.probing.catalogue.rdma import RDMA_DEVICES
from triage.probing.catalogue.target_process import variables_of
from triage.probing.catalogue.text_forms import ASKED, asked, nccl_takes, pairs, sections, text_of
from triage.probing.probe import Command, File, Probe, Read, Target, Transcript

_INTERFACE = re.compile(r"^ *([^\s:]{1,20}):", re.MULTILINE)
_ADDRESS_LINE = re.compile(r"^\d+: +(\S+) +inet6? +([0-9A-Fa-f:.]+)", re.MULTILINE)
_TRIE_LOCAL = re.compile(r"\|-- ([0-9.]+)\n +/32 host LOCAL")
_INET6_LINE = re.compile(r"^([0-9a-f]{32}) ", re.MULTILINE)


def _reads(target: Target) -> Sequence[Read]:
    variables = variables_of(target)
    net = f"/proc/{target.pid or 'self'}/net"
    return (
        File(f"{net}/dev"),
        File("/sys/class/net/*/operstate"),
        # The command would show our own network, not that of a process in another container.
        *(() if target.pid else (Command(("ip", "-o", "addr"), 2.0),)),
        File(f"{net}/fib_trie"),
        File(f"{net}/if_inet6"),
        File("/proc/sys/kernel/hostname"),
        File("/etc/hostname"),
        File("/etc/hosts"),
        *asked(
            {
                "dist_init_addr": target.facts.get("server.dist_init_addr"),
                "nccl_socket_ifname": variables.get("NCCL_SOCKET_IFNAME"),
                "gloo_socket_ifname": variables.get("GLOO_SOCKET_IFNAME"),
            }
        ),
    )


def _parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    interfaces = _INTERFACE.findall(text_of(transcripts, "/net/dev") or "")
    wanted = pairs(text_of(transcripts, ASKED) or "")
    if interfaces:
        yield "network.interfaces", tuple(interfaces)
        yield from _variables_hold(wanted, interfaces)
    states = {
        path.split("/")[-2]: state.strip()
        for path, state in sections(text_of(transcripts, "operstate") or "")
        if path.count("/") > 1
    }
    if states:
        # The loopback's state is never known to the kernel, and neither is that of some tunnels.
        yield (
            "network.interfaces_down",
            tuple(name for name, state in states.items() if state in ("down", "lowerlayerdown")),
        )
    own = tuple(dict.fromkeys(_own_addresses(transcripts)))
    if own:
        yield "network.addresses", tuple(map(str, own))
    hosts = text_of(transcripts, "/etc/hosts")
    name = (text_of(transcripts, "/kernel/hostname") or text_of(transcripts, "/etc/hostname") or "").strip()
    named = addresses_of(name, hosts or "") if name else ()
    if named:
        yield "network.hostname_is_loopback", named[0].is_loopback
    if "dist_init_addr" in wanted:
        is_local = _is_local(host_and_port(wanted["dist_init_addr"])[0], hosts or "", own)
        if is_local is not None:
            yield "network.dist_init_addr_is_local", is_local


def _own_addresses(transcripts: Sequence[Transcript]) -> Iterator[Address]:
    """Every address of this machine that any of the reads shows."""
    written = [found[1] for found in _ADDRESS_LINE.findall(text_of(transcripts, "ip -o addr") or "")]
    written += _TRIE_LOCAL.findall(text_of(transcripts, "/net/fib_trie") or "")
    for digits in _INET6_LINE.findall(text_of(transcripts, "/net/if_inet6") or ""):
        written.append(":".join(digits[at : at + 4] for at in range(0, 32, 4)))
    for text in written:
        address = address_of(text)
        if address is not None:
            yield address


def _is_local(host: str, hosts: str, own: Sequence[Address]) -> bool | None:
    """Whether the host is this machine; None where no file tells."""
    addresses = addresses_of(host, hosts)
    if not addresses:
        return None
    if any(item.is_loopback or item.is_unspecified or item in own for item in addresses):
        return True
    # Without a list of the kind of address, not being in it means nothing.
    return False if any(item.version == addresses[0].version for item in own) else None


def _variables_hold(wanted: dict[str, str], interfaces: Sequence[str]) -> Iterator[tuple[str, Value]]:
    if "nccl_socket_ifname" in wanted:
        yield "network.nccl_socket_ifname_exists", nccl_takes(wanted["nccl_socket_ifname"], interfaces)
    if "gloo_socket_ifname" in wanted:
        names = wanted["gloo_socket_ifname"].split(",")
        yield "network.gloo_socket_ifname_exists", all(name.strip() in interfaces for name in names if name.strip())


NETWORK_INTERFACES = Probe(
    "network-interfaces",
    "Interfaces, addresses, the host's name, and whether configured ones exist",
    _reads,
    _parse,
    0.1,
)

PROBES = (NETWORK_INTERFACES, RDMA_DEVICES, LISTENING_PORTS)
