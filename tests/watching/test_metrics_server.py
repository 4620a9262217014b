"""The server of metrics, asked by real clients, well-meaning and others."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.watching.telling import families
from triage.watching.metrics import Metrics
from triage.watching.metrics_server import MetricsServer
from triage.watching.openmetrics import OPENMETRICS, PLAIN


@pytest.fixture(name="port", scope="module")
def port_fixture() -> int:
    """Of a server on loopback, which ends with the process."""
    return port_of(MetricsServer(Metrics(), "127.0.0.1", 0))


def port_of(server: MetricsServer) -> int:
    """Where it listens."""
    port = urlsplit(server.url).port
    assert port is not None
    return port


def ask(
    port: int, method: str = "GET", path: str = "/metrics", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """The answer and its body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def raw(port: int, data: bytes, *, end: bool = False) -> bytes:
    """What comes back for these bytes, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            connection.sendall(data)
            if end:
                connection.shutdown(socket.SHUT_WR)
            found = bytearray()
            while block := connection.recv(4096):
                found += block
        except ConnectionError:
            return b""
        return bytes(found)


def test_a_scrape(port: int) -> None:
    """In the format that is asked for."""
    response, body = ask(port, Accept="application/openmetrics-text;version=1.0.0")
    assert (response.status, response.getheader("Content-Type")) == (200, OPENMETRICS)
    assert families(body.decode())[0].name == "sgltriage_build"
    response, _ = ask(port)
    assert response.getheader("Content-Type") == PLAIN


def test_head(port: int) -> None:
    """The length without the text."""
    response, body = ask(port, "HEAD")
    assert (response.status, body) == (200, b"")
    assert int(response.getheader("Content-Length") or 0) > 100


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "X\x7f"])
def test_nothing_but_get_and_head(port: int, method: str) -> None:
    """Whatever else is asked for is refused."""
    answer = raw(port, f"{method} /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert answer.split(b" ")[1] == b"501"
    assert b"sgltriage_build" not in answer


@pytest.mark.parametrize("path", ["/", "/metrics/", "/../metrics", "/metrics%00", "//etc/passwd"])
def test_nothing_but_metrics(port: int, path: str) -> None:
    """One page."""
    response, body = ask(port, path=path)
    assert response.status == 404
    assert b"sgltriage_build" not in body


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:9200", "127.8.8.8", "[::1]:80", "localhost."])
def test_who_we_are(port: int, host: str) -> None:
    """Names and addresses of this machine."""
    assert ask(port, Host=host)[0].status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:9200", "10.0.0.1", "127.0.0.1.evil.example", "", "[::2]", "0.0.0.0"]
)
def test_who_we_are_not(port: int, host: str) -> None:
    """A name that was made to lead here is refused: a page in a browser could read us through it."""
    response, body = ask(port, Host=host)
    assert response.status == 403
    assert b"sgltriage_build" not in body


def test_requests_without_or_with_two_hosts(port: int) -> None:
    """Only HTTP/1.0 may leave it out."""
    assert b" 200 " in raw(port, b"GET /metrics HTTP/1.0\r\n\r\n")
    assert b" 403 " in raw(port, b"GET /metrics HTTP/1.1\r\n\r\n")
    assert b" 403 " in raw(port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")


def test_an_address_that_was_written_out() -> None:
    """There others may ask under any name."""
    port = port_of(MetricsServer(Metrics(), "0.0.0.0", 0))
    assert ask(port, Host="node7.cluster")[0].status == 200


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6() -> None:
    """Its URL has brackets."""
    try:
        server = MetricsServer(Metrics(), "::1", 0)
    except OSError:
        pytest.skip("no IPv6 loopback here")
    assert server.url.startswith("http://[::1]:")


def test_a_taken_port(port: int) -> None:
    """Is an error at once, not when somebody scrapes."""
    with pytest.raises(OSError, match="in use"):
        MetricsServer(Metrics(), "127.0.0.1", port)


@pytest.mark.parametrize("data", [b"", b"GET /metrics", b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n"])
def test_what_is_no_request(port: int, data: bytes) -> None:
    """Ends, and the next one is answered."""
    assert b"sgltriage_build" not in raw(port, data, end=True)
    assert ask(port)[0].status == 200


def test_a_request_that_is_too_large(port: int) -> None:
    """Refused after 8 KiB."""
    answer = raw(port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000)
    assert answer == b"" or b" 431 " in answer
    assert ask(port)[0].status == 200


def test_slow_and_many_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who say nothing hold four places and no more, and not for long."""
    monkeypatch.setattr("triage.watching.metrics_server._TIME_S", 0.5)
    port = port_of(MetricsServer(Metrics(), "127.0.0.1", 0))
    silent = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(8)]
    began = time.monotonic()
    assert [client.recv(1) for client in silent] == [b""] * 8
    assert time.monotonic() - began < 5
    for client in silent:
        client.close()
    assert ask(port)[0].status == 200


def test_a_drip(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is that of the whole request: a byte now and then does not make it longer."""
    monkeypatch.setattr("triage.watching.metrics_server._TIME_S", 0.5)
    port = port_of(MetricsServer(Metrics(), "127.0.0.1", 0))
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client, contextlib.suppress(OSError):
        while time.monotonic() - began < 10:
            client.sendall(b"x")
            time.sleep(0.05)
    assert time.monotonic() - began < 5
