"""Observation and knowledge in, report out: the whole of the reasoning, without a clock, a file or a print."""

from __future__ import annotations

from collections.abc import Sequence

from triage.knowledge.base import KnowledgeBase
from triage.model import (
    ClockOffset,
    Diagnosis,
    Finding,
    Launch,
    Observation,
    ProbeResult,
    Rejected,
    Report,
    Role,
    Severity,
    Strength,
    Verdict,
)
from triage.reasoning.candidate import Candidate, candidate_for
from triage.reasoning.evidence import seen_by_source
from triage.reasoning.jobs import differences, jobs
from triage.reasoning.recovery import in_earlier_launch, recovered
from triage.reasoning.rivalry import compete, fold
from triage.reasoning.unexplained import describe, lasting, unexplained_errors
from triage.reasoning.weights import CONFIRMED, LIKELY, SHOWN

_ROLE_ORDER = {Role.ROOT: 0, Role.CASCADE: 1, Role.ADVICE: 2}


def diagnose(
    observation: Observation, base: KnowledgeBase, probes: Sequence[ProbeResult] = (), version: str = ""
) -> Report:
    """The report on what was observed. Probes that were not run are reported as not checked."""
    seen = observation
    if any(item.clock_steps for item in observation.inputs):
        from triage.reasoning.clocks import without_steps  # here: clocks are seldom set

        observation = without_steps(observation)
    members = jobs(observation)
    offsets: tuple[ClockOffset, ...] = ()
    if members:
        from triage.reasoning.clocks import clock_offsets, on_one_clock  # here: most logs are of one node

        offsets = tuple(offset for job in members for offset in clock_offsets(observation, job))
        observation = on_one_clock(observation, offsets)
    findings = _by_key(observation.findings)
    probed = frozenset(probe.name for probe in probes if probe.outcome == "ok")
    views = seen_by_source(observation.findings, observation.facts, probed, observation.planned)
    touched = sorted({key.partition("/")[0] for key in findings} | _planned_for(observation, base))
    candidates = [item for name in touched if name in base for item in [candidate_for(base.get(name), views)] if item]
    past = [item for item in candidates if recovered(item, findings, observation.launches)]
    present = [item for item in candidates if item not in past]
    compete(present)
    standing = fold(present)
    credible = [item for item in standing if item.confidence >= SHOWN]
    firm = [item for item in credible if not _only_hinted_at(item)]
    errors = unexplained_errors(observation, _accounting(firm, candidates, past))
    in_the_dark = not any(item.is_root for item in firm) and bool(lasting(errors, observation.launches))
    shown = credible if in_the_dark else firm
    if in_the_dark:
        errors = unexplained_errors(observation, _accounting(shown, candidates, past))
    diagnoses = _diagnoses(shown, present, observation.launches, members) if shown else ()
    return Report(
        verdict=_verdict(diagnoses, is_open=not observation.lines or bool(lasting(errors, observation.launches))),
        observation=seen,
        diagnoses=diagnoses,
        recovered=tuple(_diagnosis(item, past, was_recovered=True) for item in past),
        rejected=tuple(_rejections(standing, shown)),
        unexplained=describe(errors, base),
        unexplained_count=len(errors),
        probes=_probes(diagnoses, probes),
        limits_hit=observation.limits_hit,
        tool_version=version,
        clock_offsets=offsets,
        differences=tuple(found for job in members for found in differences(observation, job)),
    )


def _diagnoses(
    shown: Sequence[Candidate],
    present: Sequence[Candidate],
    launches: Sequence[Launch],
    members: Sequence[Sequence[str]],
) -> tuple[Diagnosis, ...]:
    """What is shown, ranked, with what is to be said of it beside the others that are ``present``."""
    # Here, for a healthy log has nothing to tell apart.
    from triage.reasoning.differential import share_with_narrower
    from triage.reasoning.onset import onset_notes

    _note_earlier_launches(shown, launches)
    for item in shown:
        item.notes.extend(onset_notes(item, [other for other in present if other.id in item.explains], members))
    timed = all(item.onset.place.seconds is not None for item in shown)
    ranked = sorted(shown, key=lambda item: _rank_key(item, launches, timed=timed))
    share_with_narrower(ranked)
    return tuple(_diagnosis(item, present) for item in ranked)


def _planned_for(observation: Observation, base: KnowledgeBase) -> set[str]:
    """The signatures that look at a fact which the launch command states."""
    names = {name for name, _ in observation.planned}
    if not names:
        return set()
    return {
        identifier
        for identifier, record in base.records.items()
        if any(names & set(item.get("fact", ())) for item in record.data["evidence"])
    }


