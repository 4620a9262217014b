"""Checks that need more than one value: ids against file names, references between signatures, ranges, roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePath

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from triage.knowledge.base import KnowledgeBase
from triage.knowledge.errors import Problems, did_you_mean
from triage.model import Evidence, Role, Severity, Signature, Strength

Complaint = tuple[tuple[str | int, ...], str]
"""Where in the file (keys and list indexes, as SignatureRecord.place takes them), and what is wrong there."""


def check_signatures(base: KnowledgeBase, identifiers: Iterable[str], problems: Problems) -> None:
    """Report every inconsistency of some signatures, in themselves and with the rest of the knowledge base."""
    for identifier in identifiers:
        record = base.records[identifier]
        for steps, message in _complaints(base.get(identifier), base):
            problems.add(record.place(*steps), message)


def _complaints(signature: Signature, base: KnowledgeBase) -> Iterator[Complaint]:
    if PurePath(signature.location.path).stem != signature.id:
        yield ("id",), f"the file of '{signature.id}' must be named {signature.id}.yaml"
    if not signature.area:
        yield (), "a signature lies in the folder of its area"
    if not any(item.strength.is_for for item in signature.evidence):
        yield ("evidence",), "nothing speaks for this cause"
    if not any(item.log is not None and item.strength.is_for for item in signature.evidence):
        yield ("evidence",), "no line of a log can show this cause: at least one 'log' item must speak for it"
    if signature.role is Role.ADVICE and signature.severity in (Severity.ERROR, Severity.FATAL):
        yield ("severity",), "advice cannot have the severity error or fatal"
    seen: set[str] = set()
    for index, item in enumerate(signature.evidence):
        if item.id in seen:
            yield ("evidence", index, "id"), f"evidence id '{item.id}' stands twice"
        seen.add(item.id)
        for steps, message in _evidence(item):
            yield ("evidence", index, *steps), message
    yield from _references(signature, base)
    yield from _versions(signature)


def _evidence(item: Evidence) -> Iterator[Complaint]:
    if item.probe and item.log:
        yield ("probe",), "a probe delivers facts: it stands beside 'fact', not beside 'log'"
    if item.question:
        if item.probe or len(item.facts) != 1:
            yield (
                ("question",),
                "the answer to a question is one fact: it stands beside 'fact' with one test, and without 'probe'",
            )
        if (item.question.kind == "choice") != bool(item.question.choices):
            yield ("question",), "'choices' belongs to the type choice, and to no other"
    planned = any(test.name.startswith("launch.") for test in item.facts)
    if item.strength is Strength.DECISIVE and item.log is None and not (item.probe or item.question) and not planned:
        yield ("strength",), "a fact of the log alone is not decisive"
    for key, tests in (("fact", item.facts), ("when", item.when)):
        for test in tests:
            if test.operator == "version" and not _is_range(str(test.operand)):
                yield (key, test.name), f"evidence '{item.id}': '{test.operand}' is not a version range"


def _references(signature: Signature, base: KnowledgeBase) -> Iterator[Complaint]:
    known = list(base.ids())
    for key, targets in (("explains", signature.explains), ("refines", signature.refines)):
        for index, target in enumerate(targets):
            if target == signature.id:
                yield (key, index), f"'{key}' names the signature itself"
            elif target not in base and did_you_mean(target, known):
                # An id that resembles no known one may belong to a pack that is not loaded; a near one is a slip.
                yield (key, index), f"'{key}' names '{target}', which is no signature{did_you_mean(target, known)}"
            elif key == "refines" and target in base and signature.id in base.get(target).refines:
                yield (key, index), f"'{signature.id}' and '{target}' refine each other"


def _versions(signature: Signature) -> Iterator[Complaint]:
    for item in signature.versions:
        if not _is_range(item.specifier):
            message = f"'{item.specifier}' is not a version range (PEP 440, such as '>=0.4.6,<0.5.9')"
            yield ("versions", item.package, "range"), message
        if item.fixed_in and not _is_version(item.fixed_in):
            yield ("versions", item.package, "fixed_in"), f"'{item.fixed_in}' is not a version"
    for index, printed in enumerate(signature.provenance):
        if not _is_range(printed.releases):
            message = f"'{printed.releases}' is not a version range (PEP 440, such as '>=0.4.6,<0.5.9')"
            yield ("provenance", index, "releases"), message


def _is_range(text: str) -> bool:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return False
    return True


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
