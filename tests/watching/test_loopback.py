"""Which hosts are this machine."""

from __future__ import annotations

import pytest

from triage.watching.loopback import is_loopback


@pytest.mark.parametrize("host", ["localhost", "LocalHost.", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_this_machine(host: str) -> None:
    """As it calls itself."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "localhost.evil.example", "127.0.0.1.evil.example", "127.1", "0.0.0.0", "::", "10.0.0.1"]
)
def test_another(host: str) -> None:
    """Not by how a name begins, and not by what it may lead to."""
    assert not is_loopback(host)
