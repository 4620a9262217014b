"""A report once more, with what a host says: its facts weigh, and its kernel log is read like any log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from triage import __version__
from triage.engine import observe_text
from triage.host_log import Run, lines_of_run, run_of
from triage.knowledge.compiled import Knowledge
from triage.model import Fact, Finding, Observation, ProbeResult, Question, Report, Role, Severity, Value, Verdict
from triage.probing.host import answers, look_at
from triage.probing.probe import Probe, Target, Transcript, by_label
from triage.probing.snapshot import Snapshot
from triage.reasoning.diagnose import diagnose
from triage.records import replace
from triage.safety.redact import Redactor

_ALWAYS = frozenset({"dmesg", "driver-version", "gpu-list", "os", "python-packages"})
"""Worth their price whatever is suspected: they name the machine, and the kernel knows of deaths that no server tells."""
_LASTING_FAULTS = frozenset(
    {
        "gpu.unreachable", "gpu.requires_reset", "gpu.recovery_action", "gpu.ecc_uncorrected", "gpu.remapped_rows_pending",
        "gpu.remapped_rows_failed", "gpu.retired_pages_pending", "gpu.channel_repair_pending", "gpu.unrepairable_memory",
        "driver.library_mismatch", "fabric.gpus_not_ready",
    }
)  # fmt: skip
"""Facts that say of a GPU or its driver that it is at fault now, unless they are 0, no, or None."""
_UPTIME = "/proc/uptime"


def with_host(
    report: Report,
    knowledge: Knowledge,
    probes: Sequence[Probe],
    snapshot: Snapshot,
    without: frozenset[str] = frozenset(),
) -> Report:
    """The report on the same logs, weighed with the answers of ``probes``."""
    seen = report.observation
    snapshot = _of_the_run(report, probes, snapshot)
    found = answers(probes, snapshot)
    facts = [fact for answer in found for fact in answer.facts]
    logs = list(_logs(probes, snapshot, knowledge))
    observation = replace(seen, facts=(*seen.facts, *facts), findings=(*seen.findings, *logs))
    results = [ProbeResult(item.name, item.outcome, item.reason, item.seconds) for item in found]
    base = knowledge.base.without(without) if without else knowledge.base
    return diagnose(observation, base, results, version=__version__)


def ask_host(
    report: Report,
    probes: Sequence[Probe],
    environment: Mapping[str, str],
    *,
    python: Path | None = None,
    pid: int | None = None,
) -> Snapshot:
    """What ``probes`` see on this host now, looking where the report says (ports, addresses, the model's folder)."""
    facts = {fact.name: fact.value for fact in report.observation.facts}
    return look_at(probes, Target(python, pid, facts, dict(environment)), Redactor())


def with_answers(
    report: Report, knowledge: Knowledge, given: Sequence[Fact], without: frozenset[str] = frozenset()
) -> Report:
    """The report weighed with what the operator answered, beside all that is known already."""
    observation = replace(report.observation, facts=(*report.observation.facts, *given))
    base = knowledge.base.without(without) if without else knowledge.base
    run = [probe for probe in report.probes if probe.outcome != "not-run"]
    return diagnose(observation, base, run, version=__version__)


def questions(knowledge: Knowledge) -> dict[str, Question]:
    """What can be asked at all, by the fact that the answer states."""
    return {
        item.facts[0].name: item.question
        for signature in knowledge.base
        for item in signature.evidence
        if item.question is not None
    }


def probes_that_matter(report: Report, probes: Sequence[Probe]) -> list[Probe]:
    """Those that a diagnosis, shown or not, waits for, the most telling first; and the few that always tell something."""
    gains = {step.name: step.gain_bits for item in report.diagnoses for step in item.next if step.kind == "probe"}
    wanted = _ALWAYS | {name for item in report.diagnoses for name in item.not_checked}
    chosen = [probe for probe in probes if probe.name in wanted]
    return sorted(chosen, key=lambda probe: (-gains.get(probe.name, 0.0) / max(probe.cost_s, 0.05), probe.name))


def _of_the_run(report: Report, probes: Sequence[Probe], snapshot: Snapshot) -> Snapshot:
    """``snapshot`` without what the host's logs tell of other times than that of the server's log."""
    seen = report.observation
    faults = {fact.name: fact.value for item in answers(probes, snapshot) for fact in item.facts}
    run = run_of(
        seen.first_time,
        seen.last_time,
        is_healthy=_is_healthy(report),
        has_gpu_fault=any(map(_is_fault, faults.items())),
    )
    logs = {
        probe.name: tuple(_cut(item, snapshot, run) for item in snapshot.transcripts[probe.name])
        for probe in probes
        if probe.is_log and probe.name in snapshot.transcripts
    }
    return replace(snapshot, transcripts={**snapshot.transcripts, **logs})


def _cut(item: Transcript, snapshot: Snapshot, run: Run) -> Transcript:
    if item.label == _UPTIME or item.status != "ok":
        return item
    uptime = by_label(snapshot.transcripts.get("dmesg", ()), _UPTIME)
    return replace(item, text=lines_of_run(item.text, uptime.text if uptime else "", snapshot.recorded, run))


def _is_healthy(report: Report) -> bool:
    """Does the server's own log show no failure?"""
    failed = any(
        item.role is not Role.ADVICE and item.severity in (Severity.ERROR, Severity.FATAL) for item in report.diagnoses
    )
    return report.verdict is not Verdict.UNKNOWN and not failed


def _is_fault(fact: tuple[str, Value]) -> bool:
    name, value = fact
    return name in _LASTING_FAULTS and value not in (0, "None")


def _logs(probes: Sequence[Probe], snapshot: Snapshot, knowledge: Knowledge) -> Iterator[Finding]:
    for probe in probes:
        # The reads of a log are ways to the same lines, the best first.
        for item in snapshot.transcripts.get(probe.name, ()) if probe.is_log else ():
            if item.status == "ok" and not item.exit_code and item.text:
                seen: Observation = observe_text(item.text.encode(), knowledge, f"probe {probe.name}")
                yield from seen.findings
                break
