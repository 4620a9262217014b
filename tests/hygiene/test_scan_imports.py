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
