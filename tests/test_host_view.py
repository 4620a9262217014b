"""A report once more with what a host says: one message has other causes on other hosts."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from triage.engine import load, scan_text
from triage.host_view import probes_that_matter, with_host
from triage.knowledge.compiled import Knowledge
from triage.model import Diagnosis, Report, Verdict
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
    assert found.verdict is Verdict.CONFIRMED
    assert found.diagnoses[0].confidence >= 0.9
    assert "torch.version 2.10.0" in ledger(found.diagnoses[0])["probe python-packages"]


def test_without_a_host_both_are_shown() -> None:
    """And the probe that decides between them is the first thing to do."""
    found = report(SYMBOL)
    assert ids(found) == ["sgl-kernel-torch-abi-mismatch", "torch-replaced-by-dependency", "torch-duplicate-install"]
    assert found.verdict in (Verdict.LIKELY, Verdict.POSSIBLE)
    assert [step.name for step in found.diagnoses[0].next][:1] == ["python-packages"]
    assert found.diagnoses[0].rivals == ("torch-replaced-by-dependency", "torch-duplicate-install")
    assert sum(item.confidence for item in found.diagnoses) < 1
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


@pytest.mark.parametrize("name", sorted(path.stem for path in HOSTS.glob("*.json")))
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


BANNER = (
    b"[2026-01-15 08:31:20 TP0] Scheduler hit an exception: Traceback (most recent call last):\n"
    b'  File "/usr/local/lib/python3.12/dist-packages/sgl_kernel/load_utils.py", line 188, in _load_architecture_specific_ops\n'
    b"    raise ImportError(error_msg)\n"
    b"ImportError: \n[sgl_kernel] CRITICAL: Could not load any common_ops library!\n"
)
RENAMED = b"AttributeError: 'LlamaConfig' object has no attribute 'rope_theta'\n"


def lacking(*libraries: str, name: str = "h100-healthy", **changed: str) -> Snapshot:
    """A host on which nothing finds these libraries; other transcripts as they are named."""
    base = host(name).transcripts

    def told(item: Transcript) -> Transcript:
        text = changed.get(item.label.strip("/").replace("/", "_"), item.text)
        for library in libraries:
            lines = [line for line in text.split("\n") if not line.startswith(f"\t{library} ")]
            text = "\n".join(f"needs {library} unfound" if f"needs {library} " in line else line for line in lines)
        return replace(item, text=text)

    return Snapshot({probe: tuple(map(told, items)) for probe, items in base.items()}, {}, "2026-01-15T09:00:00+00:00")


def test_the_banner_alone_says_little() -> None:
    """It is printed whatever the reason is, and nothing is wrong with the healthy host."""
    for name in ("", "h100-healthy"):
        found = report(BANNER, name)
        assert not {"libnuma-missing", "sgl-kernel-cuda-major-mismatch", "cuda-library-path"} & set(ids(found)[:1])
        assert found.verdict is not Verdict.CONFIRMED


@pytest.mark.parametrize(
    ("name", "first", "origin", "said"),
    [
        ("libnuma-absent", "libnuma-missing", "probe kernel-libraries", "sgl_kernel.missing_libraries libnuma.so.1"),
        ("cuda-majors-mixed", "sgl-kernel-cuda-major-mismatch", "probe kernel-libraries", "sgl_kernel.cuda_majors 12"),
    ],
)
def test_why_the_kernels_were_not_loaded(name: str, first: str, origin: str, said: str) -> None:
    """The reason was not logged; the files on disk tell it."""
    found = report(BANNER, name)
    assert ids(found)[:1] == [first]
    assert found.verdict is Verdict.CONFIRMED
    assert (origin, said) in {(entry.origin, entry.text) for entry in found.diagnoses[0].ledger}


@pytest.mark.parametrize(
    ("snapshot", "first"),
    [
        (lacking("libnvrtc.so.12"), "cuda-library-path"),
        (lacking("libcudart.so.12", "libcublas.so.12"), "cuda-library-path"),
        (lacking("libcuda.so.1", name="shm-small"), "docker-gpu-not-passed"),
        (lacking("libcuda.so.1", name="no-driver"), "host-nvidia-driver-missing"),
    ],
    ids=["nvrtc", "cudart", "libcuda in a container", "libcuda without a driver"],
)
def test_libraries_that_the_kernels_would_not_find(snapshot: Snapshot, first: str) -> None:
    """The same banner once more: a library of torch's own CUDA generation, or of the driver."""
    found = with_host(report(BANNER), knowledge(), all_probes(), snapshot)
    assert ids(found)[:1] == [first]
    assert any(entry.origin == "probe kernel-libraries" for entry in found.diagnoses[0].ledger)