def _accounting(shown: Sequence[Candidate], every: Sequence[Candidate], past: Sequence[Candidate]) -> list[Candidate]:
    """The candidates whose lines are explained: those shown, what they account for, and what recovered."""
    names = {name for item in shown for name in (item.id, *item.explains, *item.rivals)}
    return [item for item in every if item.id in names or item in past]


def _only_hinted_at(item: Candidate) -> bool:
    """Hints alone make no diagnosis, unless there is nothing better for an error; beside a rival that rests on the same
    line they show what else it could be."""
    return item.best is Strength.HINTS and item.signature.role is Role.ROOT and not item.rivals


def _by_key(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(finding.key, []).append(finding)
    return grouped


def _note_earlier_launches(items: Sequence[Candidate], launches: Sequence[Launch]) -> None:
    for item in items:
        if in_earlier_launch(item, launches):
            line = max(launch.line for launch in launches if launch.source == item.onset.place.source)
            item.notes.append(f"before the server was started again in line {line}")


def _rank_key(item: Candidate, launches: Sequence[Launch], *, timed: bool) -> tuple[object, ...]:
    """Roots first; the last start before earlier ones; by class of confidence; within a class the earliest, since what
    broke first is nearer to the cause than what broke last."""
    confidence_class = sum(item.confidence < bound for bound in (CONFIRMED, LIKELY, 0.35))
    place = item.onset.place
    return (
        _ROLE_ORDER[item.signature.role],
        in_earlier_launch(item, launches) and item.signature.severity is Severity.FATAL,
        confidence_class,
        -round(item.confidence, 2) if confidence_class > 1 else 0,
        (place.seconds or 0.0) if timed else 0.0,
        place.source,
        item.onset.block or place.line,
        -item.confidence,
        item.id,
    )


def _diagnosis(item: Candidate, field: Sequence[Candidate], *, was_recovered: bool = False) -> Diagnosis:
    from triage.reasoning.next_step import by_use, next_steps  # here: a healthy log has no next step

    signature = item.signature
    return Diagnosis(
        id=item.id,
        title=signature.title,
        severity=signature.severity,
        role=signature.role,
        confidence=item.confidence,
        decibans=item.decibans,
        phase=item.phase,
        rank=item.onset.place.rank,
        ledger=item.ledger,
        fix=signature.fix,
        playbook=signature.playbook,
        explains=tuple(dict.fromkeys(item.explains)),
        rivals=tuple(item.rivals),
        not_checked=by_use(item, field),
        next=() if was_recovered else next_steps(item, field),
        recovered=was_recovered,
        notes=tuple(item.notes),
    )


def _verdict(diagnoses: Sequence[Diagnosis], *, is_open: bool) -> Verdict:
    """``is_open``: without a diagnosis it is not known whether all is well, for errors are left, or nothing was read."""
    serious = [item for item in diagnoses if item.role is not Role.ADVICE and item.severity is not Severity.INFO]
    roots = [item for item in serious if item.role is Role.ROOT]
    if roots:
        best = max(item.confidence for item in roots)
        return Verdict.CONFIRMED if best >= CONFIRMED else Verdict.LIKELY if best >= LIKELY else Verdict.POSSIBLE
    if serious:
        return Verdict.POSSIBLE if max(item.confidence for item in serious) >= LIKELY else Verdict.UNKNOWN
    return Verdict.UNKNOWN if is_open else Verdict.HEALTHY


def _rejections(standing: Sequence[Candidate], shown: Sequence[Candidate]) -> list[Rejected]:
    return [
        Rejected(
            item.id,
            "only hints speak for it"
            if _only_hinted_at(item)
            else f"confidence {item.confidence:.0%} is below {SHOWN:.0%}",
            item.decibans,
            item.ledger,
        )
        for item in standing
        if item not in shown
    ]


def _probes(diagnoses: Sequence[Diagnosis], probes: Sequence[ProbeResult]) -> tuple[ProbeResult, ...]:
    """What the diagnoses wait for, in their order and the most telling first, whether it was tried or not; then the rest."""
    run = {probe.name: probe for probe in probes}
    wanted = dict.fromkeys(name for item in diagnoses for name in item.not_checked)
    first = [run.get(name) or ProbeResult(name, "not-run", "probes were not asked for") for name in wanted]
    return (*first, *(probe for probe in probes if probe.name not in wanted))
