"""Probes: what a running server and a running router answer on this machine."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from triage.model import Value
from triage.probing.catalogue.command_lines import is_pd_router, option, port_option
from triage.probing.catalogue.http_get import ANSWERED, TIMED_OUT, Exchange, get, own_host
from triage.probing.catalogue.looks import look
from triage.probing.catalogue.processes import Process, running
from triage.probing.probe import NotApplicable, Probe, Read, Target, Transcript

_DEFAULT_PORT = 30000
_LOOK_S = 7.0
_INFO_FIELDS = (
    "version", "model_path", "served_model_name", "tp_size", "dp_size", "pp_size", "ep_size", "nnodes", "node_rank",
    "disaggregation_mode", "disaggregation_bootstrap_port", "mem_fraction_static", "max_total_num_tokens",
    "max_running_requests", "context_length", "quantization", "attention_backend",
)  # fmt: skip
"""What is kept of a server's answer about itself; the rest is long, and some of it secret."""
_GAUGES = {
    "sglang:num_running_reqs": "running_requests",
    "sglang:num_queue_reqs": "queued_requests",
    "sglang:token_usage": "token_usage",
    "sglang:gen_throughput": "generated_tokens_per_s",
}
_SERVER_FACTS = frozenset({*_INFO_FIELDS, *_GAUGES.values()})
_ROUTER_FACTS = ("workers", "healthy_workers", "prefill_workers", "decode_workers", "regular_workers")
_SAMPLE = re.compile(r"^(sglang:\w{1,60})(?:\{[^\n]*\})? (-?[0-9.]{1,20}(?:[eE][-+]?[0-9]{1,2})?)\s*$", re.MULTILINE)


def _server_reads(target: Target) -> Sequence[Read]:
    return (look("answers of the server", lambda: _ask_server(target), _LOOK_S),)


def _ask_server(target: Target) -> str:
    host, port = _server_place(target)
    exchanges = [get(host, port, "/health")]
    if exchanges[0].is_connected:
        exchanges.append(get(host, port, "/server_info"))
        # Older releases know the longer name only.
        if exchanges[-1].status == 404:
            exchanges.append(get(host, port, "/get_server_info"))
        exchanges.append(get(host, port, "/metrics"))
    return "".join(_line(item, _kept_of_server(item)) for item in exchanges)


def _server_place(target: Target) -> tuple[str, int]:
    port = target.facts.get("server.port")
    if isinstance(port, int) and target.pid is None:
        return own_host(target.facts.get("server.host")), port
    found = [item for item in _running(target.pid) if item.kind == "server"]
    if found:
        told = port_option(found[0].command)
        fallback = port if isinstance(port, int) else _DEFAULT_PORT
        return own_host(option(found[0].command, "--host")), told or _likely(found[0].ports, fallback)
    return own_host(target.facts.get("server.host")), port if isinstance(port, int) else _DEFAULT_PORT


def _running(pid: int | None) -> tuple[Process, ...]:
    try:
        return running(pid)
    except OSError:
        return ()


def _likely(ports: Sequence[int], usual: int) -> int:
    """The port of a process that hides its options: the usual one, unless it listens on one other port only."""
    return ports[0] if len(ports) == 1 else usual


def _kept_of_server(item: Exchange) -> dict[str, Any]:
    if item.path == "/metrics":
        # Of several ranks the busiest tells.
        values: dict[str, float] = {}
        for name, text in _SAMPLE.findall(item.body):
            if name in _GAUGES and text.count(".") < 2 and any(map(str.isdigit, text)):
                values[_GAUGES[name]] = max(float(text), values.get(_GAUGES[name], float(text)))
        return values
    record = item.parsed() if item.path.endswith("server_info") else None
    if not isinstance(record, dict):
        return {}
    return {name: record[name] for name in _INFO_FIELDS if _is_plain(record.get(name))}


def _is_plain(value: object) -> bool:
    """Text of a believable length or a number that JSON can carry on."""
    if isinstance(value, str):
        return len(value) <= 1000
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def _line(item: Exchange, kept: dict[str, Any]) -> str:
    record = {"port": item.port, "path": item.path, "outcome": item.outcome, "status": item.status, "kept": kept}
    return json.dumps(record, ensure_ascii=False) + "\n"


def _records(text: str) -> list[dict[str, Any]]:
    """The lines of a look at an endpoint.

    Raises:
        ValueError: one is not as we write them.
    """
    try:
        records = [json.loads(line) for line in text.split("\n") if line.strip()]
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not all(isinstance(item, dict) and isinstance(item.get("kept"), dict) for item in records):
        raise ValueError("not the answers of an endpoint")
    return records