@pytest.mark.parametrize(
    ("library", "first"), [("libcudnn.so.9", "libcudnn-missing"), ("libcusparseLt.so.0", "libcusparselt-missing")]
)
def test_libraries_that_only_some_kernels_need(library: str, first: str) -> None:
    """Named in the files of another build of the kernels."""
    (item, *rest) = host("h100-healthy").transcripts["kernel-libraries"]
    items = (replace(item, text=f"{item.text}\nneeds {library} unfound"), *rest)
    snapshot = Snapshot({**host("h100-healthy").transcripts, "kernel-libraries": items}, {})
    found = with_host(report(BANNER), knowledge(), all_probes(), snapshot)
    assert ids(found)[:1] == [first]


def test_a_line_of_the_right_generation_is_not_the_other_one() -> None:
    """Kernels and torch of CUDA 12: only the path can be wrong, and the ledger of the other cause says why it is not it."""
    line = b"ImportError: libcudart.so.12: cannot open shared object file: No such file or directory\n"
    mixed = report(b"import sgl_kernel\n" + line, "cuda-majors-mixed")
    assert ids(mixed)[:1] == ["sgl-kernel-cuda-major-mismatch"]
    fits = with_host(report(b"import sgl_kernel\n" + line), knowledge(), all_probes(), lacking("libcudart.so.12"))
    assert ids(fits)[:1] == ["cuda-library-path"]


def test_a_pin_that_is_not_met() -> None:
    """A line that several things can explain, and the requirement of sglang that the installed transformers breaks."""
    weak, told = report(RENAMED), report(RENAMED, "transformers-too-new")
    confidence = {
        name: next((item.confidence for item in found.diagnoses if item.id == "transformers-version-mismatch"), 0.0)
        for name, found in (("alone", weak), ("host", told), ("healthy", report(RENAMED, "h100-healthy")))
    }
    assert confidence["healthy"] < confidence["alone"] < confidence["host"]
    first = told.diagnoses[0]
    assert first.id == "transformers-version-mismatch"
    assert "transformers 5.3.0 is installed" in ledger(first)["probe requirement-conflicts"]


def test_the_pin_of_torch_is_named_in_the_ledger() -> None:
    """Beside the version that python-packages tells."""
    said = ledger(report(SYMBOL, "torch-wrong").diagnoses[0])
    assert said["probe requirement-conflicts"].startswith("requirements.conflicts sglang 0.5.9 requires torch==2.9.1")


def test_the_newer_name_of_the_allocator_s_variable() -> None:
    """A server with PYTORCH_ALLOC_CONF fails in the same way."""
    (item,) = host("h100-healthy").transcripts["environment"]
    text = item.text.replace("\nPATH=", "\nPATH=/bin\nPYTORCH_ALLOC_CONF=expandable_segments:True\nX=")
    snapshot = Snapshot({**host("h100-healthy").transcripts, "environment": (replace(item, text=text),)}, {})
    found = with_host(report(DECODE), knowledge(), all_probes(), snapshot)
    assert ids(found)[:1] == ["expandable-segments-incompatible"]


@pytest.mark.parametrize(("rank", "counts"), [(0, True), (1, False)])
def test_only_the_first_node_listens_at_dist_init_addr(rank: int, *, counts: bool) -> None:
    """Every other one is told the address of that node, so that it is not its own says nothing."""
    log = (
        f"[2026-03-01 10:00:00] server_args=ServerArgs(model_path='/models/m', nnodes=2, node_rank={rank}, "
        "dist_init_addr='10.0.0.77:5000')\n"
        "[2026-03-01 10:00:09] OSError: [Errno 99] Cannot assign requested address\n"
    ).encode()
    (first, *_) = (item for item in all_probes() if item.name == "network-interfaces")
    launch = Transcript("what the launch asks for", "ok", "dist_init_addr 10.0.0.77:5000\n")
    own = Transcript("ip -o addr", "ok", "2: eth0    inet 10.0.0.11/24 scope global eth0\n", 0)
    found = with_host(report(log), knowledge(), [first], Snapshot({"network-interfaces": (own, launch)}, {}))
    said = [ledger(item) for item in found.diagnoses if item.id == "dist-init-addr-bind"]
    assert any("probe network-interfaces" in item for item in said) is counts


