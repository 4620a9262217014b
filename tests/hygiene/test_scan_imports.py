"""What a small scan loads: by modules, since a clock on a busy machine proves nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = frozenset(
    ("textual", "rich", "asyncio", "pydantic", "numpy", "yaml", "rapidfuzz", "torch", "sglang", "packaging")
)
DEAD = ROOT / "fixtures" / "logs" / "libcudnn-import" / "server.log"
HEALTHY = ROOT / "fixtures" / "logs" / "healthy-torn-lines-progress-bars" / "server.log"

DEAR = {
    "argparse", "ast", "asyncio", "contextlib", "copy", "ctypes", "dataclasses", "datetime", "email", "gettext", "hashlib", "http", "inspect",
    "ipaddress", "locale", "logging", "numpy", "packaging", "pathlib", "random", "rapidfuzz", "regex", "rich", "select", "shlex", "shutil",
    "socket", "statistics", "string", "subprocess", "tempfile", "textual", "threading", "traceback", "typing", "unicodedata", "urllib",
    "weakref", "yaml",
}  # fmt: skip
"""Modules of Python and of others that take a millisecond or more to load."""

FOR_MORE = {
    "triage.cli.crash", "triage.cli.diagnostics", "triage.cli.kb", "triage.fixing", "triage.host_view", "triage.knowledge.loading",
    "triage.knowledge.spec", "triage.preflight", "triage.probing", "triage.reading.expand", "triage.reasoning.clocks",
    "triage.reasoning.differential", "triage.reasoning.nearest", "triage.reasoning.next_step", "triage.reasoning.onset", "triage.reporting.json_format",
    "triage.running", "triage.safety.named_values", "triage.safety.prompts", "triage.safety.secret_shapes", "triage.session", "triage.sources",
    "triage.tui", "triage.watching",
}  # fmt: skip
"""Modules of our own that only a failure, a folder, another verb or another format needs."""

PLAIN = """\
[2026-03-01 09:00:00] server_args=ServerArgs(model_path='/models/m', host='0.0.0.0', port=30000, tp_size=8, context_length=None)
[2026-03-01 09:00:05 TP0] Init torch distributed begin.
[2026-03-01 09:00:07 TP0] Init torch distributed ends. mem usage=1.70 GB
[2026-03-01 09:00:20 TP0] Load weight end. elapsed=12.90 s, type=LlamaForCausalLM, avail mem=60.11 GB, mem usage=16.10 GB.
[2026-03-01 09:00:40] INFO:     Uvicorn running on http://0.0.0.0:30000 (Press CTRL+C to quit)
[2026-03-01 09:00:41] The server is fired up and ready to roll!
[2026-03-01 09:00:42 TP0] Decode batch, #running-req: 8, #token: 4096, token usage: 0.02, cuda graph: True, gen throughput (token/s): 812.11
[2026-03-01 09:00:43] INFO:     127.0.0.1:41234 - "POST /v1/chat/completions HTTP/1.1" 200 OK
"""


def modules_of_scan(log: Path, fmt: str, cache: Path) -> tuple[int, frozenset[str]]:
    """(exit status, every module that was imported) of a scan whose input and output are pipes."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "triage", "scan", "--format", fmt],
        input=log.read_bytes(),
        capture_output=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    rows = [row for row in done.stderr.decode().splitlines() if row.startswith("import time:")]
    return done.returncode, frozenset(row.rpartition("|")[2].strip() for row in rows)


@pytest.fixture(name="warm_cache", scope="module")
def warm_cache_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the compiled knowledge: the first scan after an edit may load what it needs to compile."""
    cache = tmp_path_factory.mktemp("cache")
    modules_of_scan(DEAD, "text", cache)
    return cache


@pytest.mark.parametrize("fmt", ["text", "concise", "json"])
@pytest.mark.parametrize(("log", "status"), [(DEAD, 1), (HEALTHY, 0)])
def test_small_scan_is_light(log: Path, status: int, fmt: str, warm_cache: Path) -> None:
    """None of the heavy packages is loaded, whatever the answer."""
    code, modules = modules_of_scan(log, fmt, warm_cache)
    assert code == status
    assert "triage.engine" in modules
    assert {name.partition(".")[0] for name in modules} & HEAVY == frozenset()


def loaded(log: Path, cache: Path, *words: str) -> frozenset[str]:
    """What a scan of ``log`` loads that ends healthy with one line, apart from what the interpreter loads at its own start."""
    code = (
        "import sys; before = set(sys.modules)\n"
        "from triage.cli.main import _run; code = _run()\n"
        "print(code, *(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "scan", str(log), *words],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "XDG_CACHE_HOME": str(cache)}, check=True,
    )  # fmt: skip
    status, *names = done.stderr.split()
    assert (status, done.stdout.count("\n")) == ("0", 1)
    return frozenset(names)


@pytest.mark.parametrize("words", [(), ("--strict", "--top", "3", "--color=never")])
def test_a_healthy_log_costs_few_modules(words: tuple[str, ...], warm_cache: Path, tmp_path: Path) -> None:
    """None of the dear modules is loaded where there is nothing to tell, nor what only a failure needs."""
    log = tmp_path / "server.log"
    log.write_text(PLAIN, encoding="utf-8")
    found = loaded(log, warm_cache, *words)
    assert {"triage.engine", "triage.matching.scanner", "triage.reporting.text", "hyperscan._hs_ext"} <= found
    assert not (DEAR | FOR_MORE) & found
