"""A report once more with what a host says: one message has other causes on other hosts."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from triage.engine import load, scan_text
from triage.host_view import probes_that_matter, with_host
from triage.knowledge.compiled import Knowledge
from triage.model import Diagnosis, Report
from triage.probing.catalogue import all_probes
from triage.probing.probe import Probe, Transcript, fixed
from triage.probing.snapshot import Snapshot, from_json

HOSTS = Path(__file__).resolve().parents[1] / "fixtures" / "hosts"
SYMBOL = b"ImportError: /usr/local/lib/python3.12/dist-packages/sgl_kernel/sm100/common_ops.abi3.so: undefined symbol: _ZN3c104cuda29c10_cuda_check_implementationEiPKcS2_ib\n"
DECODE = (
    b"[2026-03-02 09:14:01] server_args=ServerArgs(model_path='/models/m', port=30001, tp_size=2, disaggregation_mode='decode', disaggregation_transfer_backend='mooncake')\n"
    b"[2026-03-02 09:14:35 TP0] Memory pool end. avail mem=12.71 GB\n"
    b"W0302 09:14:41.530112  1205 rdma_transport.cpp:166] RdmaTransport: Failed to register memory: addr 0x7f2b40000000 length 37896192\n"
)
HEALTHY = b"[2026-03-01 10:00:00] The server is fired up and ready to roll!\n"


@cache
def knowledge() -> Knowledge:
    """The bundled knowledge."""
    return load(environment=dict(os.environ))


@cache
def host(name: str) -> Snapshot:
    """One of the example hosts."""
    return from_json((HOSTS / f"{name}.json").read_text(encoding="utf-8"))


@cache
def report(log: bytes, name: str = "") -> Report:
    """The report on a log, on that host."""
    alone = scan_text(log, knowledge())
    return with_host(alone, knowledge(), all_probes(), host(name)) if name else alone


def ids(found: Report) -> list[str]:
    """What is shown, in order."""
    return [item.id for item in found.diagnoses]


def ledger(item: Diagnosis) -> dict[str, str]:
    """What probes said for or against it: origin to text."""
    return {entry.origin: entry.text for entry in item.ledger if entry.origin.startswith("probe ")}


def test_two_copies_of_torch() -> None:
    """The undefined symbol is then what mixing them leads to, and the ledger names both places."""
    found = report(SYMBOL, "torch-twice")
    assert ids(found) == ["torch-duplicate-install"]
    assert "sgl-kernel-torch-abi-mismatch" in found.diagnoses[0].explains
    assert found.diagnoses[0].confidence >= 0.9
    said = ledger(found.diagnoses[0])["probe python-packages"]
    assert said.startswith("torch.copies 2; torch.places ")
    assert "2.10.0 in /root/.local/lib/python3.12/site-packages" in said
    assert "2.9.1 in /usr/local/lib/python3.12/dist-packages" in said


def test_one_wrong_torch() -> None:
    """The same line on a host with a single torch of another release."""
    found = report(SYMBOL, "torch-wrong")
    assert ids(found)[0] == "sgl-kernel-torch-abi-mismatch"
    assert "torch-duplicate-install" not in ids(found)
    assert found.diagnoses[0].confidence >= 0.9
    assert "torch.version 2.10.0" in ledger(found.diagnoses[0])["probe python-packages"]


def test_without_a_host_both_are_shown() -> None:
    """And the probe that decides between them is the first thing to do."""
    found = report(SYMBOL)
    assert ids(found)[0] == "sgl-kernel-torch-abi-mismatch"
    assert "torch-duplicate-install" in ids(found)
    assert [step.name for step in found.diagnoses[0].next][:1] == ["python-packages"]
    assert all(not ledger(item) for item in found.diagnoses)


@pytest.mark.parametrize(
    ("name", "first", "said"),
    [
        ("peermem-missing", "nvidia-peermem-unavailable", ("probe lsmod", "kernel.module.nvidia_peermem no")),
        (
            "expandable-segments",
            "expandable-segments-incompatible",
            ("probe environment", "env.pytorch_cuda_alloc_conf expandable_segments:True"),
        ),
        ("memlock-64k", "memlock-ulimit-too-low", ("probe ulimit", "ulimit.memlock_kb 64")),
        ("geforce-4090", "gpudirect-rdma-unsupported-gpu", ("probe gpu-list", "gpu.name NVIDIA GeForce RTX 4090")),
    ],
)
def test_memory_that_could_not_be_registered(name: str, first: str, said: tuple[str, str]) -> None:
    """Four hosts, four causes of the same line; each ledger shows the value that decided, and the umbrella is folded."""
    found = report(DECODE, name)
    assert ids(found) == [first]
    assert "mooncake-rdma-register-failed" in found.diagnoses[0].explains
    assert said in ledger(found.diagnoses[0]).items()


@pytest.mark.parametrize("name", ["", "h100-healthy", "torch-twice", "shm-small"])
def test_nothing_special_leaves_the_umbrella(name: str) -> None:
    """Without a host, or with one that has none of the four faults, the line is all that is known."""
    assert ids(report(DECODE, name))[:1] == ["mooncake-rdma-register-failed"]


FAULTS_OF_OTHERS = pytest.mark.xfail(
    reason="a fault in the kernel log counts whenever it was, and whosever process it met"
)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(path.stem, marks=FAULTS_OF_OTHERS if path.stem == "h200-pair" else ())
        for path in sorted(HOSTS.glob("*.json"))
    ],
)
def test_a_healthy_log_stays_healthy(name: str) -> None:
    """Faults of a host are no failures of a server that runs."""
    assert ids(report(HEALTHY, name)) == []


def test_the_kernel_log_is_read_like_any_log() -> None:
    """A process that was killed for memory is found although the server's own log just ends."""
    lines = (
        "[  812.400000] python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
        "[  812.500000] Out of memory: Killed process 4211 (python3) total-vm:90000000kB, anon-rss:80000000kB, file-rss:0kB\n"
    )
    items = (Transcript("dmesg", "ok", lines, 0), *host("h100-healthy").transcripts["dmesg"][1:])
    snapshot = Snapshot({**host("h100-healthy").transcripts, "dmesg": items}, {})
    found = with_host(report(HEALTHY), knowledge(), all_probes(), snapshot)
    assert "host-oom-killed" in ids(found)
    (killed,) = (item for item in found.diagnoses if item.id == "host-oom-killed")
    assert any(entry.place is not None and entry.place.source == "probe dmesg" for entry in killed.ledger)


