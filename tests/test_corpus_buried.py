"""A failure buried in a hundred thousand ordinary lines, and wrapped by who collected them, is the same failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.test_corpus import corpus_root
from triage.engine import scan_text

if TYPE_CHECKING:
    from triage.knowledge.compiled import Knowledge

pytestmark = pytest.mark.corpus

LINES = 100_000
BEHIND = 1_000
WRAPPERS = {
    "compose": "sglang-1  | ",
    "docker": "2026-03-01T10:00:00.123456789Z ",
    "kubectl": "[pod/sglang-0/server] ",
    "journald": "Mar 01 10:00:00 node-1 sglang[4242]: ",
}


def _ordinary(number: int) -> str:
    rank = number % 8
    if number % 9 == 8:
        return f'[2026-03-01 09:00:00] INFO:     10.0.0.5:{40000 + rank} - "POST /generate HTTP/1.1" 200 OK'
    kind = "Decode" if number % 5 else "Prefill"
    return (
        f"[2026-03-01 09:00:00 TP{rank}] {kind} batch, #running-req: {number % 90}, #token: {number * 7 % 90000}, "
        "token usage: 0.31, cuda graph: True, gen throughput (token/s): 2101.22, #queue-req: 0"
    )


def _access(number: int) -> str:
    return f'[2026-03-01 09:00:00] INFO:     10.0.0.5:{40000 + number % 999} - "GET /health HTTP/1.1" 200 OK'


def _cases() -> list[Path]:
    return sorted(path.parent for path in (corpus_root() / "cases").glob("*/case.json"))


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_the_buried_failure_has_the_same_first_answer(wrapper: str, knowledge: Knowledge) -> None:
    """Every fourth case in each wrapper: the first diagnosis is that of the bare log."""
    cases = _cases()
    if not cases:
        pytest.skip(f"no labelled corpus at {corpus_root()}; set SGLTRIAGE_CORPUS")
    mark = WRAPPERS[wrapper]
    before = "".join(f"{mark}{_ordinary(number)}\n" for number in range(LINES)).encode()
    behind = "".join(f"{mark}{_access(number)}\n" for number in range(BEHIND)).encode()
    changed: list[str] = []
    for path in cases[list(WRAPPERS).index(wrapper) :: len(WRAPPERS)]:
        text = (path / "log.txt").read_bytes()
        bare = scan_text(text, knowledge, "log.txt").diagnoses
        wrapped = b"".join(mark.encode() + line + b"\n" for line in text.splitlines())
        buried = scan_text(before + wrapped + behind, knowledge, "log.txt").diagnoses
        expected, found = (items[0].id if items else None for items in (bare, buried))
        if expected != found:
            label = json.loads((path / "case.json").read_text(encoding="utf-8"))["causes"]
            changed.append(f"{path.name}: {found}, bare {expected} (label {label})")
    assert changed == [], "\n".join(changed)
