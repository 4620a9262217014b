"""A report once more, with what a host says: its facts weigh, and its kernel log is read like any log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from triage import __version__
from triage.engine import observe_text
from triage.knowledge.compiled import Knowledge
from triage.model import Fact, Finding, Observation, ProbeResult, Question, Report
from triage.probing.host import answers
from triage.probing.probe import Probe
from triage.probing.snapshot import Snapshot
from triage.reasoning.diagnose import diagnose

_ALWAYS = frozenset({"dmesg", "driver-version", "gpu-list", "os", "python-packages"})
"""Worth their price whatever is suspected: they name the machine, and the kernel knows of deaths that no server tells."""


def with_host(
    report: Report,
    knowledge: Knowledge,
    probes: Sequence[Probe],
    snapshot: Snapshot,
    without: frozenset[str] = frozenset(),
) -> Report:
    """The report on the same logs, weighed with the answers of ``probes``."""
    found = answers(probes, snapshot)
    seen = report.observation
    facts = [fact for answer in found for fact in answer.facts]
    logs = list(_logs(probes, snapshot, knowledge))
    observation = replace(seen, facts=(*seen.facts, *facts), findings=(*seen.findings, *logs))
    results = [ProbeResult(item.name, item.outcome, item.reason, item.seconds) for item in found]
    base = knowledge.base.without(without) if without else knowledge.base
    return diagnose(observation, base, results, version=__version__)


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


def _logs(probes: Sequence[Probe], snapshot: Snapshot, knowledge: Knowledge) -> Iterator[Finding]:
    for probe in probes:
        # The reads of a log are ways to the same lines, the best first.
        for item in snapshot.transcripts.get(probe.name, ()) if probe.is_log else ():
            if item.status == "ok" and not item.exit_code and item.text:
                seen: Observation = observe_text(item.text.encode(), knowledge, f"probe {probe.name}")
                yield from seen.findings
                break
