"""Probe: which ports listen, and whether those that a launch needs are among them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from triage.model import Value
from triage.probing.catalogue.addresses import address_of, addresses_of, host_and_port, is_own
from triage.probing.catalogue.looks import look
from triage.probing.catalogue.sockets import Listener, holders, listeners, listening_rows, own_listeners
from triage.probing.catalogue.text_forms import ASKED, pairs, text_of, whole
from triage.probing.probe import Look, Probe, Read, Target, Transcript

_BOOTSTRAP_PORT = 8998
"""Where a prefill server's bootstrap listens unless --disaggregation-bootstrap-port says otherwise."""


def _reads(target: Target) -> Sequence[Read]:
    process = str(target.pid or "self")
    port = target.facts.get("server.port")
    return (
        Look(f"listening sockets of /proc/{process}/net/tcp", lambda: listening_rows("tcp", process)),
        Look(f"listening sockets of /proc/{process}/net/tcp6", lambda: listening_rows("tcp6", process)),
        look(ASKED, lambda: _launch(target, process)),
        *((Look("holder of the server's port", lambda: _holder(port, process)),) if isinstance(port, int) else ()),
    )


def _launch(target: Target, process: str) -> str:
    """Ports and addresses of the launch, and whether the address is our own: that can only be said on this machine."""
    _require_tables(process)
    facts = target.facts
    values = {
        "port": facts.get("server.port"),
        "bootstrap_port": facts.get("server.disaggregation_bootstrap_port"),
        "mode": facts.get("server.disaggregation_mode"),
    }
    lines = [f"{name} {value}" for name, value in values.items() if value not in (None, "")]
    text = str(facts.get("server.dist_init_addr") or "")
    host, port = host_and_port(" ".join(text.split()))
    if host and port is not None:
        hosts = Path("/etc/hosts")
        known = addresses_of(host, hosts.read_text("utf-8", "replace") if hosts.exists() else "")
        own = [str(address) for address in known if is_own(address)]
        if own:
            lines.append(f"dist_init {own[0]} {port}")
    return "".join(f"{line}\n" for line in lines)


def _require_tables(process: str) -> None:
    """Nothing here tells anything without the tables, and the probe is then unavailable as a whole."""
    if not any(os.access(f"/proc/{process}/net/{table}", os.R_OK) for table in ("tcp", "tcp6")):
        raise FileNotFoundError("no tables of sockets")


def _holder(port: int, process: str) -> str:
    _require_tables(process)
    found = holders({item.inode for item in own_listeners(process) if item.port == port})
    return "".join(f"{pid} {name}\n" for pid, name in sorted(set(found.values())))


def _parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    tables = [text_of(transcripts, "/net/tcp"), text_of(transcripts, "/net/tcp6")]
    if tables == [None, None]:
        raise ValueError("the kernel's tables of sockets could not be read")
    found = [item for table in tables for item in listeners(table or "")]
    ports = {item.port for item in found}
    yield "network.listening_ports", tuple(sorted(ports))
    wanted = pairs(text_of(transcripts, ASKED) or "")
    if "port" in wanted:
        yield "port.in_use", whole(wanted["port"]) in ports
        yield from _held_by(text_of(transcripts, "holder of the server's port") or "")
    bootstrap = whole(wanted.get("bootstrap_port", str(_BOOTSTRAP_PORT))) in ports
    # Only the prefill server listens there: of any other host its silence tells nothing.
    if bootstrap or wanted.get("mode", "prefill") == "prefill":
        yield "pd.bootstrap_port_listening", bootstrap
    if "dist_init" in wanted:
        yield "network.dist_init_port_open", _accepts(wanted["dist_init"], found)


def _held_by(text: str) -> Iterator[tuple[str, Value]]:
    for line in text.splitlines()[:1]:
        pid, _, name = line.partition(" ")
        yield "port.holder_pid", whole(pid)
        if name:
            yield "port.holder", name


def _accepts(place: str, found: Sequence[Listener]) -> bool:
    """Whether a connection to ``10.0.0.1 5000``, an address of ours, would find a listener."""
    host, _, port = place.partition(" ")
    address = address_of(host)
    return any(
        item.port == whole(port) and (item.address == address or item.address.is_unspecified or address is None)
        for item in found
    )


LISTENING_PORTS = Probe(
    "listening-ports", "Ports that listen, and whether the launch's own are taken or open", _reads, _parse, 0.1
)
