"""What is wrong in playbooks beyond the form of their files: unknown names, dangerous commands, steps that cannot be taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from triage.fixing.lint_steps import check_complaints, step_complaints, texts_of, texts_of_check
from triage.fixing.opening import BUILT_IN
from triage.fixing.package_names import LOOKUPS
from triage.fixing.sizing import FORMULAS
from triage.fixing.values import convert
from triage.knowledge.base import KnowledgeBase
from triage.knowledge.errors import Problems, did_you_mean
from triage.knowledge.playbooks import PlaybookFile
from triage.playbook import (
    Missing,
    ParameterType,
    Playbook,
)

Complaint = tuple[tuple[str | int, ...], str]
_BRACES = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def check_playbooks(
    files: Sequence[PlaybookFile], base: KnowledgeBase, probes: Sequence[str], problems: Problems
) -> None:
    """Report everything that is wrong with ``files``, each by itself and against the signatures."""
    for item in files:
        for steps, message in _complaints(item.playbook, base, probes):
            problems.add(item.place(*steps), message)


def check_references(playbooks: Sequence[Playbook], base: KnowledgeBase, problems: Problems) -> None:
    """Report every signature that names a playbook which is not there, or which does not name it."""
    known = {item.id: item for item in playbooks}
    for signature in base:
        if signature.playbook is None:
            continue
        place = base.records[signature.id].place("playbook")
        if signature.playbook not in known:
            problems.add(place, f"no playbook '{signature.playbook}'{did_you_mean(signature.playbook, list(known))}")
        elif signature.id not in known[signature.playbook].fixes:
            problems.add(place, f"the playbook '{signature.playbook}' does not name '{signature.id}' under 'fixes'")


def _complaints(playbook: Playbook, base: KnowledgeBase, probes: Sequence[str]) -> Iterator[Complaint]:
    yield from _causes(playbook, base)
    if not playbook.area:
        yield (), "a playbook lies in the folder of its area"
    yield from _parameters(playbook, base)
    seen: set[str] = set()
    for index, step in enumerate(playbook.steps):
        if step.id in seen:
            yield ("steps", index, "id"), f"step '{step.id}' stands twice"
        if step.instead_of and step.instead_of not in seen:
            yield ("steps", index, "instead_of"), f"no earlier step '{step.instead_of}'"
        seen.add(step.id)
        for key, message in step_complaints(step, playbook, probes):
            yield ("steps", index, key), message
    for index, check in enumerate(playbook.verify):
        for message in check_complaints(check, playbook, probes):
            yield ("verify", index), message
    if not playbook.verify and not playbook.watch_for:
        yield ("id",), "nothing tells whether it worked: give 'verify' or 'watch_for'"


def _causes(playbook: Playbook, base: KnowledgeBase) -> Iterator[Complaint]:
    for index, identifier in enumerate(playbook.fixes):
        if identifier not in base:
            yield ("fixes", index), f"'{identifier}' is no signature{did_you_mean(identifier, list(base.ids()))}"
        elif base.get(identifier).playbook != playbook.id:
            yield ("fixes", index), f"the signature '{identifier}' does not name this playbook"


def _parameters(playbook: Playbook, base: KnowledgeBase) -> Iterator[Complaint]:
    captures = {
        name
        for identifier in playbook.fixes
        if identifier in base
        for pattern in base.get(identifier).patterns()
        for name, _ in pattern.captures
    }
    used = {name for step in playbook.steps for text in texts_of(step) for name in _BRACES.findall(text)}
    used |= {name for check in playbook.verify for text in texts_of_check(check) for name in _BRACES.findall(text)}
    for item in playbook.parameters:
        place = ("parameters", item.name)
        if item.name in {other.name for other in BUILT_IN}:
            yield place, f"'{item.name}' is there always; take another name"
        if item.name not in used:
            yield place, f"no step uses '{item.name}'"
        if bool(item.choices) != (item.type is ParameterType.ENUM):
            yield place, "'choices' belongs to the type enum, and to no other"
        if not item.sources and item.default is None:
            yield place, "has neither 'from' nor 'default'"
        if item.default is not None and isinstance(refused := convert(item, item.default, "'default'"), Missing):
            yield (*place, "default"), refused.reason
        if "ask" in item.sources and not item.help:
            yield place, "who is asked must be told what for: give 'help'"
        for source in item.sources:
            kind, _, name = source.partition(" ")
            if kind == "compute" and name not in (known := {*FORMULAS, *LOOKUPS}):
                yield (*place, "from"), f"no formula '{name}'{did_you_mean(name, sorted(known))}"
            if kind == "capture" and name not in captures:
                hint = did_you_mean(name, sorted(captures))
                yield (*place, "from"), f"no signature that it fixes captures '{name}'{hint}"
