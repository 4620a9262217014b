"""Addresses of this machine, and where a host and port that somebody configured point to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import TypeAlias

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"


def host_and_port(text: str) -> tuple[str, int | None]:
    """``10.0.0.1:5000``, ``[fd00::1]:5000``, ``tcp://node-1:5000`` or a bare host as host and port."""
    text = text.strip().partition("://")[2] or text.strip()
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, _port(rest.removeprefix(":"))
    host, colon, rest = text.rpartition(":")
    # A bare IPv6 address has several colons and no port.
    return (host, _port(rest)) if colon and ":" not in host else (text, None)


def address_of(text: str) -> Address | None:
    """The address that ``text`` is, an embedded IPv4 address as such; None if it is a name."""
    try:
        found = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def addresses_of(host: str, hosts: str) -> tuple[Address, ...]:
    """The addresses of a host: itself, or what /etc/hosts (its text) says, IPv4 first. No name server is asked."""
    itself = address_of(host)
    if itself is not None:
        return (itself,)
    found = dict.fromkeys(address for address, names in _host_lines(hosts) if host.lower() in names)
    return tuple(sorted(found, key=lambda address: address.version))


def is_own(address: Address) -> bool:
    """Whether the kernel lets a socket of ours carry the address: it does so for those of this machine only.

    Nothing is sent. An address that only stands for 'all of them' counts as own.
    """
    if address.is_loopback or address.is_unspecified:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as candidate:
            candidate.bind((str(address), 0))
    except OSError:
        return False
    return True


def _port(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else None


def _host_lines(text: str) -> Iterator[tuple[Address, frozenset[str]]]:
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        address = address_of(words[0]) if words else None
        if address is not None:
            yield address, frozenset(word.lower() for word in words[1:])
