"""Which facts a formula reads: it is asked once, with facts that note what is looked up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from triage.fixing.sizing import FORMULAS
from triage.model import Value
from triage.playbook import Case, Parameter
from triage.records import replace


class _NotedFacts(Mapping[str, Value]):
    """``facts``, and in ``asked`` every name that was looked up, also in vain."""

    def __init__(self, facts: Mapping[str, Value]) -> None:
        self._facts = facts
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> Value:
        self.asked.add(name)
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)


def facts_of_formulas(parameter: Parameter, case: Case) -> frozenset[str]:
    """The facts that the formulas of ``parameter`` look up in ``case``, known or not."""
    facts = _NotedFacts(case.facts)
    for source in parameter.sources:
        kind, _, name = source.partition(" ")
        if kind == "compute" and name in FORMULAS:
            FORMULAS[name](replace(case, facts=facts))
    return frozenset(facts.asked)
