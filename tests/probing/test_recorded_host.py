"""A snapshot that `sgltriage probe --record` took on a real machine with two GPUs (identifiers zeroed)."""

from __future__ import annotations

from pathlib import Path

import pytest

from triage.model import Value
from triage.probing.catalogue import all_probes
from triage.probing.host import answers
from triage.probing.snapshot import from_json

SNAPSHOT = Path(__file__).resolve().parents[2] / "fixtures" / "hosts" / "recorded-h200x2.json"


@pytest.fixture(name="facts", scope="module")
def facts_fixture() -> dict[str, Value]:
    """Everything that the probes make of it."""
    found = answers(all_probes(), from_json(SNAPSHOT.read_text(encoding="utf-8")))
    return {fact.name: fact.value for answer in found for fact in answer.facts}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("driver.version", "580.159.04"),
        ("driver.open_module", True),
        ("driver.library_mismatch", False),
        ("gpu.count", 2),
        ("gpu.name", "NVIDIA H200"),
        ("gpu.compute_capability", 9.0),
        ("gpu.memory_total_mb", 143771),
        ("gpu.mig", False),
        ("gpu.ecc_uncorrected", 0),
        ("topology.nvlink", True),
        ("fabric.state", "Completed"),
        ("kernel.xid_count", 0),
        ("kernel.oom_killed", False),
        ("kernel.module.nvidia", True),
        ("kernel.module.nvidia_peermem", False),
        ("nvcc.version", "13.0"),
        ("ldconfig.cudart", True),
        ("python.version", "3.12.3"),
    ],
)
def test_what_the_machine_is(facts: dict[str, Value], name: str, value: Value) -> None:
    """Driver, GPUs, kernel log and Python are read right."""
    assert facts[name] == value
