"""A signature with its score: prior, evidence by family, versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from triage.model import FactTest, Hit, LedgerEntry, Phase, Role, Signature, Strength, Value
from triage.reasoning.conditions import holds
from triage.reasoning.evidence import Seen, Support, weigh
from triage.reasoning.families import Family, assign
from triage.reasoning.weights import OUTSIDE_VERSIONS, PRIOR, SAME_FAMILY_CAP, STRENGTH, probability
from triage.records import dataclass, field, replace


@dataclass(slots=True)
class Candidate:
    """A signature that something speaks for. ``confidence`` starts as that of the score alone and is revised by rivals."""

    signature: Signature
    ledger: tuple[LedgerEntry, ...]
    hits: tuple[Hit, ...]
    decibans: float
    best: Strength
    not_checked: tuple[str, ...]
    suspect: bool
    confidence: float = 0.0
    explains: list[str] = field(default_factory=list)
    rivals: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The signature's id."""
        return self.signature.id

    @property
    def is_root(self) -> bool:
        """Can it be the answer?"""
        return self.signature.role is Role.ROOT

    @property
    def onset(self) -> Hit:
        """The earliest line that speaks for it with its best strength."""
        return self.hits[0]

    @property
    def phase(self) -> Phase:
        """The phase of its onset."""
        return self.onset.phase

    def lines(self) -> set[tuple[str, int]]:
        """(source, line) of every kept hit."""
        return {(hit.place.source, hit.place.line) for hit in self.hits}

    def blocks(self) -> set[tuple[str, int]]:
        """(source, first line) of every traceback or record it is seen in."""
        return {(hit.place.source, hit.block) for hit in self.hits}


def candidate_for(signature: Signature, views: Mapping[tuple[str, str], Seen]) -> Candidate | None:
    """The scored candidate, or None when no line of a log speaks for ``signature``.

    Each server is weighed by itself; the one that says most decides, since the same failure told by eight ranks in eight
    files is one failure. Lines and counts of the others are added.
    """
    found = [item for seen in views.values() for item in [_candidate_in(signature, seen)] if item is not None]
    if not found:
        return None
    best = min(found, key=lambda item: (-item.decibans, item.onset.place.seconds or 0.0, item.onset.place.source))
    best.ledger = tuple(
        _with_counts(entry, [item.ledger for item in found if item is not best]) for entry in best.ledger
    )
    if len(found) > 1:
        best.hits = tuple(_sorted_hits([hit for item in found if item.best is best.best for hit in item.hits]))
    best.not_checked = tuple(dict.fromkeys(name for item in found for name in item.not_checked))
    return best


def _with_counts(entry: LedgerEntry, others: Sequence[Sequence[LedgerEntry]]) -> LedgerEntry:
    same = [other for ledger in others for other in ledger if other.evidence == entry.evidence]
    count = entry.count + sum(other.count for other in same)
    return replace(entry, count=count, count_exact=entry.count_exact and all(other.count_exact for other in same))


def _candidate_in(signature: Signature, seen: Seen) -> Candidate | None:
    weighing = weigh(signature.evidence, seen)
    speaking = [item for item in weighing.supports if item.hits and item.evidence.strength.is_for]
    if not speaking:
        return None
    version_entry = _version_entry(signature, seen.facts)
    ledger = (*_ledger(weighing.supports, seen.facts), *((version_entry,) if version_entry else ()))
    decibans = PRIOR[signature.prevalence] + sum(entry.decibans for entry in ledger)
    best = max((item.evidence.strength for item in speaking), key=lambda strength: STRENGTH[strength])
    strongest = _sorted_hits([hit for item in speaking if item.evidence.strength is best for hit in item.hits])
    others = _sorted_hits([hit for item in speaking if item.evidence.strength is not best for hit in item.hits])
    suspect = all(item.suspect for item in speaking)
    return Candidate(
        signature, ledger, (*strongest, *others), decibans, best, weighing.not_checked, suspect, probability(decibans)
    )


