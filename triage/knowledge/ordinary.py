"""Lines of which a healthy server prints thousands an hour: nothing may look for them, or every log is looked at line by line."""

from __future__ import annotations

ORDINARY_LINES = (
    ("[2026-03-01 10:00:00 DP0 PP0 TP3 EP3] Decode batch, #running-req: 12, #token: 40211, token usage: 0.21, accept len: 2.10, "
    "accept rate: 0.70, cuda graph: True, gen throughput (token/s): 801.22, #queue-req: 0, #retracted-req: 0,"),
    ("[2026-03-01 10:00:00 TP3] Decode batch. #running-req: 12, #token: 40211, token usage: 0.21, gen throughput (token/s): 801.22, "
    "#queue-req: 0, pre-allocated usage: 0.00, #prealloc-req: 0, #transfer-req: 0, #full token: 1, full token usage: 0.11, "
    "swa token usage: 0.11, mamba num: 2, mamba usage: 0.01"),
    ("[2026-03-01 10:00:00 TP0] Prefill batch, #new-seq: 1, #new-token: 512, #cached-token: 64, token usage: 0.01, #running-req: 8, "
    "#queue-req: 0, #prealloc-req: 0, #inflight-req: 0, input throughput (token/s): 1822.10, cuda graph: False, #unbootstrapped-req: 0"),
    "[2026-03-01 10:00:00] INFO:     10.0.0.5:45520 - \"POST /v1/chat/completions HTTP/1.1\" 200 OK",
    "[2026-03-01 10:00:00] INFO:     127.0.0.1:45520 - \"GET /health_generate HTTP/1.1\" 200 OK",
    "INFO:     127.0.0.1:45520 - \"POST /generate HTTP/1.1\" 200 OK",
    ("2026-03-01 10:00:00  INFO http_request{method=POST uri=/v1/chat/completions version=HTTP/1.1 request_id=\"chatcmpl-1\"}: "
    "smg::middleware: finished processing request latency=812 ms status=200"),
)  # fmt: skip
"""Decode and prefill lines of all releases, access lines of uvicorn and of the router."""


def is_ordinary(source: str) -> bool:
    """Whether a regex of a signature matches a line that healthy servers print all the time."""
    import regex

    compiled = regex.compile(source.encode(), regex.ASCII)
    return any(compiled.search(line.encode()) for line in ORDINARY_LINES)
