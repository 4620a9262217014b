"""The whole way on real software: a server that dies by itself, its output, its environment, and the name of the cause."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tools.make_wrong_environment import DEATH, run_server
from tools.server_environment import server_environment

ROOT = Path(__file__).parents[2]
VARIABLE = "SGLTRIAGE_WRONG_ENV"
# The loader misses a library of CUDA 12 while torch brings those of CUDA 13. It does not get as far as looking for symbols,
# so that the two differ in their ABI as well cannot show.
CAUSE = "sgl-kernel-cuda-major-mismatch"
VERSIONS = {
    "sglang.version": "0.5.9",
    "sgl-kernel.version": "0.3.21",
    "torch.version": "2.11.0",
    "torch.build": "cu130",
}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Failure:
    """What the server printed, and the interpreter that it ran in."""

    log: bytes
    python: Path


@pytest.fixture(name="failure")
def failure_fixture() -> Failure:
    """Starts the real server; it dies after some 15 to 60 seconds."""
    named = os.environ.get(VARIABLE)
    if not named:
        pytest.skip(f"no environment; tools/make_wrong_environment.py FOLDER makes one, then set {VARIABLE}=FOLDER")
    folder = Path(named).absolute()
    python = folder / "bin" / "python"
    # Where the host's own toolkit stands in, the loader gets further and dies of something else.
    if _python(python, "import ctypes; ctypes.CDLL('libnvrtc.so.12')").returncode == 0:
        pytest.skip("the loader finds a CUDA 12 toolkit on this host")
    status, log = run_server(folder)
    assert status == 1, log[-2000:].decode(errors="replace")
    assert DEATH.encode() in log, log[-2000:].decode(errors="replace")
    return Failure(log, python)


def test_the_probe_decides_what_a_real_log_leaves_open(failure: Failure, tmp_path: Path) -> None:
    """The log names no torch; with the packages beside it the wrong CUDA generation is confirmed, and the ledger says by what."""
    report = _scan(failure, tmp_path)
    open_cause = next(item for item in report["diagnoses"] if item["id"] == CAUSE)
    assert report["verdict"] != "confirmed"
    assert "python-packages" in {item.get("probe") for item in open_cause["next"]}

    stated = _python(failure.python, "import torch; print(torch.version.cuda)").stdout.decode().strip()
    assert stated.startswith("13."), "not the pairing that was meant"
    report = _scan(failure, tmp_path, "--probe", "--python", failure.python)
    first = report["diagnoses"][0]
    assert (report["verdict"], first["id"], first["severity"]) == ("confirmed", CAUSE, "fatal")
    assert f"torch.cuda {stated}" in {
        item["text"] for item in first["evidence"] if item["origin"] == "probe python-packages"
    }
    assert {item["name"]: item["outcome"] for item in report["probes"]}["python-packages"] == "ok"
    assert {name: report["facts"][name] for name in VERSIONS} == VERSIONS


def _scan(failure: Failure, cache: Path, *options: str | Path) -> dict[str, Any]:
    """The JSON report of the command as users run it, with the log on its standard input."""
    variables = {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache), "XDG_STATE_HOME": str(cache / "state")}
    done = subprocess.run(
        [sys.executable, "-m", "triage", "scan", *options, "--format", "json", "-"], input=failure.log, capture_output=True,
        env=server_environment(os.environ) | variables, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"")
    report = json.loads(done.stdout)
    assert isinstance(report, dict)
    return report


def _python(python: Path, program: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [python, "-c", program], capture_output=True, env=server_environment(os.environ), timeout=120, check=False
    )
