"""What servers and routers answer: real HTTP on loopback, and recorded answers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from triage.model import Value
from triage.probing.capture import capture
from triage.probing.catalogue.endpoints import ROUTER_ENDPOINT, SERVER_ENDPOINT
from triage.probing.catalogue.http_get import NOT_HTTP, REFUSED, TIMED_OUT, get, own_host
from triage.probing.interpret import interpret
from triage.probing.probe import NOT_APPLICABLE, NotApplicable, Probe, Target, Transcript

INFO = {
    "version": "0.5.9",
    "model_path": "/models/m",
    "tp_size": 8,
    "api_key": "sk-not-a-real-key-123456",
    "internal_states": [{"x": 1}],
    "disaggregation_mode": "prefill",
}
METRICS = """# HELP sglang:num_running_reqs The number of running requests.
# TYPE sglang:num_running_reqs gauge
sglang:num_running_reqs{model_name="m",tp_rank="0"} 3.0
sglang:num_running_reqs{model_name="m",tp_rank="1"} 5.0
sglang:num_queue_reqs{model_name="m"} 0.0
sglang:token_usage{model_name="m"} 0.25
"""
WORKERS = {
    "workers": [
        {"url": "http://10.0.0.1:30000", "worker_type": "prefill", "is_healthy": True, "bootstrap_port": 8998},
        {"url": "http://10.0.0.2:30000", "worker_type": "decode", "is_healthy": False},
    ],
    "total": 2,
    "stats": {"prefill_count": 1, "decode_count": 1, "regular_count": 0},
}


@contextmanager
def serving(answers: Mapping[str, tuple[int, object]]) -> Iterator[int]:
    """A server on loopback with these answers by path (404 for the rest); gives its port and ends with the block."""

    class Handler(BaseHTTPRequestHandler):
        known: ClassVar[Mapping[str, tuple[int, object]]] = answers

        def do_GET(self) -> None:
            status, body = self.known.get(self.path, (404, ""))
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Silence: the test's output is not the place."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def accepting(speak: Callable[[socket.socket], None]) -> Iterator[int]:
    """A listener that accepts one connection, lets ``speak`` do what it likes with it, and ends with the block."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                try:
                    speak(peer)
                    done.wait(10)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            done.set()
            thread.join(10)


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def ask(probe: Probe, **facts: Value) -> tuple[dict[str, Value], str]:
    """The facts of a probe that is carried out with these facts of the launch, and what it recorded."""
    target = Target(facts={name.replace("__", "."): value for name, value in facts.items()})
    transcripts = [capture(read, {}) for read in probe.reads(target)]
    return dict(probe.parse(transcripts)), transcripts[0].text


def test_a_server_that_is_well() -> None:
    """Health, version and load are told; the key in the answer is not even recorded."""
    with serving({"/health": (200, ""), "/server_info": (200, INFO), "/metrics": (200, METRICS)}) as port:
        found, text = ask(SERVER_ENDPOINT, server__port=port)
    assert found == {
        "server_endpoint.reachable": True,
        "server_endpoint.answers": True,
        "server_endpoint.port": port,
        "server_endpoint.health_status": 200,
        "sglang.version": "0.5.9",
        "server_endpoint.model_path": "/models/m",
        "server_endpoint.tp_size": 8,
        "server_endpoint.disaggregation_mode": "prefill",
        "server_endpoint.metrics_enabled": True,
        "server_endpoint.running_requests": 5.0,
        "server_endpoint.queued_requests": 0.0,
        "server_endpoint.token_usage": 0.25,
    }
    assert "not-a-real-key" not in text


def test_an_older_server_that_is_starting() -> None:
    """Older releases know the longer name only; 503 is an answer too."""
    with serving({"/health": (503, ""), "/get_server_info": (200, {"version": "0.4.6"})}) as port:
        found, _ = ask(SERVER_ENDPOINT, server__port=port)
    assert found["server_endpoint.health_status"] == 503
    assert found["sglang.version"] == "0.4.6"
    assert found["server_endpoint.metrics_enabled"] is False


def test_a_server_that_wants_a_key() -> None:
    """A refused question says that a key is set."""
    with serving({"/health": (200, ""), "/server_info": (401, {"error": "Unauthorized"})}) as port:
        found, _ = ask(SERVER_ENDPOINT, server__port=port)
    assert found["server_endpoint.needs_key"] is True
    assert "sglang.version" not in found


def test_nobody_listens() -> None:
    """A refused connection is an answer: not reachable."""
    port = free_port()
    found, _ = ask(SERVER_ENDPOINT, server__port=port)
    assert found == {
        "server_endpoint.reachable": False,
        "server_endpoint.answers": False,
        "server_endpoint.port": port,
    }


