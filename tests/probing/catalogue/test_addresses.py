"""Hosts and ports as people write them, and which addresses are our own."""

from __future__ import annotations

import ipaddress

import pytest

from triage.probing.catalogue.addresses import address_of, addresses_of, host_and_port, is_own


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("10.0.0.1:5000", ("10.0.0.1", 5000)),
        ("tcp://node-1:5000", ("node-1", 5000)),
        ("[fd00::1]:5000", ("fd00::1", 5000)),
        ("[fd00::1]", ("fd00::1", None)),
        ("fd00::1", ("fd00::1", None)),
        ("node-1", ("node-1", None)),
        ("node-1:http", ("node-1", None)),
        ("", ("", None)),
    ],
)
def test_host_and_port(text: str, parts: tuple[str, int | None]) -> None:
    """Names, IPv4, IPv6 in brackets, with and without a scheme and a port."""
    assert host_and_port(text) == parts


def test_names_are_looked_up_in_the_file_only() -> None:
    """IPv4 comes first, as programs prefer it; a name that the file lacks has no address."""
    hosts = "::1 box\n10.0.0.1 box BOX.example # comment\nnot-an-address box\n"
    assert [str(item) for item in addresses_of("box.example", hosts)] == ["10.0.0.1"]
    assert [str(item) for item in addresses_of("Box", hosts)] == ["10.0.0.1", "::1"]
    assert addresses_of("example.com", hosts) == ()
    assert str(address_of("::ffff:10.0.0.1")) == "10.0.0.1"


def test_own_addresses() -> None:
    """Loopback is ours; an address that is kept for documentation is nobody's."""
    assert is_own(ipaddress.ip_address("127.0.0.1"))
    assert not is_own(ipaddress.ip_address("203.0.113.7"))
