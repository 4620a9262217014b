"""Serves metrics over HTTP: reads a head, answers it, closes. No more is needed, and no more is offered."""

from __future__ import annotations

import contextlib
import io
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from triage.watching.loopback import is_loopback
from triage.watching.openmetrics import OPENMETRICS, Family, content_type, exposition

if TYPE_CHECKING:
    from triage.watching.listener import Told
    from triage.watching.live_state import LiveState
    from triage.watching.metrics import Metrics
    from triage.watching.session import Ended

_HEAD_MOST = 8 << 10
_TIME_S = 5.0
_MOST_AT_ONCE = 4


class MetricsServer:
    """Listens at once on ``host`` (an address, or ``localhost``) and ``port`` (0: one that is free), and answers in threads of
    its own until the process ends.

    GET and HEAD of ``/metrics`` alone; four connections at a time, 8 KiB and 5 s for a request. Where ``host`` is loopback a
    request has to name it so too: a page in somebody's browser that had its name resolved to us is refused.

    Raises:
        OSError: the port is taken, or the address is not ours.
    """

    def __init__(self, metrics: Metrics, host: str, port: int) -> None:
        self._metrics = metrics
        self._server = _server(metrics.families, host, port)
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    @property
    def url(self) -> str:
        """Where it answers."""
        host, port = self._server.server_address[:2]
        name = str(host)
        return f"http://{f'[{name}]' if ':' in name else name}:{port}/metrics"

    def tell(self, told: Told) -> None:
        """Count it."""
        self._metrics.tell(told)

    def tick(self, state: LiveState) -> None:
        """How things stand now."""
        self._metrics.tick(state)

    def close(self, ended: Ended) -> None:
        """The last state is served on while other listeners finish; the port is given back with the process."""
        self._metrics.close(ended)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], families: Callable[[], Sequence[Family]]) -> None:
        self.families = families
        self._free = threading.Semaphore(_MOST_AT_ONCE)
        super().__init__(address, _Handler)
        # What it is bound to decides, not what it was called: names of machines often lead to loopback.
        self.checks_host = is_loopback(str(self.server_address[0]))

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answered in a thread, while there are not too many; else closed at once."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _IPv6Server(_Server):
    address_family = socket.AF_INET6


def _server(families: Callable[[], Sequence[Family]], host: str, port: int) -> _Server:
    return (_IPv6Server if ":" in host else _Server)((host, port), families)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version, sys_version = "sgltriage", ""

    def setup(self) -> None:
        """The whole head is read before anything looks at it: within its size and time, however slowly it drips in."""
        super().setup()
        self.rfile.close()
        self._head = _head(self.connection)
        self.rfile = io.BytesIO(self._head or b"")
        self.connection.settimeout(_TIME_S)

    def handle(self) -> None:
        """Answer it."""
        if self._head is None:
            self.wfile.write(b"HTTP/1.0 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n")
            return
        with contextlib.suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        """The metrics."""
        if not self._is_meant_for_us():
            self._answer(403, "text/plain; charset=utf-8", "the header Host does not name this machine\n")
        elif self.path.partition("?")[0] != "/metrics":
            self._answer(404, "text/plain; charset=utf-8", "there is /metrics, and nothing else\n")
        else:
            kind = content_type(",".join(self.headers.get_all("Accept", [])))
            self._answer(200, kind, exposition(self.server.families(), openmetrics=kind == OPENMETRICS))

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: standard error belongs to the operator."""

    def _is_meant_for_us(self) -> bool:
        if not self.server.checks_host:
            return True
        hosts = self.headers.get_all("Host", [])
        if not hosts and self.request_version == "HTTP/1.0":
            return True
        return len(hosts) == 1 and is_loopback(_without_port(hosts[0].strip()))

    def _answer(self, status: int, kind: str, text: str) -> None:
        body = text.encode("utf-8", "backslashreplace")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _head(connection: socket.socket) -> bytes | None:
    """A request up to its empty line; empty if the client went away or took too long, None if it is too large."""
    end = time.monotonic() + _TIME_S
    found = bytearray()
    try:
        while b"\r\n\r\n" not in found and b"\n\n" not in found:
            connection.settimeout(max(0.001, end - time.monotonic()))
            block = connection.recv(_HEAD_MOST)
            if not block:
                return b""
            found += block
            if len(found) > _HEAD_MOST:
                return None
            if time.monotonic() >= end:
                return b""
    except OSError:
        return b""
    return bytes(found)