def _sorted_hits(hits: list[Hit]) -> list[Hit]:
    """By time where every line has one (several sources share no line numbers), else in file order."""
    timed = all(hit.place.seconds is not None for hit in hits)
    return sorted(
        hits, key=lambda hit: ((hit.place.seconds or 0.0) if timed else 0.0, hit.place.line, hit.place.source)
    )


def _ledger(supports: tuple[Support, ...], facts: Mapping[str, Value]) -> list[LedgerEntry]:
    """Entries with their weights: items that share their lines and tracebacks count once, the strongest in full and the
    rest up to SAME_FAMILY_CAP."""
    ordered = sorted(supports, key=lambda item: (-abs(_weight(item)), item.evidence.id))
    weighed: dict[str, float] = {}
    for group in ([item for item in ordered if _weight(item) > 0], [item for item in ordered if _weight(item) <= 0]):
        families = [_families(item) for item in group]
        own = assign(families)
        spent: dict[Family, float] = {}
        for item, choices, family in zip(group, families, own, strict=True):
            weight = _weight(item)
            if family is None:
                shared = max(choices, key=lambda choice: SAME_FAMILY_CAP - spent.get(choice, 0.0))
                size = min(abs(weight), SAME_FAMILY_CAP - spent.get(shared, 0.0))
                spent[shared] = spent.get(shared, 0.0) + size
                weight = size if weight > 0 else -size
            weighed[item.evidence.id] = weight
    return [_entry(item, weighed[item.evidence.id], facts) for item in ordered]


def _weight(item: Support) -> float:
    """Decibans of the item's strength; lines that a client may have written never count for more than support."""
    weight = STRENGTH[item.evidence.strength]
    if item.suspect:
        return max(min(weight, STRENGTH[Strength.SUPPORTS]), STRENGTH[Strength.CONTRADICTS])
    return weight


def _families(item: Support) -> list[Family]:
    """The records that show the item, first one first; an item without lines, or with a declared family, is its own."""
    if item.evidence.family:
        return [("", item.evidence.family)]
    blocks = dict.fromkeys((hit.place.source, str(hit.block)) for hit in item.hits)
    return list(blocks) or [("", f"fact {item.evidence.id}")]


def _entry(item: Support, weight: float, facts: Mapping[str, Value]) -> LedgerEntry:
    first = item.hits[0] if item.hits else None
    probe = item.evidence.probe if first is None else None
    asked = item.evidence.question if first is None else None
    names = [test.name for test in item.evidence.facts]
    found = "; ".join(f"{name} {_words(facts[name])}" if name in facts else f"{name} not set" for name in names)
    return LedgerEntry(
        evidence=item.evidence.id,
        strength=item.evidence.strength,
        decibans=round(weight, 3),
        count=item.count,
        count_exact=item.count_exact,
        place=first.place if first else None,
        text=first.text if first else found if probe or asked else "",
        phase=first.phase if first else Phase.UNKNOWN,
        captures=first.captures if first else (),
        origin="" if first else f"probe {probe}" if probe else "answer" if asked else ", ".join(names),
        label=item.evidence.label,
    )


def _words(value: Value) -> str:
    """A fact's value as it is said: ``yes``, ``2``, ``2.9.1 in /usr/lib, 2.10.0 in /opt``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _version_entry(signature: Signature, facts: Mapping[str, Value]) -> LedgerEntry | None:
    """A release known to lie outside the signature's ranges speaks against it."""
    outside = [
        item
        for item in signature.versions
        if holds(FactTest(f"{item.package}.version", "version", item.specifier), facts) is False
    ]
    if not outside:
        return None
    text = ", ".join(f"{item.package} {facts[f'{item.package}.version']} is not {item.specifier}" for item in outside)
    return LedgerEntry("versions", Strength.CONTRADICTS, OUTSIDE_VERSIONS, label=text, origin="versions")