def test_a_log_that_could_not_be_read_is_not_read() -> None:
    """The refusal of dmesg is no line of the kernel, and of two ways to the same lines one is enough."""
    line = "[  812.500000] Out of memory: Killed process 4211 (python3) total-vm:90000000kB\n"
    mine = Probe("dmesg", "", fixed(), lambda _: [], is_log=True)
    for items, times in (
        ((Transcript("dmesg", "ok", line, 1),), 0),
        ((Transcript("dmesg", "denied", line),), 0),
        ((Transcript("dmesg", "ok", line, 0), Transcript("journalctl", "ok", line, 0)), 1),
        ((Transcript("dmesg", "absent"), Transcript("journalctl", "ok", line, 0)), 1),
    ):
        found = with_host(report(HEALTHY), knowledge(), [mine], Snapshot({"dmesg": items}, {}))
        hits = [
            hit for finding in found.observation.findings for hit in finding.hits if hit.place.source == "probe dmesg"
        ]
        assert len({hit.place.line for hit in hits}) == times


def test_outcomes_are_in_the_report() -> None:
    """Of every probe, with the reason, in the order of the catalogue."""
    found = report(SYMBOL, "minimal-container")
    assert [item.name for item in found.probes] == [probe.name for probe in all_probes()]
    assert all(bool(item.reason) is (item.outcome != "ok") for item in found.probes)
    assert {item.outcome for item in found.probes} >= {"ok", "not-applicable", "unavailable"}


def test_a_probe_that_failed_is_still_not_checked() -> None:
    """It ran and told nothing, which is no evidence against anything."""
    found = report(SYMBOL, "minimal-container")
    assert "torch-duplicate-install" in ids(found)


def test_what_is_left_out_stays_out() -> None:
    """``--without`` holds for the second look, too."""
    alone = report(DECODE)
    found = with_host(alone, knowledge(), all_probes(), host("memlock-64k"), frozenset({"memlock-ulimit-too-low"}))
    assert ids(found)[:1] == ["mooncake-rdma-register-failed"]


def test_facts_of_the_log_are_kept() -> None:
    """The host adds to what the log told, it does not replace it."""
    facts = {fact.name: fact.value for fact in report(DECODE, "memlock-64k").observation.facts}
    assert facts["server.disaggregation_mode"] == "decode"
    assert facts["ulimit.memlock_kb"] == 64


def test_the_same_again() -> None:
    """Nothing of this machine, of the clock or of the order of sets comes in."""
    once = with_host(report(DECODE), knowledge(), all_probes(), host("geforce-4090"))
    assert once == with_host(report(DECODE), knowledge(), all_probes(), host("geforce-4090"))


def test_only_probes_that_matter_are_run() -> None:
    """What the diagnoses wait for, the most telling for its price first, and the few that always tell something."""
    names = [probe.name for probe in probes_that_matter(report(DECODE), all_probes())]
    assert {"lsmod", "dmesg", "driver-version", "gpu-list", "os", "python-packages"} <= set(names)
    assert {"deepgemm-cache", "nvlink", "rocm"} & set(names) == set()
    assert set(names[:3]) == {"environment", "lsmod", "ulimit"}
    assert next(probe.name for probe in probes_that_matter(report(SYMBOL), all_probes())) == "python-packages"


def test_what_a_folded_or_absent_cause_waits_for_is_not_forgotten() -> None:
    """Each of the four causes of a failed registration needs its own probe to be run by ``--probe``."""
    names = {probe.name for probe in probes_that_matter(report(DECODE), all_probes())}
    assert {"lsmod", "environment", "ulimit", "gpu-list"} <= names
