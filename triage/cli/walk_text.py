"""What ``walk`` shows of a session: plain lines, each of which makes sense by itself when it is read aloud."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triage.model import Diagnosis, Fact, NextStep, Phase, Verdict
from triage.reporting import words
from triage.reporting.account import diagnosis_account
from triage.reporting.outlet import Outlet
from triage.reporting.page import Page
from triage.session.questions import Prompt
from triage.session.session import Preview, Session
from triage.session.state import Move
from triage.session.summary import moved_in_words
from triage.session.timeline import FIRST_FAILURE, Row

_UNEXPLAINED = 10
_PROBE = "probe "
"""How the origin of a fact begins that a probe told."""
_OURS = frozenset({"launch", "phase", "ready", "work"})


def overview_lines(session: Session, page: Page) -> Iterator[str]:
    """The inputs, the verdict, the ranked diagnoses and the next check."""
    report = session.report
    for source in report.observation.inputs:
        cut = ", read in part" if source.truncated else ""
        yield f"{page.show(source.path)}: {words.count(source.lines, 'line')}, {words.size(source.bytes)}{cut}"
    yield ""
    yield page.paint("bold", page.own(words.verdict(report)))
    if report.verdict is Verdict.UNKNOWN and report.observation.lines:
        yield "No signature explains this with enough evidence."
    for number, item in enumerate(report.diagnoses, 1):
        yield from _diagnosis(number, item, page)
    for item in report.recovered:
        yield f"Recovered: {page.show(item.id)}; the server went on to serve."
    total = words.unexplained_total(report)
    if total:
        yield f"Unexplained: {words.count(total, 'error line')}; see evidence."
    yield f"Next check: {step_in_words(session.next_step(), page)}"


def _diagnosis(number: int, item: Diagnosis, page: Page) -> Iterator[str]:
    yield f"{number}. {page.severity(item.severity)}, {words.percent(item.confidence)}: {page.show(item.id)}"
    yield f"   {page.show(item.title)}"
    first = words.placed(item)[:1]
    for entry in first:
        where = page.place(entry.place) if entry.place else page.show(entry.origin or entry.evidence)
        phase = "" if entry.phase is Phase.UNKNOWN else f", {entry.phase.value}"
        yield f"   at {where}{phase}: {words.message(page.show(entry.text), entry.place)}"
    for note in item.notes:
        yield f"   note: {page.show(note)}"
    if item.explains:
        yield f"   so: {', '.join(map(page.show, item.explains))}"


def step_in_words(step: NextStep | None, page: Page) -> str:
    """A probe or a question, in a phrase."""
    if step is None:
        return "none is left that would tell more"
    if step.kind == "question":
        return f"question {page.show(step.name)}: {page.show(step.ask)}"
    return f"probe {page.show(step.name)} ({step.cost_s:g} s)"


def evidence_lines(item: Diagnosis, session: Session, outlet: Outlet, page: Page) -> Iterator[str]:
    """Every point for and against one diagnosis."""
    yield f"{page.show(item.id)}: confidence {words.percent(item.confidence)}, {words.points(item.decibans)} dB with its prior"
    yield from map(page.own, diagnosis_account(item, session.report, outlet))
    yield f"  more: sgltriage explain {page.show(item.id)}"


def unexplained_lines(session: Session, page: Page) -> Iterator[str]:
    """The error lines that no signature accounts for, where they are printed and what they resemble."""
    report = session.report
    yield f"Unexplained: {words.count(words.unexplained_total(report), 'error line')}"
    for line in report.unexplained[:_UNEXPLAINED]:
        yield f"  {page.place(line.place)}: {words.message(page.show(line.text), line.place)}"
        if line.origin:
            yield f"    printed in {page.show(line.origin)}"
        if line.nearest:
            near = ", ".join(f"{page.show(item.id)} {words.percent(item.score)}" for item in line.nearest)
            yield f"    nearest: {near}"


def moves_lines(moves: Sequence[Move], page: Page) -> Iterator[str]:
    """What something new moved."""
    for move in moves:
        yield f"  {page.show(move.id)}: {moved_in_words(move)}"
    if not moves:
        yield "  no diagnosis moved"


def time_line_lines(rows: Sequence[Row], page: Page) -> Iterator[str]:
    """A line for each row: time, rank, what, where."""
    for row in rows:
        text = page.own(row.text) if row.kind in _OURS else words.message(page.show(row.text), row.place)
        name = f" {page.show(row.id)}" if row.id else ""
        what = "FIRST FAILURE" if row.kind == FIRST_FAILURE else row.kind
        parts = (page.show(row.time) or "no time", page.show(row.rank) or "no rank", f"{what}{name}")
        yield f"{', '.join(parts)}: {text} ({page.show(row.place.source)}:{row.place.line})"
    if not rows:
        yield "Nothing in these logs has a place in time."


def question_lines(prompt: Prompt, previews: Sequence[Preview], page: Page) -> Iterator[str]:
    """A question, who waits for it, and what each answer would move."""
    yield f"{page.show(prompt.name)}: {page.show(prompt.question.ask)}"
    yield f"  asked for: {', '.join(map(page.show, prompt.causes))}"
    yield from preview_lines(previews, page)


def preview_lines(previews: Sequence[Preview], page: Page) -> Iterator[str]:
    """What answers would move."""
    for preview in previews:
        told = "; ".join(f"{page.show(move.id)} {moved_in_words(move)}" for move in preview.moves)
        yield f"  {page.show(preview.answer)} would give: {told or 'no change'}"


def host_lines(session: Session, page: Page) -> Iterator[str]:
    """How each probe ended, and how much it told."""
    told = dict(probe_facts(session))
    for probe in session.report.probes:
        facts = f", {words.count(len(told[probe.name]), 'fact')}" if probe.name in told else ""
        reason = f": {page.show(probe.reason)}" if probe.reason else ""
        yield f"  {page.show(probe.name)}: {page.show(probe.outcome)}{facts}{reason}"
    if not session.report.probes:
        yield "  no probe was run, and no diagnosis waits for one"


def probe_facts(session: Session) -> list[tuple[str, tuple[Fact, ...]]]:
    """The facts that probes told, by the name of the probe, in the order of the report."""
    found: dict[str, list[Fact]] = {}
    for fact in session.report.observation.facts:
        if fact.origin.startswith(_PROBE):
            found.setdefault(fact.origin.removeprefix(_PROBE), []).append(fact)
    return [(name, tuple(facts)) for name, facts in found.items()]


def fact_lines(facts: Sequence[Fact], page: Page) -> Iterator[str]:
    """A line for each fact."""
    for fact in facts:
        values = fact.value if isinstance(fact.value, tuple) else (fact.value,)
        yield f"  {page.show(fact.name)} = {', '.join(page.value(item, fact.name) for item in values) or 'none'}"
