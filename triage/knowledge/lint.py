"""Checks that need more than one value: ids against file names, references between signatures, ranges, roles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from triage.knowledge.base import KnowledgeBase
from triage.knowledge.errors import Problems, did_you_mean
from triage.model import Location, Role, Severity, Signature, Strength


def check_signatures(base: KnowledgeBase, problems: Problems) -> None:
    """Report every inconsistency of the whole knowledge base."""
    for signature in base:
        for complaint in _complaints(signature, base):
            problems.add(Location(signature.location.path), complaint)


def _complaints(signature: Signature, base: KnowledgeBase) -> Iterator[str]:
    if PurePath(signature.location.path).stem != signature.id:
        yield f"the file of '{signature.id}' must be named {signature.id}.yaml"
    if not signature.area:
        yield "a signature lies in the folder of its area"
    names = [item.id for item in signature.evidence]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"evidence id '{name}' stands twice"
    if not any(item.strength.is_for for item in signature.evidence):
        yield "nothing speaks for this cause"
    if not any(item.log is not None and item.strength.is_for for item in signature.evidence):
        yield "no line of a log can show this cause: at least one 'log' item must speak for it"
    if signature.role is Role.ADVICE and signature.severity in (Severity.ERROR, Severity.FATAL):
        yield "advice cannot have the severity error or fatal"
    if any(item.probe and item.log for item in signature.evidence):
        yield "a probe delivers facts: it stands beside 'fact', not beside 'log'"
    yield from _references(signature, base)
    yield from _versions(signature)


def _references(signature: Signature, base: KnowledgeBase) -> Iterator[str]:
    known = list(base.ids())
    for key, targets in (("explains", signature.explains), ("refines", signature.refines)):
        for target in targets:
            if target == signature.id:
                yield f"'{key}' names the signature itself"
            elif target not in base and did_you_mean(target, known):
                # An id that resembles no known one may belong to a pack that is not loaded; a near one is a slip.
                yield f"'{key}' names '{target}', which is no signature{did_you_mean(target, known)}"
    for wider in signature.refines:
        if wider in base and signature.id in base.get(wider).refines:
            yield f"'{signature.id}' and '{wider}' refine each other"


def _versions(signature: Signature) -> Iterator[str]:
    for item in signature.versions:
        try:
            SpecifierSet(item.specifier)
        except InvalidSpecifier:
            yield f"'{item.specifier}' is not a version range (PEP 440, such as '>=0.4.6,<0.5.9')"
    for evidence in signature.evidence:
        for test in (*evidence.facts, *evidence.when):
            if test.operator == "version":
                try:
                    SpecifierSet(str(test.operand))
                except InvalidSpecifier:
                    yield f"evidence '{evidence.id}': '{test.operand}' is not a version range"
    if any(
        item.strength is Strength.DECISIVE and item.log is None and item.probe is None for item in signature.evidence
    ):
        yield "a fact of the log alone is not decisive"
