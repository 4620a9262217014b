"""Where a webhook goes, and with which headers: as the operator wrote it, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from triage.records import dataclass
from triage.safety.secret_names import secret_name
from triage.watching.loopback import is_loopback

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_TARGET = re.compile(r"[\x21-\x7e]+")
_OURS = frozenset(
    ("connection", "content-length", "content-type", "expect", "host", "te", "transfer-encoding", "upgrade")
)
_PORTS = {"http": 80, "https": 443}
_MOST_OF_A_FILE = 64 << 10


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what a redirect may not lead away from. ``str`` shows it; the rest of a URL may be a secret."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


@dataclass(frozen=True, slots=True)
class Target:
    """``path`` with its query, as it is sent to ``origin``; ``headers`` by name."""

    origin: Origin
    path: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether anybody on the way can read what is sent."""
        return self.origin.scheme == "http" and not is_loopback(self.origin.host)


def target(url: str, headers: Sequence[str], environment: Mapping[str, str]) -> Target:
    """The target that ``--webhook`` and ``--webhook-header`` mean. Both may name where the text is instead of holding it,
    ``env:NAME`` or ``file:PATH``, so that no secret need stand among the arguments of a process.

    Raises:
        ValueError: it is none; the message shows no value that may be secret.
    """
    parts = _split(_looked_up(url, environment, "the URL"))
    origin, path = origin_and_path(parts)
    return Target(origin, path, tuple(_header(line, environment) for line in headers))


def origin_and_path(parts: SplitResult) -> tuple[Origin, str]:
    """What of a URL is connected to, and what is asked for there.

    Raises:
        ValueError: there is something in it that cannot be sent.
    """
    if parts.scheme not in _PORTS:
        raise ValueError("a URL that begins with https:// or http:// is wanted")
    if not parts.hostname:
        raise ValueError("the URL names no host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the URL holds a user; give it as --webhook-header 'Authorization: env:NAME' instead")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # A header of one's own could be smuggled into the request line.
    if not _TARGET.fullmatch(path) or not _TARGET.fullmatch(parts.hostname):
        raise ValueError("the URL holds spaces or characters that have to be percent-encoded")
    return Origin(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]), path


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("this is no URL") from None
    return parts


def _header(line: str, environment: Mapping[str, str]) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    name, value = name.strip(), value.strip()
    if not colon or not _NAME.fullmatch(name):
        raise ValueError("a header is written 'NAME: VALUE'")
    if name.lower() in _OURS:
        raise ValueError(f"the header {name} is set by us")
    found = _looked_up(value, environment, f"the header {name}")
    if found is value and secret_name(name) is not None:
        raise ValueError(
            f"{name}: a secret must not stand in the command; write '{name}: env:NAME' or '{name}: file:PATH'"
        )
    if not _VALUE.fullmatch(found):
        raise ValueError(f"the header {name} holds a line end or a character that is not ASCII")
    return name, found


def _looked_up(value: str, environment: Mapping[str, str], what: str) -> str:
    """``value`` itself, or the text that it names."""
    kind, colon, name = value.partition(":")
    if not colon or kind not in ("env", "file"):
        return value
    if kind == "env":
        if not environment.get(name):
            raise ValueError(f"{what}: the environment has no {name}")
        return environment[name].strip()
    try:
        with Path(name).open("rb") as stream:
            text = stream.read(_MOST_OF_A_FILE).decode("ascii").strip()
    except OSError as error:
        raise ValueError(f"{what}: {name}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ValueError(f"{what}: {name} holds more than ASCII") from None
    if not text:
        raise ValueError(f"{what}: {name} is empty")
    return text
