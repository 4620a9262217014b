"""Webhooks against a real server on loopback that fails, redirects, hangs and lies."""

from __future__ import annotations

import email.utils
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.watching.telling import ENDED, Clock, appeared, encode, gate, resolved, sequences, texts
from triage.watching.background import Delivery
from triage.watching.fan_out import Notes
from triage.watching.webhook import Patience, Webhook
from triage.watching.webhook_post import Post
from triage.watching.webhook_target import target

HASTE = Patience(tries=4, first_s=0.02, longest_s=0.05, most_asked_s=2.0)
Reply = tuple[int, dict[str, str]]


class Receiver(ThreadingHTTPServer):
    """Answers posts with ``replies`` in turn, the last one for ever; keeps what came."""

    daemon_threads = True

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/hook?token=s3cr3t"

    def next_reply(self) -> Reply:
        """What to answer now."""
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is no trouble."""


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.times.append(time.monotonic())
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.paths.append(self.path)
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        status, headers = self.server.next_reply()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture(name="receiver")
def receiver_fixture() -> Iterator[Callable[..., Receiver]]:
    """Makes servers, and ends them with the test."""
    made: list[Receiver] = []

    def make(*replies: Reply) -> Receiver:
        made.append(Receiver(*replies or ((204, {}),)))
        return made[-1]

    yield make
    for server in made:
        server.shutdown()
        server.server_close()


class Rig:
    """A webhook for ``url`` and what became of it."""

    def __init__(
        self, url: str, *headers: str, timeout_s: float = 10.0, cooldown_s: float = 0.0, patience: Patience = HASTE
    ) -> None:
        self.notes, self.delivery, self.clock = Notes(), Delivery("webhook"), Clock()
        post = Post(target(url, headers, {"TOKEN": "Bearer s3cr3t-t0ken"}), "sgltriage/test", timeout_s=timeout_s)
        watch_out = gate(cooldown_s, self.clock)
        self.webhook = Webhook(post, watch_out, encode, self.delivery, self.notes, patience=patience)

    def wait(self, **expected: int) -> None:
        """Until as much was delivered, failed or dropped, or 20 s."""
        end = time.monotonic() + 20
        while not expected.items() <= self.delivery.counts().items():
            assert time.monotonic() < end, self.delivery.counts()
            time.sleep(0.01)


def test_posts_the_event(receiver: Callable[..., Receiver]) -> None:
    """The JSON of the event, its headers, and a key that tells tries of one alert from other alerts."""
    server = receiver()
    rig = Rig(server.url, "Authorization: env:TOKEN", "X-Team: infra")
    rig.webhook.tell(appeared(7, text="x\x1b[2J api_key=sk-abcdefghijklmnop1234"))
    rig.webhook.tell(resolved(8))
    rig.webhook.close(ENDED)
    assert sequences(server.bodies) == [7, 8]
    assert b"sk-abcdef" not in server.bodies[0]
    assert b"\\u001b" not in server.bodies[0]
    headers = server.headers[0]
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["authorization"] == "Bearer s3cr3t-t0ken"
    assert headers["x-team"] == "infra"
    assert headers["idempotency-key"] != server.headers[1]["idempotency-key"]
    assert server.paths == ["/hook?token=s3cr3t"] * 2
    assert texts(rig.notes) == []


def test_fails_twice_and_arrives(receiver: Callable[..., Receiver]) -> None:
    """The same body and key again; the trouble is noted once, without the secret of the URL, and so is its end."""
    server = receiver((503, {}), (500, {}), (200, {}))
    rig = Rig(server.url)
    rig.webhook.tell(appeared(1))
    rig.wait(delivered=1)
    assert len(set(server.bodies)) == 1
    assert len(server.bodies) == 3
    assert len({headers["idempotency-key"] for headers in server.headers}) == 1
    trouble, over = texts(rig.notes)
    assert trouble.endswith("answered with status 503: tried again")
    assert over.endswith("taken again")
    assert "s3cr3t" not in trouble + over


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after(receiver: Callable[..., Receiver], as_date: bool) -> None:
    """Seconds or a date: not before it has passed."""
    value = email.utils.formatdate(time.time() + 2, usegmt=True) if as_date else "1"
    server = receiver((429, {"Retry-After": value}), (200, {}))
    rig = Rig(server.url)
    rig.webhook.tell(appeared(1))
    rig.wait(delivered=1)
    # A date has whole seconds only.
    assert server.times[1] - server.times[0] >= 0.9


def test_the_pause_is_capped_and_spread() -> None:
    """Doubled with each try up to the longest, never all at once, and what a server asks for has a limit."""
    patience = Patience()
    for failed, most in ((1, 1.0), (2, 2.0), (5, 16.0), (30, 60.0)):
        pauses = [patience.pause_s(failed, None) for _ in range(200)]
        assert all(0 < pause <= most for pause in pauses)
        assert max(pauses) - min(pauses) > most / 3
    assert patience.pause_s(1, 120.0) == 120.0
    assert patience.pause_s(1, 1e9) == 300.0


def test_what_is_refused_is_not_tried_again(receiver: Callable[..., Receiver]) -> None:
    """A wrong token stays wrong; the next alert is posted all the same."""
    server = receiver((401, {}), (200, {}))
    rig = Rig(server.url)
    rig.webhook.tell(appeared(1))
    rig.webhook.tell(appeared(2, "other"))
    rig.wait(failed=1, delivered=1)
    assert sequences(server.bodies) == [1, 2]
    assert "answered with status 401: not tried again" in texts(rig.notes)[0]


def test_given_up(receiver: Callable[..., Receiver]) -> None:
    """After as many tries as there are."""
    server = receiver((500, {}))
    rig = Rig(server.url)
    rig.webhook.tell(appeared(1))
    rig.wait(failed=1)
    assert len(server.bodies) == HASTE.tries
    assert texts(rig.notes)[-1].endswith("given up for this alert")


def test_redirects(receiver: Callable[..., Receiver]) -> None:
    """Followed on the same host with the POST kept, and never with a token to another one."""
    other = receiver()
    server = receiver((308, {"Location": "/moved"}), (200, {}))
    rig = Rig(server.url, "Authorization: env:TOKEN")
    rig.webhook.tell(appeared(1))
    rig.wait(delivered=1)
    assert server.paths == ["/hook?token=s3cr3t", "/moved"]
    for location in (other.url, "https://127.0.0.1/", "//127.0.0.2/x", "ftp://127.0.0.1/", "http://127.0.0.1:x/"):
        server.replies = [(307, {"Location": location})]
        rig.webhook.tell(appeared(2, f"cause-{len(server.bodies)}"))
        rig.wait(failed=rig.delivery.counts()["failed"] + 1)
    assert other.bodies == []
    noted = texts(rig.notes)
    assert len(noted) == 5
    assert all("redirected to" in text and "s3cr3t" not in text for text in noted)


def test_a_redirect_that_would_become_a_get(receiver: Callable[..., Receiver]) -> None:
    """303 and its like are no delivery."""
    server = receiver((303, {"Location": "/login"}))
    rig = Rig(server.url)
    rig.webhook.tell(appeared(1))
    rig.wait(failed=1)
    assert len(server.bodies) == 1


def test_a_circle(receiver: Callable[..., Receiver]) -> None:
    """Ends."""
    server = receiver((307, {"Location": "/round"}))
    rig = Rig(server.url)
    rig.webhook.tell(appeared(1))
    rig.wait(failed=1)
    assert "redirected more than 3 times" in texts(rig.notes)[0]


@pytest.fixture(name="tarpit")
def tarpit_fixture() -> Iterator[str]:
    """The URL of a server that takes connections and answers with a byte now and then, never with an end."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
                while not over.wait(0.05):
                    connection.sendall(b"x")
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    over.set()
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def test_a_server_that_never_ends_its_answer(tarpit: str) -> None:
    """The time is that of the whole try, not of each byte; telling never waits."""
    rig = Rig(tarpit, timeout_s=1.0, patience=Patience(tries=1))
    began = time.monotonic()
    rig.webhook.tell(appeared(1))
    assert time.monotonic() - began < 0.9
    rig.wait(failed=1)
    assert "no answer in time" in texts(rig.notes)[0]


