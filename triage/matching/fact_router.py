"""Where the parts of a prefill/decode deployment listen: told by the router's first line, its command, or a server's arguments."""

from __future__ import annotations

import re

from triage.lazy_regex import lazy_regex
from triage.matching.launch_line import option_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from triage.model import Value

    Named = Iterator[tuple[str, Value]]

STARTED = r"Starting router on ([\w\[:][\w.:\[\]-]{0,252}):(\d{1,5}) \| mode: "
PAIRS = r"(?:Starting router on \S{1,270} \| |Router )mode: PrefillDecode \{([^\n]{0,16000})"
_DEFAULT_PORT = 30000
_LAST_PORT = 65535
_PREFILL = lazy_regex(r'\("(https?://[^"\s]{1,260})", (?:Some\((\d{1,5})\)|None)\)')
_DECODE_LIST = lazy_regex(r"decode_urls: \[([^\]]{0,8000})\]")
_URL = lazy_regex(r"https?://[^\s\"',\])]{1,260}")
# An address in brackets (IPv6) or one with a name and password is left to people.
_PLACE = lazy_regex(r"https?://([A-Za-z0-9][\w.-]{0,252}):(\d{1,5})/?")
_EVERY_ADDRESS = frozenset(("0.0.0.0", "::", "[::]", "*", ""))  # noqa: S104  (compared with, not bound to)


def router_started(match: re.Match[str]) -> Named:
    """``Starting router on HOST:PORT | mode: ...``, as ``STARTED`` matches it."""
    yield from _listens("router.", match[1], int(match[2]))


def router_pairs(match: re.Match[str]) -> Named:
    """The servers of a router in PD mode, as ``PAIRS`` matches them."""
    yield "router.pd_mode", True
    text = match[1]
    prefill = _PREFILL.findall(text)
    decode = _DECODE_LIST.search(text)
    yield from _sides([url for url, _ in prefill], _URL.findall(decode[1]) if decode else ())
    yield from _agreed("router.bootstrap_port", [int(port) if port else None for _, port in prefill])


def router_command(argv: tuple[str, ...]) -> Named:
    """Where a router started by the whole command ``argv`` listens, and its servers."""
    stated: dict[str, list[Value]] = {}
    for field, value in option_values(argv):
        stated.setdefault(field, []).append(value)
    port = stated.get("port", [_DEFAULT_PORT])[-1]
    yield from _listens("router.", stated.get("host", [""])[-1], port)
    prefill = [value if isinstance(value, tuple) else (value,) for value in stated.get("prefill", ())]
    yield from _sides([str(words[0]) for words in prefill], [str(value) for value in stated.get("decode", ())])
    yield from _agreed("router.bootstrap_port", [words[1] if len(words) > 1 else None for words in prefill])


def server_place(stated: Mapping[str, Value]) -> Named:
    """Where a prefill or decode server listens, by the fields of its arguments; nothing of any other server."""
    mode = stated.get("disaggregation_mode")
    if mode not in ("prefill", "decode"):
        return
    yield from _listens(f"pd.{mode}_", stated.get("host"), stated.get("port"))
    bootstrap = stated.get("disaggregation_bootstrap_port")
    if mode == "prefill" and _is_port(bootstrap):
        yield "pd.bootstrap_port", bootstrap


def _listens(prefix: str, host: Value, port: Value) -> Named:
    """No host where it listens on every address: that one cannot be asked from elsewhere."""
    if isinstance(host, str) and host not in _EVERY_ADDRESS:
        yield f"{prefix}host", host
    if _is_port(port):
        yield f"{prefix}port", port


def _sides(prefill: Sequence[str], decode: Sequence[str]) -> Named:
    for side, urls in (("prefill", prefill), ("decode", decode)):
        places = [_PLACE.fullmatch(url) for url in urls]
        yield from _agreed(f"pd.{side}_host", [place[1] if place else None for place in places])
        yield from _agreed(f"pd.{side}_port", [int(place[2]) if place else None for place in places])


def _agreed(name: str, values: Sequence[Value]) -> Named:
    """Of several servers only what is the same for all: which of them a failure is about is not known here."""
    agree = bool(values) and values[0] is not None and all(value == values[0] for value in values)
    if agree and (not name.endswith("_port") or _is_port(values[0])):
        yield name, values[0]


def _is_port(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LAST_PORT
