"""Probes: the SGLang processes of this machine (and, from their own module, what they answer)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from triage.model import Value
from triage.probing.catalogue.command_lines import port_option
from triage.probing.catalogue.endpoints import ROUTER_ENDPOINT, SERVER_ENDPOINT
from triage.probing.catalogue.processes import Process, from_text, running, to_text
from triage.probing.catalogue.text_forms import ASKED, asked, pairs, text_of, whole
from triage.probing.probe import Look, Probe, Read, Target, Transcript

_LOOK = "processes of SGLang"


def _reads(target: Target) -> Sequence[Read]:
    return (
        Look(_LOOK, lambda: to_text(running(target.pid))),
        *asked({"server_port": target.facts.get("server.port"), "router_port": target.facts.get("router.port")}),
    )


def _parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    text = text_of(transcripts, _LOOK)
    if text is None:
        raise ValueError("the processes could not be listed")
    found = from_text(text)
    wanted = pairs(text_of(transcripts, ASKED) or "")
    for kind in ("server", "router"):
        port = whole(wanted[f"{kind}_port"]) if f"{kind}_port" in wanted else None
        yield from _facts(kind, [item for item in found if item.kind == kind], port)
    parts = [item for item in found if item.kind == "part"]
    if parts:
        yield "server_process.parts", len(parts)
        yield "server_process.dead_parts", sum(item.state == "Z" for item in parts)


def _facts(kind: str, found: Sequence[Process], port: int | None) -> Iterator[tuple[str, Value]]:
    """Of several the one on the port that is asked about, else the first; ``count`` says that there are more."""
    prefix = f"{kind}_process"
    yield f"{prefix}.running", bool(found)
    if not found:
        return
    chosen = next((item for item in found if port is not None and _is_on(item, port)), found[0])
    yield f"{prefix}.count", len(found)
    yield f"{prefix}.pid", chosen.pid
    if chosen.command:
        yield f"{prefix}.command", chosen.command
    if chosen.ports:
        yield f"{prefix}.ports", chosen.ports
    for name in ("python", "started", "log", "state"):
        value = getattr(chosen, name)
        if value:
            yield f"{prefix}.{name}", value


def _is_on(item: Process, port: int) -> bool:
    return port in item.ports or port_option(item.command) == port


SERVER_PROCESS = Probe(
    "server-process",
    "A running SGLang server or router: its command, interpreter, start, log and ports",
    _reads,
    _parse,
    0.2,
)

PROBES = (SERVER_PROCESS, SERVER_ENDPOINT, ROUTER_ENDPOINT)
