"""Addresses, ports, interfaces and proxies of the launch against those of this machine."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from triage.preflight.command import COMPILER, DIFFUSION, ROUTER, SERVER
from triage.preflight.plan import Derived, Plan
from triage.probing.catalogue.addresses import address_of, host_and_port
from triage.probing.catalogue.text_forms import nccl_takes

DEFAULT_PORT, BOOTSTRAP_PORT = 30000, 8998
_LOOPBACK = "127.0.0.1"


def rendezvous(plan: Plan) -> Iterator[Derived]:
    """--dist-init-addr names an address that the first node does not have: it is that node that listens there."""
    where = plan.text("server.dist_init_addr")
    if not where or plan.command.kind not in (SERVER, COMPILER) or plan.whole("server.node_rank", 0) != 0:
        return
    foreign = _is_foreign(plan, host_and_port(where)[0])
    if foreign is None:
        yield Derived("launch.dist_init_addr_foreign", needs=("network.addresses",))
        return
    why = "the node with --node-rank 0 listens there, and this machine does not have the address"
    words = plan.words("server.dist_init_addr", "server.node_rank")
    yield Derived("launch.dist_init_addr_foreign", foreign, words, why=why)


def _is_foreign(plan: Plan, host: str) -> bool | None:
    address, own = address_of(host), plan.texts("network.addresses")
    if host == "localhost" or (address is not None and (address.is_loopback or address.is_unspecified)):
        return False
    if address is None or own is None:
        # A name: only the host itself could tell where it leads.
        said = plan.get("network.dist_init_addr_is_local")
        return not said if isinstance(said, bool) else None
    known = [item for item in map(address_of, own) if item is not None and item.version == address.version]
    return address not in known if known else None


def ports(plan: Plan) -> Iterator[Derived]:
    """A port of the launch that something else listens on; the fact is its number, 0 if all are free."""
    wanted = list(ports_wanted(plan))
    # A server of image models looks for the next free port itself.
    if not wanted or plan.command.kind == DIFFUSION:
        return
    taken = ports_taken(plan)
    if taken is None:
        said = plan.get("port.in_use")
        if not isinstance(said, bool):
            yield Derived("launch.port_taken", needs=("network.listening_ports",))
            return
        taken = frozenset(port for name, port in wanted[:1] if said)
    for name, port in wanted:
        if port in taken:
            said = "" if name in plan.stated else f"port {port}, which is the default"
            yield Derived(
                "launch.port_taken", port, plan.words(name), said, f"something listens on port {port} already"
            )
            return
    yield Derived("launch.port_taken", 0)


def ports_wanted(plan: Plan) -> Iterator[tuple[str, int]]:
    """(fact that names it, port) of what the launch opens on this machine; only the host's ports for a container."""
    if plan.command.container is not None and not plan.command.container.shares_network:
        return
    area = "router" if plan.command.kind == ROUTER else "server"
    yield from _port(plan, f"{area}.port", DEFAULT_PORT)
    if area == "router":
        return
    yield from _port(plan, "server.nccl_port", None)
    if plan.text("server.disaggregation_mode") == "prefill":
        yield from _port(plan, "server.disaggregation_bootstrap_port", BOOTSTRAP_PORT)
    if plan.whole("server.node_rank", 0) == 0:
        port = host_and_port(plan.text("server.dist_init_addr"))[1]
        if port is not None:
            yield "server.dist_init_addr", port


def _port(plan: Plan, name: str, default: int | None) -> Iterator[tuple[str, int]]:
    port = plan.whole(name, default)
    if port is not None:
        yield name, port


def ports_taken(plan: Plan) -> frozenset[int] | None:
    """The ports that something listens on, whatever the address; None where nobody looked."""
    listening = plan.texts("network.listening_ports")
    if listening is None:
        return None
    ends = (re.search(r"(\d{1,5})$", item) for item in listening)
    return frozenset(int(found[1]) for found in ends if found is not None)


def interfaces(plan: Plan) -> Iterator[Derived]:
    """NCCL_SOCKET_IFNAME or GLOO_SOCKET_IFNAME names an interface that is not there."""
    chosen = {name: plan.get(f"env.{name}") for name in ("nccl_socket_ifname", "gloo_socket_ifname")}
    if not any(chosen.values()) or plan.command.kind not in (SERVER, COMPILER):
        return
    names = plan.texts("network.interfaces")
    if names is None:
        yield Derived("launch.nccl_ifname_missing", needs=("network.interfaces",))
        return
    missing = [name for name, value in chosen.items() if value and not _names_one(name, str(value), names)]
    said = ""
    if missing and f"env.{missing[0]}" not in plan.stated:
        said = f"{missing[0].upper()}={chosen[missing[0]]} (from the environment)"
    why = f"no interface {chosen[missing[0]]}; there are {', '.join(names)}" if missing else ""
    words = plan.words(*(f"env.{name}" for name in missing))
    yield Derived("launch.nccl_ifname_missing", bool(missing), words, said, why)


def _names_one(variable: str, value: str, names: tuple[str, ...]) -> bool:
    if variable == "nccl_socket_ifname":
        return nccl_takes(value, names)
    return all(name.strip() in names for name in value.split(",") if name.strip())


def proxies(plan: Plan) -> Iterator[Derived]:
    """The server's warm-up request to itself would go through an HTTP proxy."""
    if plan.command.kind not in (SERVER, COMPILER) or plan.on("server.skip_server_warmup"):
        return
    proxy = plan.text("env.http_proxy") or plan.text("env.all_proxy")
    host = own_host(plan)
    intercepts = bool(proxy) and not bypasses(plan.text("env.no_proxy"), host)
    name = "http_proxy" if plan.text("env.http_proxy") else "all_proxy"
    said = "" if f"env.{name}" in plan.stated or not intercepts else f"{name} is set in the environment"
    why = f"the server's first request to {host}, its own address, would go to the proxy"
    yield Derived("launch.proxy_intercepts_loopback", intercepts, plan.words(f"env.{name}", "env.no_proxy"), said, why)


def own_host(plan: Plan) -> str:
    """The host that the server asks when it asks itself."""
    host = plan.text("server.host")
    return _LOOPBACK if host in ("", "0.0.0.0", "::") else host  # noqa: S104  (read, not bound)


def bypasses(no_proxy: str, host: str) -> bool:
    """Does ``no_proxy`` except ``host``? Names by their end, addresses alone or as networks, ``*`` everything."""
    address = address_of(host)
    for part in re.split(r"[,\s]+", no_proxy.lower()):
        if part == "*" or (part and (host == part or host.endswith("." + part.lstrip(".")))):
            return True
        if address is not None and "/" in part:
            try:
                if address in ipaddress.ip_network(part, strict=False):
                    return True
            except (TypeError, ValueError):
                continue
    return False
