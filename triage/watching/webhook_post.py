"""One POST: within a time, to one host, with its certificate checked."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from triage.records import dataclass
from triage.watching.webhook_target import Origin, Target, origin_and_path

_TIMEOUT_S = 10.0
_MOST_REDIRECTS = 3
_MOST_READ = 64 << 10
_FOLLOWED = frozenset((307, 308))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try. ``status``: the HTTP status, 0 if there was none; ``text`` says what went wrong, without
    anything that the server wrote; ``retry_after_s``: how long it asks us to wait."""

    status: int
    text: str = ""
    retry_after_s: float | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the server has it now."""
        return 200 <= self.status < 300


class Post:
    """Sends JSON to ``target``. ``timeout_s`` limits a whole try, from the connection to the answer."""

    def __init__(self, target: Target, agent: str, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._target, self._agent, self._timeout_s = target, agent, timeout_s
        self._tls = ssl.create_default_context() if target.origin.scheme == "https" else None

    @property
    def origin(self) -> Origin:
        """Where it goes."""
        return self._target.origin

    def send(self, body: bytes, identifier: str, left_s: float) -> Answer:
        """One try, in at most ``left_s`` seconds. ``identifier`` is the same for all tries of one alert. Never raises."""
        end = time.monotonic() + min(self._timeout_s, left_s)
        path = self._target.path
        for _hop in range(_MOST_REDIRECTS + 1):
            try:
                answer, location = self._try(path, body, identifier, end)
            except ssl.SSLCertVerificationError as error:
                return Answer(0, f"the certificate was refused: {error.verify_message}")
            except (OSError, http.client.HTTPException, ValueError) as error:
                return Answer(0, _reason(error, is_over=time.monotonic() >= end))
            if not 300 <= answer.status < 400:
                return answer
            if answer.status not in _FOLLOWED:
                return Answer(
                    answer.status, f"redirected with status {answer.status}, which would turn the POST into a GET"
                )
            try:
                parts = urlsplit(urljoin(f"{self.origin}{path}", location))
                origin, path = origin_and_path(parts)
            except ValueError:
                return Answer(answer.status, "redirected to something that is no URL")
            if origin != self.origin:
                return Answer(answer.status, f"redirected to {origin}, which is another host: not followed")
        return Answer(answer.status, f"redirected more than {_MOST_REDIRECTS} times")

    def _try(self, path: str, body: bytes, identifier: str, end: float) -> tuple[Answer, str]:
        connection = self._connection(end)
        with contextlib.closing(connection):
            connection.connect()
            # A socket's own limit is for each read: a server that sends a byte now and then would hold us for ever.
            watchdog = threading.Timer(max(0.0, end - time.monotonic()), _cut, [connection.sock])
            watchdog.daemon = True
            watchdog.start()
            try:
                headers = {
                    "Content-Type": "application/json; charset=utf-8", "User-Agent": self._agent,
                    "Idempotency-Key": identifier, "Connection": "close", **dict(self._target.headers),
                }  # fmt: skip
                connection.request("POST", path, body, headers)
                response = connection.getresponse()
                if time.monotonic() >= end:
                    # Headers that we cut off look like headers that ended.
                    raise TimeoutError
                # The status has said all; what follows is taken as far as it comes.
                with contextlib.suppress(OSError, http.client.HTTPException):
                    response.read(_MOST_READ)
            finally:
                watchdog.cancel()
        text = "" if 200 <= response.status < 300 else f"answered with status {response.status}"
        return Answer(response.status, text, _retry_after(response.getheader("Retry-After"))), response.getheader(
            "Location"
        ) or ""

    def _connection(self, end: float) -> http.client.HTTPConnection:
        seconds = max(0.05, end - time.monotonic())
        if self._tls is not None:
            return http.client.HTTPSConnection(self.origin.host, self.origin.port, timeout=seconds, context=self._tls)
        return http.client.HTTPConnection(self.origin.host, self.origin.port, timeout=seconds)


def _cut(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _reason(error: Exception, *, is_over: bool) -> str:
    if is_over or isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return f"cannot be reached: {error.strerror or error}"
    return f"no HTTP answer: {type(error).__name__}"


def _retry_after(value: str | None) -> float | None:
    """Seconds from now; the header holds seconds or a date."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value.strip()[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
