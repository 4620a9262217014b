"""``sgltriage scan --host`` and ``--probe`` as operators run them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

HOSTS = Path(__file__).parents[2] / "fixtures" / "hosts"
SYMBOL = b"ImportError: /usr/local/lib/python3.12/dist-packages/sgl_kernel/sm100/common_ops.abi3.so: undefined symbol: _ZN3c104cuda29c10_cuda_check_implementationEiPKcS2_ib\n"
REGISTER = (
    b"[2026-03-02 09:14:01] server_args=ServerArgs(model_path='/models/m', port=30001, tp_size=2, disaggregation_mode='decode', disaggregation_transfer_backend='mooncake')\n"
    b"W0302 09:14:41.530112  1205 rdma_transport.cpp:166] RdmaTransport: Failed to register memory: addr 0x7f2b40000000 length 37896192\n"
)
FORMATS = ("text", "concise", "json", "jsonl", "markdown", "sarif")


def parsed(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """The JSON report."""
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def scan(sgltriage: Command, log: bytes, *options: str | Path) -> dict[str, Any]:
    """The report on a log of that content."""
    (sgltriage.folder / "server.log").write_bytes(log)
    return parsed(sgltriage("scan", "--format", "json", *options, "server.log"))


@pytest.mark.parametrize(
    ("host", "first"),
    [("torch-twice", "torch-duplicate-install"), ("torch-wrong", "sgl-kernel-torch-abi-mismatch")],
)
def test_one_symbol_two_causes(sgltriage: Command, host: str, first: str) -> None:
    """What the host has installed decides."""
    found = scan(sgltriage, SYMBOL, "--host", HOSTS / f"{host}.json")
    assert found["diagnoses"][0]["id"] == first
    assert found["verdict"] == "confirmed"


def test_without_a_host_the_probe_is_the_next_step(sgltriage: Command) -> None:
    """Both causes are shown, and nothing was looked at."""
    found = scan(sgltriage, SYMBOL)
    ids = [item["id"] for item in found["diagnoses"]]
    assert ids[0] == "sgl-kernel-torch-abi-mismatch"
    assert "torch-duplicate-install" in ids
    assert found["diagnoses"][0]["next"][0]["probe"] == "python-packages"
    assert {item["outcome"] for item in found["probes"]} == {"not-run"}


def test_one_registration_four_causes(sgltriage: Command) -> None:
    """Four hosts, four answers; without a host the umbrella."""
    hosts = ("peermem-missing", "expandable-segments", "memlock-64k", "geforce-4090")
    found = [scan(sgltriage, REGISTER, "--host", HOSTS / f"{host}.json")["diagnoses"][0]["id"] for host in hosts]
    assert found == [
        "nvidia-peermem-unavailable", "expandable-segments-incompatible", "memlock-ulimit-too-low", "gpudirect-rdma-unsupported-gpu",
    ]  # fmt: skip
    assert scan(sgltriage, REGISTER)["diagnoses"][0]["id"] == "mooncake-rdma-register-failed"


def test_the_text_shows_what_the_probe_said(sgltriage: Command) -> None:
    """Name and values, beside the lines of the log."""
    (sgltriage.folder / "server.log").write_bytes(SYMBOL)
    text = sgltriage("scan", "--host", HOSTS / "torch-twice.json", "server.log").stdout.decode()
    assert (
        "probe python-packages  torch.copies 2; torch.places 2.10.0 in /root/.local/lib/python3.12/site-packages, "
        "2.9.1 in /usr/local/lib/python3.12/dist-packages" in text
    )


def test_the_ledger_in_json(sgltriage: Command) -> None:
    """Origin and text of a fact, and no place; facts say which probe told them."""
    found = scan(sgltriage, REGISTER, "--host", HOSTS / "memlock-64k.json")
    (entry,) = (item for item in found["diagnoses"][0]["evidence"] if item["origin"] == "probe ulimit")
    assert (entry["text"], entry["source"], entry["line"]) == ("ulimit.memlock_kb 64", None, None)
    assert found["facts"]["ulimit.memlock_kb"] == 64
    assert found["fact_origins"]["ulimit.memlock_kb"] == "probe ulimit"


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_same_bytes_again(sgltriage: Command, fmt: str) -> None:
    """In every format, in another folder's process, with another environment of the operator."""
    (sgltriage.folder / "server.log").write_bytes(SYMBOL)
    arguments = ("scan", "--format", fmt, "--host", HOSTS / "torch-twice.json", "server.log")
    once = sgltriage(*arguments)
    again = sgltriage(*arguments, env={"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True", "PYTHONHASHSEED": "7"})
    assert (once.returncode, once.stderr) == (1, b"")
    assert once.stdout == again.stdout


def test_outcomes_are_listed(sgltriage: Command) -> None:
    """What could not be looked at is in every report, with the reason."""
    found = scan(sgltriage, SYMBOL, "--host", HOSTS / "minimal-container.json")
    outcomes = {item["name"]: item["outcome"] for item in found["probes"]}
    assert outcomes["os"] == "ok"
    assert outcomes["python-packages"] == "unavailable"
    text = sgltriage("scan", "--host", HOSTS / "minimal-container.json", "server.log").stdout.decode()
    (line,) = (line for line in text.splitlines() if line.startswith("not checked"))
    assert "dmesg (unavailable: dmesg: klogctl: Operation not permitted; no command journalctl)" in line


def test_a_host_adds_no_alarm_to_a_healthy_log(sgltriage: Command) -> None:
    """Status 0, whatever the host is like."""
    (sgltriage.folder / "server.log").write_bytes(b"[2026-03-01 10:00:00] The server is fired up and ready to roll!\n")
    for host in ("peermem-missing", "minimal-container", "no-driver", "torch-twice"):
        assert sgltriage("scan", "--host", HOSTS / f"{host}.json", "server.log").returncode == 0, host


def test_this_machine(sgltriage: Command) -> None:
    """``--probe`` runs some of the probes only, and each of them is in the report."""
    found = scan(sgltriage, REGISTER, "--probe")
    outcomes = {item["name"]: item["outcome"] for item in found["probes"]}
    assert {"dmesg", "driver-version", "gpu-list", "os", "python-packages", "lsmod"} <= set(outcomes)
    assert "nvlink" not in outcomes
    assert outcomes["os"] == "ok"
    assert re.match(r"\d+\.", found["facts"]["kernel.version"])


def test_this_machine_and_another_at_once(sgltriage: Command) -> None:
    """Wrong usage."""
    (sgltriage.folder / "server.log").write_bytes(SYMBOL)
    done = sgltriage("scan", "--probe", "--host", HOSTS / "torch-twice.json", "server.log")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"give one of them" in done.stderr


def test_half_a_character_in_a_kernel_log(sgltriage: Command) -> None:
    """JSON can write what no text can hold; it is shown like any byte that is no text."""
    item = {"label": "dmesg", "status": "ok", "exit_code": 0, "text": ["[    0.000000] Linux \ud800 version"]}
    snapshot = {"kind": "host", "schema_version": 1, "probes": {"dmesg": [item]}}
    (sgltriage.folder / "host.json").write_text(json.dumps(snapshot), encoding="utf-8")
    (sgltriage.folder / "server.log").write_bytes(SYMBOL)
    assert sgltriage("scan", "--host", "host.json", "server.log").returncode == 1
