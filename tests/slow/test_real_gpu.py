"""The playbook that frees an occupied GPU, carried out on a real one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOG = ROOT / "fixtures" / "logs" / "gpu2-occupied-by-other-process" / "server.log"
HELD_GB = 40
# What a server that was left over does, as far as the others can see; it ends by itself when nobody ended it.
HOLDER = """
import ctypes, sys, time
cuda = ctypes.CDLL("libcuda.so.1")
def check(code):
    if code:
        sys.exit(f"CUDA error {code}")
device, context, memory = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
check(cuda.cuInit(0))
check(cuda.cuDeviceGet(ctypes.byref(device), int(sys.argv[1])))
check(cuda.cuCtxCreate_v2(ctypes.byref(context), 0, device))
check(cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t(int(sys.argv[2]) << 30)))
print("held", flush=True)
time.sleep(300)
"""

pytestmark = pytest.mark.slow


def used_megabytes() -> list[int]:
    """Memory in use of each GPU."""
    argv = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    lines = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    return [int(line) for line in lines]


@pytest.fixture(name="holder")
def holder_fixture() -> Iterator[subprocess.Popen[str]]:
    """A process that holds 40 GiB of the last GPU."""
    if shutil.which("nvidia-smi") is None:
        pytest.skip("no nvidia-smi: this needs a GPU")
    last = len(used_megabytes()) - 1
    command = [sys.executable, "-c", HOLDER, str(last), str(HELD_GB)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n", "the GPU gave no memory"
        yield process
        process.kill()


def sgltriage(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The program, with a state folder of its own."""
    environment = {**os.environ, "XDG_STATE_HOME": str(state), "PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-m", "triage", *words]
    return subprocess.run(argv, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=300)


def test_the_process_is_ended_and_its_memory_comes_back(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    """Shown first with the hash that stands for exactly this step; agreed to, it is done, and GPU memory is free again."""
    before = used_megabytes()
    assert before[-1] > HELD_GB * 1000
    words = ("fix", "tp-memory-imbalance", "--log", str(LOG), "--set", f"other_pid={holder.pid}")
    shown = sgltriage(tmp_path, *words, "--dry-run")
    assert holder.poll() is None
    token = re.search(r"--yes-to (end-left-over@[0-9a-f]+)", shown.stdout)
    assert token is not None, shown.stdout
    done = sgltriage(tmp_path, *words, "--yes-to", token[1])
    assert "no other process holds GPU memory" in done.stdout
    assert "\nfixed" in done.stdout, done.stdout + done.stderr
    assert holder.wait(30) != 0
    assert used_megabytes()[-1] < before[-1] - (HELD_GB - 1) * 1000
    history = sgltriage(tmp_path, "fix", "--history")
    assert "end-left-over finished" in history.stdout


def test_the_host_is_described_with_its_gpus(tmp_path: Path) -> None:
    """What nvidia-smi says is what the probes say, and a healthy GPU raises no finding."""
    if shutil.which("nvidia-smi") is None:
        pytest.skip("no nvidia-smi: this needs a GPU")
    snapshot = tmp_path / "host.json"
    sgltriage(tmp_path, "probe", "--record", str(snapshot))
    told = json.loads(sgltriage(tmp_path, "probe", "--host", str(snapshot), "--format", "json").stdout)
    assert told["facts"]["gpu.count"] == len(used_megabytes())
    assert told["facts"]["driver.nvidia_smi"] == "ok"
    healthy = tmp_path / "server.log"
    healthy.write_text("[2026-03-01 09:00:00] The server is fired up and ready to roll!\n")
    report = sgltriage(tmp_path, "scan", str(healthy), "--host", str(snapshot), "--format", "json")
    assert json.loads(report.stdout)["diagnoses"] == []
