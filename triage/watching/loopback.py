"""Whether a host is this machine as it calls itself."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Of a name or address without port; an IPv6 address may have brackets. Nothing is looked up."""
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