XID = "[{:12.6f}] NVRM: Xid (PCI:0000:00:06): 79, pid=627, name=python3, GPU has fallen off the bus.\n"
KILL = "[{:12.6f}] Out of memory: Killed process 4211 (python3) total-vm:90000000kB\n"
FAILED = (
    b"[2026-03-01 10:00:00] server_args=ServerArgs(model_path='/models/m', tp_size=2)\n"
    b"[2026-03-01 10:00:09] Traceback (most recent call last):\n"
    b"[2026-03-01 10:00:09] RuntimeError: it went wrong in a way that nobody wrote down\n"
)


def on_kernel_log(server: bytes, line: str, recorded: str = "2026-03-10T10:00:00+00:00", **more: str) -> Report:
    """The report on a server's log, on the healthy host with one more line in its kernel log; it started ten days before."""
    base = host("h100-healthy").transcripts
    dmesg = (Transcript("dmesg", "ok", line, 0), Transcript("/proc/uptime", "ok", "864000.00 1.0\n"))
    changed = {
        name: tuple(replace(item, text=more.get(item.label.replace(" ", "_"), item.text)) for item in items)
        for name, items in base.items()
    }
    return with_host(
        scan_text(server, knowledge()),
        knowledge(),
        all_probes(),
        Snapshot({**changed, "dmesg": dmesg}, {}, recorded),
    )


# The host of these tests started on 28 February at 10:00; the server's log is of 1 March at 10:00.
@pytest.mark.parametrize("line", [XID, KILL], ids=["xid", "kill"])
@pytest.mark.parametrize(("seconds", "counts"), [(86405.0, True), (500000.0, False), (60.0, False)])
def test_a_healthy_server_is_told_of_its_own_time_only(line: str, seconds: float, *, counts: bool) -> None:
    """What the kernel met in the hours of the log counts, what it met days before or later is another matter."""
    found = on_kernel_log(HEALTHY, line.format(seconds))
    assert (ids(found) != []) is counts


def test_a_fault_that_lasts_is_told_whenever_it_began() -> None:
    """The card is lost since before the server started, and nothing brings it back."""
    smi = "nvidia-smi_-q"
    report_now = host("h100-healthy").transcripts["gpu-health"][0].text
    lasting = re.sub(r"(Remapped Rows\n(?:.*\n){2}\s+Pending +: )No", r"\1Yes", report_now, count=1)
    assert lasting != report_now
    found = on_kernel_log(HEALTHY, XID.format(60.0), **{smi: lasting})
    assert "gpu-xid-hardware" in ids(found)
    assert ids(on_kernel_log(HEALTHY, KILL.format(60.0), **{smi: lasting})) == []


def test_a_failed_server_hears_of_old_faults_but_not_of_old_kills() -> None:
    """A device may be broken since long ago; who was killed last week was another process."""
    assert "gpu-xid-hardware" in ids(on_kernel_log(FAILED, XID.format(60.0)))
    assert "host-oom-killed" in ids(on_kernel_log(FAILED, KILL.format(86405.0)))
    assert ids(on_kernel_log(FAILED, KILL.format(600000.0))) == []


def test_facts_of_the_kernel_log_are_of_the_run_too() -> None:
    """An old kill is no support for one that a server's exit code suggests."""
    for seconds, killed in ((86405.0, True), (600000.0, False)):
        found = on_kernel_log(FAILED, KILL.format(seconds))
        facts = {fact.name: fact.value for fact in found.observation.facts}
        assert facts["kernel.oom_killed"] is killed


def test_a_log_without_dates() -> None:
    """Nobody knows whether an old fault fell into its run: not enough to speak of it where the server is well."""
    assert ids(on_kernel_log(b"The server is fired up and ready to roll!\n", XID.format(60.0))) == []
    assert "gpu-xid-hardware" in ids(on_kernel_log(b"RuntimeError: odd\n", XID.format(60.0)))


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
    """Of every probe, with the reason: first those that the diagnoses still wait for, the rest as in the catalogue."""
    found = report(SYMBOL, "minimal-container")
    names = [item.name for item in found.probes]
    waiting = list(dict.fromkeys(name for item in found.diagnoses for name in item.not_checked))
    assert names[0] == "python-packages"
    assert set(names) == {probe.name for probe in all_probes()}
    assert names == [*waiting, *(probe.name for probe in all_probes() if probe.name not in waiting)]
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
