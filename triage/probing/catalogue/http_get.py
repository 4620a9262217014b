"""HTTP questions to a port of this machine: one GET, short, with no proxy, no redirect and a bounded answer."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

from triage.probing.catalogue.addresses import address_of, is_own
from triage.probing.catalogue.bounded import within
from triage.records import dataclass

WAIT_S = 1.0
"""How long a connection and its whole answer may take."""
_MAX_BODY = 1 << 20
ANSWERED, REFUSED, TIMED_OUT, NOT_HTTP = "answered", "refused", "timed-out", "not-http"


@dataclass(frozen=True, slots=True)
class Exchange:
    """How one GET ended. ``status`` is 0 where no answer came; ``body`` may be cut."""

    host: str
    port: int
    path: str
    outcome: str
    status: int = 0
    body: str = ""

    @property
    def is_connected(self) -> bool:
        """Whether somebody accepted the connection."""
        return self.outcome != REFUSED

    def parsed(self) -> Any:
        """The body as JSON, None if it is not."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def get(host: str, port: int, path: str) -> Exchange:
    """Ask ``host``, which must be an address of this machine, and wait at most ``WAIT_S``.

    Raises:
        ValueError: the host is not an address of this machine.
    """
    address = address_of(host)
    if address is None or not is_own(address):
        raise ValueError(f"not an address of this machine: {host}")
    connection = http.client.HTTPConnection(host, port, timeout=WAIT_S)
    try:
        # The socket's own time-out begins anew with every byte; the whole exchange has an end too.
        status, body = within(WAIT_S, lambda: _exchange(connection, path))
    except ConnectionRefusedError:
        return Exchange(host, port, path, REFUSED)
    except TimeoutError:
        return Exchange(host, port, path, TIMED_OUT)
    except (OSError, http.client.HTTPException):
        return Exchange(host, port, path, NOT_HTTP)
    return Exchange(host, port, path, ANSWERED, status, body.decode("utf-8", "replace"))


def own_host(configured: object) -> str:
    """Where a server that was told to listen on ``configured`` is reached from here: loopback, or that very address."""
    address = address_of(configured) if isinstance(configured, str) else None
    if address is None or (address.is_unspecified and address.version == 4):
        return "127.0.0.1"
    if address.is_unspecified:
        return "::1"
    return str(address) if is_own(address) else "127.0.0.1"


def _exchange(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    try:
        end = time.monotonic() + WAIT_S
        connection.request("GET", path, headers={"Accept": "*/*", "Connection": "close"})
        answer = connection.getresponse()
        parts: list[bytes] = []
        size = 0
        # A body that is slow or long is cut: what came so far tells enough.
        while size < _MAX_BODY and time.monotonic() < end - 0.1:
            part = answer.read1(1 << 16)
            if not part:
                break
            parts.append(part)
            size += len(part)
        return answer.status, b"".join(parts)
    finally:
        connection.close()
