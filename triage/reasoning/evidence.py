"""One signature's evidence held against what was seen: which items count, where, and which could not be checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from triage.model import (
    Context,
    Evidence,
    Fact,
    Finding,
    Hit,
    LogCondition,
    LogOperator,
    Pattern,
    Value,
)
from triage.reasoning.conditions import all_hold
from triage.records import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Support:
    """An item of evidence that applies. ``hits``: the lines that show it, first one first; empty for a fact."""

    evidence: Evidence
    hits: tuple[Hit, ...]
    count: int = 0
    count_exact: bool = True
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Weighing:
    """What applies, and the probes or facts that would have to be known to decide the rest."""

    supports: tuple[Support, ...]
    not_checked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one server shows: its findings by pattern key, the facts that hold for it by name, and the probes that ran."""

    findings: Mapping[str, Finding]
    facts: Mapping[str, Value]
    probed: frozenset[str] = frozenset()
    planned: Mapping[str, Hit] = field(default_factory=dict)


_PLANNED = "launch."
PLAN = ("command", "")
"""The server that a launch command would start."""


def seen_by_source(
    findings: Sequence[Finding],
    facts: Sequence[Fact],
    probed: frozenset[str] = frozenset(),
    planned: Sequence[tuple[str, Hit]] = (),
) -> dict[tuple[str, str], Seen]:
    """One view for each server with findings: for each source, and within it for each node if several state settings.

    A fact that a server does not state itself holds for it when all others that state it agree: the logs of one failure
    have one host's facts, but a prefill and a decode server scanned together have settings of their own.
    """
    stated: dict[str, dict[tuple[str, str], Value]] = {}
    nodes: dict[str, set[str]] = {}
    for fact in facts:
        stated.setdefault(fact.name, {})[fact.source, fact.node] = fact.value
        nodes.setdefault(fact.source, set()).add(fact.node)
    grouped: dict[tuple[str, str], dict[str, Finding]] = {}
    for finding in findings:
        for server, part in _by_server(finding, nodes.get(finding.source, set())):
            grouped.setdefault(server, {})[finding.key] = part
    views = {server: Seen(local, _known_to(server, stated), probed) for server, local in grouped.items()}
    if planned:
        views[PLAN] = Seen({}, _known_to(PLAN, stated), probed, dict(planned))
    return views


def _by_server(finding: Finding, nodes: set[str]) -> Iterator[tuple[tuple[str, str], Finding]]:
    if len(nodes) < 2:
        yield (finding.source, ""), finding
        return
    for node in dict.fromkeys(hit.place.node or "" for hit in finding.hits):
        yield (
            (finding.source, node),
            replace(finding, hits=tuple(hit for hit in finding.hits if (hit.place.node or "") == node)),
        )


def _known_to(server: tuple[str, str], stated: Mapping[str, Mapping[tuple[str, str], Value]]) -> dict[str, Value]:
    known: dict[str, Value] = {}
    for name, values in stated.items():
        own = values.get(server, values.get((server[0], "")))
        if server in values or (server[0], "") in values:
            known[name] = own
        elif len({repr(value) for value in values.values()}) == 1:
            known[name] = next(iter(values.values()))
    return known


def weigh(items: Sequence[Evidence], seen: Seen) -> Weighing:
    """Hold every item of ``items`` against ``seen``."""
    supports: list[Support] = []
    not_checked: list[str] = []
    for item in items:
        if item.when and all_hold(item.when, seen.facts) is not True:
            continue
        if item.log is not None:
            found = _log_support(item, item.log, seen)
            if found is not None:
                supports.append(found)
            continue
        # What a probe delivers is not absent for being unknown: until it ran, `exists: false` proves nothing either.
        if not seen.planned and any(test.name.startswith(_PLANNED) for test in item.facts):
            continue  # a log has no plan, so nobody misses what one would tell
        waits = item.question is not None or (item.probe is not None and item.probe not in seen.probed)
        unknown = waits and any(test.name not in seen.facts for test in item.facts)
        answer = None if unknown else all_hold(item.facts, seen.facts)
        if answer is True:
            said = (seen.planned[test.name] for test in item.facts if test.name in seen.planned)
            supports.append(Support(item, tuple(said), 1))
        elif answer is None and (waits or item.probe is None):
            not_checked.append(item.probe or item.facts[0].name)
    return Weighing(tuple(supports), tuple(dict.fromkeys(not_checked)))


def _log_support(item: Evidence, condition: LogCondition, seen: Seen) -> Support | None:
    per_pattern = [_hits(pattern, item, seen) for pattern in condition.patterns]
    if condition.operator is LogOperator.ABSENT:
        observable = _hits(condition.observable, item, seen) if condition.observable else []
        return Support(item, tuple(observable[:1]), 1) if observable and not per_pattern[0] else None
    hits = _combined(condition, per_pattern)
    if not hits:
        return None
    findings = [seen.findings[pattern.key] for pattern in condition.patterns if pattern.key in seen.findings]
    # With phases named, only the kept hits are known to lie in them, so the whole count cannot be claimed.
    count = len(hits) if item.phases else sum(finding.count for finding in findings)
    return Support(
        item,
        tuple(hits),
        count,
        all(finding.count_exact for finding in findings) and not item.phases,
        all(hit.context is Context.SUSPECT for hit in hits),
    )


def _hits(pattern: Pattern, item: Evidence, seen: Seen) -> list[Hit]:
    finding = seen.findings.get(pattern.key)
    return [hit for hit in finding.hits if not item.phases or hit.phase in item.phases] if finding else []


def _combined(condition: LogCondition, per_pattern: Sequence[Sequence[Hit]]) -> list[Hit]:
    if condition.operator is LogOperator.SEQUENCE:
        return _sequence(condition, per_pattern)
    if condition.operator is LogOperator.ANY:
        return _ordered(hit for hits in per_pattern for hit in hits)
    needed = len(per_pattern) if condition.operator is LogOperator.ALL else condition.count
    if sum(bool(hits) for hits in per_pattern) < needed:
        return []
    return _ordered(hit for hits in per_pattern for hit in hits)


def _sequence(condition: LogCondition, per_pattern: Sequence[Sequence[Hit]]) -> list[Hit]:
    """The first chain of hits, one of each pattern in order, within the limits and of one rank, process or source."""
    for start in per_pattern[0]:
        chain = [start]
        for hits in per_pattern[1:]:
            following = next((hit for hit in hits if _follows(condition, chain, hit)), None)
            if following is None:
                break
            chain.append(following)
        if len(chain) == len(per_pattern):
            return chain
    return []


def _follows(condition: LogCondition, chain: Sequence[Hit], hit: Hit) -> bool:
    first, last = chain[0].place, chain[-1].place
    if hit.place.line < last.line:
        return False
    if condition.by == "rank" and hit.place.rank != first.rank:
        return False
    if condition.within_lines is not None and hit.place.line - first.line > condition.within_lines:
        return False
    if condition.within_seconds is None or hit.place.seconds is None or first.seconds is None:
        return True
    return 0 <= hit.place.seconds - first.seconds <= condition.within_seconds


def _ordered(hits: Iterable[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: hit.place.line)
