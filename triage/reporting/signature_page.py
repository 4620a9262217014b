"""A cause's page, made from its signature so that it cannot drift: what, why, how it shows, what it is not, how to mend it."""

from __future__ import annotations

from collections.abc import Iterator

from triage.model import Evidence, LogCondition, LogOperator, Signature


def signature_page(signature: Signature) -> Iterator[str]:
    """The page as plain lines (they hold rule text only; the caller makes them visible)."""
    yield signature.title
    yield f"{signature.id}  {signature.severity.value}, {signature.role.value}, {signature.prevalence.value}; {signature.component}"
    if signature.versions:
        ranges = [
            f"{item.package} {item.specifier}" + (f" (mended in {item.fixed_in})" if item.fixed_in else "")
            for item in signature.versions
        ]
        yield f"occurs in: {', '.join(ranges)}"
    yield from _section("Why it happens", signature.explanation)
    yield from _section(
        "How to mend it",
        signature.fix + (f"\nstep by step: sgltriage fix {signature.id}" if signature.playbook else ""),
    )
    yield ""
    yield "How it shows"
    for item in signature.evidence:
        yield f"  {item.strength.value:<11} {item.label or item.id}{_narrowing(item)}"
        if item.log is not None:
            yield from (f"              {line}" for line in _log_lines(item.log))
        else:
            tests = ", ".join(f"{test.name} {test.operator} {test.operand}" for test in item.facts)
            asked = f"probe {item.probe}" if item.probe else f"asked: {item.question.ask}" if item.question else ""
            yield f"              {tests}" + (f"   ({asked})" if asked else "")
    yield from _section("What it is not", signature.safety)
    for heading, names in (("Wider cause", signature.refines), ("Accounts for", signature.explains)):
        yield from _section(heading, ", ".join(names))
    printed = (item.source + (f"  ({item.releases})" if item.releases else "") for item in signature.provenance)
    yield from _section("Who prints it", "\n".join(printed))
    yield from _section("See", "\n".join(signature.references))
    yield from _section("For example", signature.examples[0] if signature.examples else "")


def _section(heading: str, text: str) -> Iterator[str]:
    if text.strip():
        yield ""
        yield heading
        yield from (f"  {line}" for line in text.rstrip().splitlines())


def _narrowing(item: Evidence) -> str:
    parts = []
    if item.phases:
        parts.append("in phase " + " or ".join(phase.value for phase in item.phases))
    if item.when:
        parts.append("when " + ", ".join(f"{test.name} {test.operator} {test.operand}" for test in item.when))
    return f"  ({'; '.join(parts)})" if parts else ""


def _log_lines(condition: LogCondition) -> Iterator[str]:
    words = {
        LogOperator.ALL: "all of",
        LogOperator.AT_LEAST: f"at least {condition.count} of",
        LogOperator.SEQUENCE: "one after the other",
        LogOperator.ABSENT: "never",
    }
    if condition.operator in words:
        yield f"{words[condition.operator]}:"
    for pattern in condition.patterns:
        yield pattern.regex + (f"   (not: {pattern.unless})" if pattern.unless else "")
