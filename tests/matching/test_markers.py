"""The engine's own expressions: each is confirmed by what found it, and finds what servers print."""

from __future__ import annotations

import pytest

from triage.knowledge.database import PatternDatabase
from triage.matching.confirm import CompiledPatterns, Confirmer
from triage.matching.markers import all_markers, marker_pattern
from triage.matching.observe import observe
from triage.matching.scanner import Scanner
from triage.model import Observation


@pytest.fixture(scope="module")
def database() -> PatternDatabase:
    """The markers alone."""
    return PatternDatabase.compile(all_markers())


def _seen(database: PatternDatabase, text: str) -> Observation:
    scanner = Scanner("log", database, Confirmer(CompiledPatterns(marker_pattern)))
    scanner.feed(text.encode())
    return observe([scanner.finish()], [((), False)])


def test_keys_are_unique_and_known() -> None:
    """Every marker has its own key, and its pattern is found by it."""
    keys = [item.key for item in all_markers()]
    assert len(set(keys)) == len(keys)
    for item in all_markers():
        assert marker_pattern(item.key).regex == item.source
    with pytest.raises(KeyError):
        marker_pattern("@nobody")


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        "ValueError: bad",
        "asyncio.exceptions.TimeoutError: waited 5 s",
        "AssertionError",
        "[2026-03-01 10:00:00] ERROR:    boom",
        "[rank3]:[E311 20:09:12.114018332 ProcessGroupNCCL.cpp:632] watchdog caught",
        "F0820 14:27:21.482718 12345 a.cc:1] check failed",
        "CUDA error: an illegal memory access was encountered",
        "Fatal Python error: Segmentation fault",
        "terminate called after throwing an instance of 'c10::Error'",
        "thread 'main' panicked at src/main.rs:1",
        "bash: line 1:    42 Killed",
        "gcc: fatal error: no input files",
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "[node-a:24113:0:24113] ib_mlx5_log.c:143  Transport retry count exceeded on mlx5_0:1/RoCE (synd 0x15 vend 0x81 hw_synd 0/0)",
    ],
)
def test_error_lines(database: PatternDatabase, line: str) -> None:
    """What speaks of an error is listed with its place."""
    assert [error.place.line for error in _seen(database, f"before\n{line}\nafter\n").errors] == [2]


@pytest.mark.parametrize(
    "line",
    [
        "Decode batch. #running-req: 1, #token: 100, token usage: 0.01",
        '[2026-03-01 10:00:00] INFO:     10.0.0.1:1234 - "POST /generate HTTP/1.1" 200 OK',
        "error rate is 0.0 and errors=0",
        "[1745994234.385141] [node-a:711260:0]     ucp_context.c:1774 UCX  WARN  UCP version is incompatible",
        "[node-a:711260:0:711300] ucp_context.c:1774 UCX  INFO  version 1.17",
        "I0820 14:27:21.482718 12345 a.cc:1] fine",
        "[2026-03-01 10:00:00] Receive: obj=GenerateReqInput(text='ValueError: x Traceback (most recent call last)')",
        "[2026-03-01 10:00:00] server_args=ServerArgs(model_path='ValueError: x')",
        "[2026-03-01 10:00:00] Ignore import error when loading sglang.srt.models.x: ImportError: no y",
    ],
)
def test_quiet_lines(database: PatternDatabase, line: str) -> None:
    """Healthy lines, dumps and benign notices are no error lines."""
    assert _seen(database, f"{line}\n").errors == ()
