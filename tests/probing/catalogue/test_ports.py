"""Listening ports: recorded tables, and a real socket of this test."""

from __future__ import annotations

import os
import socket

import pytest

from triage.model import Value
from triage.probing.capture import capture
from triage.probing.catalogue.ports import LISTENING_PORTS
from triage.probing.catalogue.sockets import holders, listeners
from triage.probing.catalogue.text_forms import ASKED
from triage.probing.probe import Target, Transcript

TCP = "listening sockets of /proc/self/net/tcp"
TCP6 = "listening sockets of /proc/self/net/tcp6"
ROWS = """   0: 00000000:7530 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1582 1 000000003e5e088c 100 0 0 10 0
   1: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1583 1 000000003e5e088c 100 0 0 10 0
"""
ROWS6 = (
    "   0: 00000000000000000000000000000000:2326 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000     0        0 1584 1 000000003e5e088c 100 0 0 10 0\n"
)


def facts(asked: str = "", rows: str = ROWS, rows6: str = ROWS6, holder: str = "") -> dict[str, Value]:
    """The facts of recorded tables."""
    texts = {TCP: rows, TCP6: rows6, ASKED: asked, "holder of the server's port": holder}
    return dict(LISTENING_PORTS.parse([Transcript(label, "ok", text) for label, text in texts.items()]))


def test_listening_ports() -> None:
    """Both tables count; the numbers in them are hexadecimal, the addresses the wrong way round."""
    assert facts()["network.listening_ports"] == (5000, 8998, 30000)
    assert [(str(item.address), item.port) for item in listeners(ROWS + ROWS6)] == [
        ("0.0.0.0", 30000),
        ("127.0.0.1", 5000),
        ("::", 8998),
    ]
    with pytest.raises(ValueError, match="not a row"):
        list(listeners("0: XX:1 00:0 0A"))


def test_the_port_of_the_server() -> None:
    """The port is taken or free, and its holder is named; without a port nothing is said."""
    found = facts("port 30000\n", holder="4711 python3\n")
    assert (found["port.in_use"], found["port.holder_pid"], found["port.holder"]) == (True, 4711, "python3")
    assert facts("port 30001\n")["port.in_use"] is False
    assert "port.in_use" not in facts()


@pytest.mark.parametrize(
    ("asked", "listening"),
    [
        ("", True),
        ("bootstrap_port 8999\n", False),
        ("mode prefill\nbootstrap_port 8999\n", False),
        ("mode decode\nbootstrap_port 8999\n", None),
        ("mode null\nbootstrap_port 8999\n", None),
        ("mode decode\n", True),
    ],
)
def test_the_bootstrap_of_a_prefill_server(asked: str, listening: bool | None) -> None:
    """That nobody listens means something on the prefill side only."""
    assert facts(asked).get("pd.bootstrap_port_listening") is listening


@pytest.mark.parametrize(
    ("place", "is_open"),
    [("127.0.0.1 5000", True), ("10.0.0.5 5000", False), ("10.0.0.5 30000", True), ("127.0.0.1 5001", False)],
)
def test_the_rendezvous(place: str, is_open: bool) -> None:
    """A listener on all addresses accepts for each of them, one on loopback for loopback only."""
    assert facts(f"dist_init {place}\n")["network.dist_init_port_open"] is is_open


def test_no_table_at_all() -> None:
    """If the kernel's tables cannot be read no port is called free."""
    with pytest.raises(ValueError, match="tables"):
        dict(LISTENING_PORTS.parse([Transcript(TCP, "denied"), Transcript(ASKED, "ok", "port 30000\n")]))


def test_a_real_socket() -> None:
    """A socket of this very process is seen, its holder found, and a rendezvous on it is open."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        target = Target(facts={"server.port": port, "server.dist_init_addr": f"localhost:{port}"})
        found = dict(LISTENING_PORTS.parse([capture(read, {}) for read in LISTENING_PORTS.reads(target)]))
        inode = os.fstat(server.fileno()).st_ino
        assert holders({inode})[inode][0] == os.getpid()
    assert found["port.in_use"] is True
    assert found["port.holder_pid"] == os.getpid()
    assert found["network.dist_init_port_open"] is True
    after = dict(LISTENING_PORTS.parse([capture(read, {}) for read in LISTENING_PORTS.reads(target)]))
    assert after["port.in_use"] is False
    assert after["network.dist_init_port_open"] is False


def test_the_address_of_another_host_is_left_out() -> None:
    """Of a rendezvous elsewhere this machine's tables tell nothing, and nobody is called."""
    target = Target(facts={"server.dist_init_addr": "203.0.113.7:5000"})
    found = dict(LISTENING_PORTS.parse([capture(read, {}) for read in LISTENING_PORTS.reads(target)]))
    assert "network.dist_init_port_open" not in found