def test_connections_that_go_wrong() -> None:
    """Silence, drops that never end, and what is not HTTP each end in time and are told apart."""

    def drip(peer: socket.socket) -> None:
        peer.settimeout(0.3)
        for _ in range(40):
            peer.sendall(b"HTTP/1.1 200 OK\r\n"[:1])
            threading.Event().wait(0.1)

    with accepting(lambda peer: None) as port:
        assert get("127.0.0.1", port, "/health").outcome == TIMED_OUT
    with accepting(drip) as port:
        assert get("127.0.0.1", port, "/health").outcome == TIMED_OUT
    with accepting(lambda peer: peer.sendall(b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n")) as port:
        assert get("127.0.0.1", port, "/health").outcome == NOT_HTTP
    assert get("127.0.0.1", free_port(), "/health").outcome == REFUSED


def test_only_this_machine_is_asked() -> None:
    """Another host's address is refused, whoever configured it."""
    with pytest.raises(ValueError, match="not an address"):
        get("203.0.113.7", 80, "/")
    with pytest.raises(ValueError, match="not an address"):
        get("example.com", 80, "/")
    assert own_host("203.0.113.7") == "127.0.0.1"
    assert own_host("0.0.0.0") == "127.0.0.1"
    assert own_host("::") == "::1"
    assert own_host(None) == "127.0.0.1"


def test_a_router_of_two_sides() -> None:
    """The workers' kinds tell what it routes; their addresses are not recorded."""
    with serving({"/health": (200, ""), "/workers": (200, WORKERS)}) as port:
        found, text = ask(ROUTER_ENDPOINT, router__port=port)
    assert found == {
        "router.reachable": True,
        "router.answers": True,
        "router.port": port,
        "router.health_status": 200,
        "router.workers": 2,
        "router.healthy_workers": 1,
        "router.prefill_workers": 1,
        "router.decode_workers": 1,
        "router.regular_workers": 0,
        "router.pd_mode": True,
    }
    assert "10.0.0.1" not in text


@pytest.mark.parametrize(
    ("answers", "pd_mode"),
    [
        ({"/workers": (200, {"workers": [{"worker_type": "regular", "is_healthy": True}]})}, False),
        ({"/workers": (200, {"workers": []})}, None),
        ({"/list_workers": (200, {"urls": ["http://10.0.0.1:1"]})}, None),
        ({"/get_server_info": (200, {"prefill": [{}], "decode": [{}, {}]})}, True),
        ({"/workers": (401, "")}, None),
    ],
)
def test_routers_of_other_releases(answers: dict[str, tuple[int, object]], pd_mode: bool | None) -> None:
    """Each release tells its workers elsewhere; where none tells their kind the mode is left open."""
    with serving({"/health": (200, ""), **answers}) as port:
        found, _ = ask(ROUTER_ENDPOINT, router__port=port)
    assert found.get("router.pd_mode") is pd_mode
    assert found["router.reachable"] is True


@pytest.mark.parametrize("flag", ["--pd-disaggregation", "--worker-urls"])
def test_a_router_that_is_gone(flag: str) -> None:
    """A router that was started here and does not listen is unreachable; its command still tells its mode."""
    port = free_port()
    command = ("python", "-m", "sglang_router.launch_router", flag, "--port", str(port))
    found, _ = ask(ROUTER_ENDPOINT, router__command=command, router__port=port)
    assert found["router.reachable"] is False
    assert found["router.pd_mode"] is (flag == "--pd-disaggregation")


def test_no_router_is_known() -> None:
    """Without a sign of a router its absence is no finding."""
    with pytest.raises(NotApplicable):
        dict(ROUTER_ENDPOINT.parse([Transcript("answers of the router", "ok", "")]))
    answer = interpret(ROUTER_ENDPOINT, [Transcript("answers of the router", "ok", "")])
    assert answer.outcome == NOT_APPLICABLE


def test_numbers_that_are_none_are_left_out() -> None:
    """A recording from elsewhere may hold anything; what no report could carry on is dropped."""
    line = '{"port": 1, "path": "/server_info", "outcome": "answered", "status": 200, "kept": %s}\n'
    kept = '{"token_usage": NaN, "tp_size": 8, "api_key": "x", "model_path": "%s"}' % ("m" * 5000)
    found = dict(SERVER_ENDPOINT.parse([Transcript("x", "ok", line % kept)]))
    assert found["server_endpoint.tp_size"] == 8
    assert not {name for name in found if "api_key" in name or "token_usage" in name or "model_path" in name}