def test_the_end_waits_five_seconds(tarpit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most (here: one); what was not handed over is counted and noted."""
    monkeypatch.setattr("triage.watching.webhook._FLUSH_S", 1.0)
    rig = Rig(tarpit, timeout_s=60.0)
    for sequence in range(1, 4):
        rig.webhook.tell(appeared(sequence, f"cause-{sequence}"))
    began = time.monotonic()
    rig.webhook.close(ENDED)
    assert time.monotonic() - began < 10
    counts = rig.delivery.counts()
    assert counts["delivered"] == 0
    assert counts["failed"] + counts["dropped"] == 3
    assert any("not handed over" in text for text in texts(rig.notes))


def test_nobody_listens() -> None:
    """Tried again, then given up."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    rig = Rig(f"http://127.0.0.1:{port}/")
    rig.webhook.tell(appeared(1))
    rig.wait(failed=1)
    assert "cannot be reached: Connection refused" in texts(rig.notes)[0]


def test_the_certificate_is_checked() -> None:
    """A server without one that is trusted gets nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        got: list[bytes] = []

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                got.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        rig = Rig(f"https://localhost:{listening.getsockname()[1]}/", patience=Patience(tries=1))
        rig.webhook.tell(appeared(1))
        rig.wait(failed=1)
        thread.join(timeout=10)
    assert not any(b"POST" in data or b"gpu-oom" in data for data in got)


def test_cool_down_and_the_end(receiver: Callable[..., Receiver]) -> None:
    """What is held back is posted when its time has come, or when watching ends."""
    server = receiver()
    rig = Rig(server.url, cooldown_s=60.0)
    rig.webhook.tell(appeared(1))
    rig.webhook.tell(resolved(2))
    rig.wait(delivered=1)
    assert sequences(server.bodies) == [1]
    rig.clock.now += 61
    rig.webhook.tell(appeared(3, "other"))  # the clock of this test wakes nobody by itself
    rig.wait(delivered=3)
    assert sorted(sequences(server.bodies)) == [1, 2, 3]
    rig.webhook.tell(resolved(4, "other"))
    rig.webhook.close(ENDED)
    assert sequences(server.bodies)[-1] == 4