def _parse_server(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    records = _records(transcripts[0].text)
    yield from _reachability("server_endpoint", records)
    for record in records:
        status = record.get("status")
        if record.get("path") == "/metrics" and status in (200, 404):
            yield "server_endpoint.metrics_enabled", status == 200
        elif status in (401, 403):
            yield "server_endpoint.needs_key", True
        for name, value in record["kept"].items():
            if name == "version":
                yield "sglang.version", str(value)
            elif name in _SERVER_FACTS and _is_plain(value):
                yield f"server_endpoint.{name}", value


def _reachability(prefix: str, records: Sequence[dict[str, Any]]) -> Iterator[tuple[str, Value]]:
    """Whether anybody accepts connections (reachable) and speaks HTTP in time (answers), and what /health says."""
    if not records:
        return
    outcomes = [item.get("outcome") for item in records]
    yield f"{prefix}.reachable", any(outcome not in (None, "refused") for outcome in outcomes)
    yield f"{prefix}.answers", ANSWERED in outcomes
    port = records[0].get("port")
    if isinstance(port, int):
        yield f"{prefix}.port", port
    health = next((item for item in records if item.get("path") == "/health"), {})
    if health.get("outcome") == TIMED_OUT:
        yield f"{prefix}.health_timed_out", True
    status = health.get("status")
    if isinstance(status, int) and status > 0:
        yield f"{prefix}.health_status", status


def _router_reads(target: Target) -> Sequence[Read]:
    return (look("answers of the router", lambda: _ask_router(target), _LOOK_S),)


def _ask_router(target: Target) -> str:
    command = target.facts.get("router.command")
    told = tuple(map(str, command)) if isinstance(command, tuple) else ()
    found = next((item for item in _running(None) if item.kind == "router"), None)
    known = found.command if found and found.command else told
    port = target.facts.get("router.port")
    if not isinstance(port, int) and (found or told):
        port = port_option(known) or (_likely(found.ports, _DEFAULT_PORT) if found else _DEFAULT_PORT)
    pd_mode = target.facts.get("router.pd_mode")
    if known:
        pd_mode = is_pd_router(known)
    if not isinstance(port, int):
        return _unknown_router(target)
    host = own_host(option(known, "--host") or target.facts.get("router.host"))
    exchanges = [get(host, port, "/health")]
    for path in ("/workers", "/list_workers", "/get_server_info"):
        # Releases differ in which of them they know; the first that tells is enough.
        if exchanges[-1].outcome != ANSWERED or (len(exchanges) > 1 and exchanges[-1].status != 404):
            break
        exchanges.append(get(host, port, path))
    lines = "".join(_line(item, _kept_of_router(item)) for item in exchanges)
    command_line = json.dumps({"path": "", "kept": {"pd_mode": pd_mode}}) + "\n"
    return lines + (command_line if isinstance(pd_mode, bool) else "")


def _unknown_router(target: Target) -> str:
    """The answer of a router on one of the two usual ports, where nothing tells of a router; empty if there is none."""
    for port in (_DEFAULT_PORT, 8000):
        if port != target.facts.get("server.port"):
            item = get("127.0.0.1", port, "/workers")
            kept = _kept_of_router(item)
            # Whoever else listens there must not be taken for one.
            if "workers" in kept:
                return _line(item, kept)
    return ""


def _kept_of_router(item: Exchange) -> dict[str, Any]:
    """Counts of workers; their addresses are left out."""
    record = item.parsed() if item.status == 200 else None
    if not isinstance(record, dict):
        return {}
    workers, urls = record.get("workers"), record.get("urls")
    if isinstance(workers, list):
        known = [worker for worker in workers if isinstance(worker, dict)]
        kept = {f"{kind}_workers": _count(known, "worker_type", kind) for kind in ("prefill", "decode", "regular")}
        return {"workers": len(known), "healthy_workers": _count(known, "is_healthy", True), **kept}
    if isinstance(urls, list):
        return {"workers": len(urls)}
    # The small load balancer for tests answers with its two sides.
    if isinstance(record.get("prefill"), list) and isinstance(record.get("decode"), list):
        return {"prefill_workers": len(record["prefill"]), "decode_workers": len(record["decode"])}
    return {}


def _count(workers: Sequence[dict[str, Any]], name: str, value: object) -> int:
    return sum(worker.get(name) == value for worker in workers)


def _parse_router(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    records = _records(transcripts[0].text)
    if not records:
        raise NotApplicable("nothing tells of a router on this machine")
    asked = [item for item in records if item.get("path")]
    yield from _reachability("router", asked)
    kept = {name: value for item in records for name, value in item["kept"].items() if isinstance(value, int)}
    yield from ((f"router.{name}", kept[name]) for name in _ROUTER_FACTS if name in kept)
    pairs = kept.get("prefill_workers", 0) or kept.get("decode_workers", 0)
    if isinstance(kept.get("pd_mode"), bool):
        yield "router.pd_mode", kept["pd_mode"]
    elif pairs or kept.get("regular_workers", 0):
        yield "router.pd_mode", bool(pairs)


SERVER_ENDPOINT = Probe(
    "server-endpoint", "What the server answers on its port: health, version, load", _server_reads, _parse_server, 0.5
)

ROUTER_ENDPOINT = Probe(
    "router-endpoint", "What the router answers on its port: health, its workers, whether it routes PD", _router_reads, _parse_router, 0.5
)  # fmt: skip
