"""Reports built by hand, and a way to print them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from triage.model import (
    Diagnosis,
    Fact,
    Input,
    Launch,
    LedgerEntry,
    Nearest,
    NextStep,
    Observation,
    Phase,
    Place,
    ProbeResult,
    Rejected,
    Report,
    Role,
    Severity,
    Strength,
    Unexplained,
    Verdict,
)
from triage.reporting.outlet import Outlet
from triage.reporting.render import render
from triage.safety.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN_SALT = b"golden"


def place(line: int, rank: str | None = None, source: str = "logs/prefill.log") -> Place:
    """A line of the log at 10:00:NN."""
    return Place(source, line, line * 100, f"2026-03-01 10:00:{line % 60:02d}", 1772359200.0 + line, rank, "node-1")


def healthy() -> Report:
    """A log with nothing wrong in it and two probes that were not run."""
    return Report(
        verdict=Verdict.HEALTHY,
        observation=Observation(inputs=(Input("server.log", 9_612_345, 41_208),)),
        probes=(
            ProbeResult("gpu-memory", "not-run"),
            ProbeResult("python-packages", "not-run"),
            ProbeResult("dmesg", "ok"),
        ),
        tool_version="1.2.3",
    )


def unknown() -> Report:
    """A log with errors that no signature accounts for."""
    return Report(
        verdict=Verdict.UNKNOWN,
        observation=Observation(inputs=(Input("server.log", 812, 12),), error_count=5),
        unexplained=(
            Unexplained(
                "RuntimeError: the flux capacitor is not charged",
                place(7, "TP3", "server.log"),
                "model_runner.py:812 in forward",
                (Nearest("gpu-oom-runtime", 0.624), Nearest("nccl-timeout", 0.5)),
            ),
            Unexplained("ValueError: nothing to see", place(9, None, "server.log")),
        ),
        unexplained_count=5,
        tool_version="1.2.3",
    )


def crash() -> Report:
    """A report that uses every noun: two causes in competition, a consequence, facts with secrets, a probe that failed."""
    assertion = "[2026-03-01 10:00:12 TP0] AssertionError: bootstrap_room should not be None"
    root = Diagnosis(
        id="pd-direct-request-prefill",
        title="The request went straight to a prefill server",
        severity=Severity.ERROR,
        role=Role.ROOT,
        confidence=0.9712,
        decibans=15.249,
        phase=Phase.SERVING,
        rank="TP0",
        ledger=(
            LedgerEntry(
                "fact-mode", Strength.SUPPORTS, 3.0, 1, True, place(1), "server_args=ServerArgs(api_key='hunter2-hunter2')",
                captures=(("api_key", "hunter2-hunter2"),), origin="logs/prefill.log:1", label="disaggregation_mode is prefill",
            ),
            LedgerEntry("assertion", Strength.DECISIVE, 14.96, 8, False, place(12, "TP0"), assertion, Phase.SERVING, (("port", 8998), ("rate", 0.1 + 0.2)), "", ""),
            LedgerEntry("router-seen", Strength.CONTRADICTS, -2.71, 1, True, place(3), "Starting router on 10.0.0.1:30000"),
            LedgerEntry("router-endpoint", Strength.SUPPORTS, 0.0, origin="router-endpoint", text="router.reachable = false"),
        ),
        fix="Send requests to the router, not to the prefill server",
        playbook="send-requests-through-router",
        explains=("scheduler-crash-generic", "warmup-failed"),
        rivals=("pd-router-missing-or-misconfigured",),
        not_checked=("router-endpoint",),
        next=(NextStep("probe", "router-endpoint", 0.8123, 1.5), NextStep("question", "who-sent-it", 0.25, 30)),
        notes=("the same line serves two causes",),
    )  # fmt: skip
    rival = Diagnosis(
        id="pd-router-missing-or-misconfigured",
        title="No router stands before the prefill and decode servers",
        severity=Severity.WARNING,
        role=Role.ROOT,
        confidence=0.021,
        decibans=-4.04,
        phase=Phase.UNKNOWN,
        rank=None,
        ledger=(LedgerEntry("no-router", Strength.HINTS, 1.0, label="no router line"),),
    )
    recovered = replace(rival, id="hf-download-network", title="A download was retried", ledger=(LedgerEntry("retry", Strength.STRONG, 7, 2, True, place(2), "Retrying (1/5)"),), recovered=True)  # fmt: skip
    return Report(
        verdict=Verdict.CONFIRMED,
        observation=Observation(
            inputs=(Input("logs/prefill.log", 123_456, 1_500, 2, True, ("stopped at 1 MiB of one line",)),),
            facts=(
                Fact("sglang.version", "0.5.6", "logs/prefill.log:1"),
                Fact("server.api_key", "hunter2-hunter2", "logs/prefill.log:1"),
                Fact("server.tp_size", 8, "logs/prefill.log:1"),
                Fact("server.mem_fraction_static", 0.88, "logs/prefill.log:1"),
                Fact("server.enable_metrics", True, "logs/prefill.log:1"),
                Fact("server.quantization", None, "logs/prefill.log:1"),
                Fact("gpu.name", ("H100", "H100"), "gpu-memory"),
            ),
            launches=(
                Launch("logs/prefill.log", 1, 10, place(11), ("python", "-m", "sglang.launch_server", "--api-key", "hunter2-hunter2", "--tp", "8")),
            ),
            first_time="2026-03-01 10:00:00",
            last_time="2026-03-01 10:04:31",
            ranks=("TP0", "TP1", "TP7"),
            limits_hit=("2,000 findings of one pattern were counted and not kept",),
        ),
        diagnoses=(root, rival),
        recovered=(recovered,),
        rejected=(Rejected("gpu-oom-runtime", "ruled out: no allocation failed", float("-inf")),),
        unexplained=(Unexplained("Exception: ‹odd›\x1b[2J", place(20, "TP7"), "io_struct.py:5 in check", (Nearest("warmup-failed", 0.41),)),),
        unexplained_count=1,
        probes=(
            ProbeResult("gpu-memory", "ok", "", 0.1234),
            ProbeResult("gpu-topology", "timed-out", "nvidia-smi took more than 5 s", 5.0),
            ProbeResult("rdma", "not-applicable"),
        ),
        tool_version="1.2.3",
    )  # fmt: skip


def about(text: str) -> Report:
    """A report in which every field that can hold data holds `text`."""
    spot = Place(text, 3, 30, text, 1.0, text, text)
    entry = LedgerEntry(text, Strength.STRONG, 9.0, 2, True, spot, text, Phase.SERVING, ((text, text),), text, text)
    diagnosis = Diagnosis(
        text, text, Severity.ERROR, Role.ROOT, 0.8, 9.0, Phase.SERVING, text,
        (entry, replace(entry, place=None), replace(entry, strength=Strength.CONTRADICTS, decibans=-3.0)),
        text, text, (text,), (text,), (text,), (NextStep("probe", text, 0.5, 1.0),), False, (text,),
    )  # fmt: skip
    return Report(
        verdict=Verdict.LIKELY,
        observation=Observation(
            inputs=(Input(text, 1, 1, 1, True, (text,)),),
            facts=(Fact("sglang.version", text, text), Fact(text, (text, text), text)),
            launches=(Launch(text, 1, 0, None, ("serve", text)),),
            first_time=text,
            last_time=text + "2",
            ranks=(text, text),
            limits_hit=(text,),
        ),
        diagnoses=(diagnosis,),
        recovered=(diagnosis,),
        rejected=(Rejected(text, text, -1.0, (entry,)),),
        unexplained=(Unexplained(text, spot, text, (Nearest(text, 0.4),)),),
        unexplained_count=1,
        probes=(ProbeResult(text, text, text, 1.0),),
        limits_hit=(text,),
        tool_version=text,
    )


def printed(report: Report, fmt: str, **options: Any) -> str:
    """The whole output in one string, with a salt that never changes."""
    return "".join(render(report, fmt, Outlet(Redactor(GOLDEN_SALT)), **options))


@pytest.fixture(name="crash")
def crash_fixture() -> Report:
    """See `crash`."""
    return crash()


@pytest.fixture(name="healthy")
def healthy_fixture() -> Report:
    """See `healthy`."""
    return healthy()


@pytest.fixture(name="unknown")
def unknown_fixture() -> Report:
    """See `unknown`."""
    return unknown()


@pytest.fixture(name="about")
def about_fixture() -> Callable[[str], Report]:
    """See `about`."""
    return about


@pytest.fixture(name="printed")
def printed_fixture() -> Callable[..., str]:
    """See `printed`."""
    return printed
