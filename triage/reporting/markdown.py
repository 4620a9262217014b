"""The report as Markdown, ready to be pasted into an issue: whatever came from outside stands in code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.lazy_regex import lazy_regex
from triage.model import Diagnosis, LedgerEntry, Phase, Report
from triage.records import replace
from triage.reporting import words
from triage.reporting.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triage.reporting.outlet import Outlet
    from triage.reporting.view import View

# Prose that no Markdown renderer turns into anything else: no mark-up, mention, reference, HTML or link.
_PROSE = lazy_regex(r"""(?!.*(?:://|www\.))[A-Za-z0-9 ,.;'"()/%+=:–-]*""")
_TICKS = lazy_regex(r"`+")
_SHORTEST_FENCE = 3


def lines(report: Report, outlet: Outlet, view: View) -> Iterator[str]:
    """A heading with the verdict, a section per diagnosis, then what is open."""
    page = Page(outlet, replace(view, color=False, width=None))
    yield f"### sgltriage: {page.own(words.verdict(report))}"
    yield ""
    yield from _inputs(report, page)
    for number, diagnosis in enumerate(view.diagnoses(report), 1):
        yield ""
        yield from _diagnosis(number, diagnosis, report, page)
    yield ""
    yield from _open_ends(report, page, view)
    yield from _closing(report, page, outlet)


def code(text: str) -> str:
    """A code span around `text`, whatever backticks it holds."""
    fence = "`" * (_longest_ticks([text]) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def block(rows: Iterable[str]) -> Iterator[str]:
    """A fenced block around `rows`, with a fence that no row can close."""
    held = list(rows)
    fence = "`" * max(_SHORTEST_FENCE, _longest_ticks(held) + 1)
    return iter([f"{fence}text", *held, fence])


def _prose(text: str) -> str:
    """`text` as it is if Markdown leaves it alone, else in code."""
    return text if _PROSE.fullmatch(text) else code(text)


def _longest_ticks(texts: Iterable[str]) -> int:
    return max((len(run) for text in texts for run in _TICKS.findall(text)), default=0)


def _inputs(report: Report, page: Page) -> Iterator[str]:
    seen = report.observation
    for source in seen.inputs:
        cut = ", read in part" if source.truncated else ""
        yield f"- {code(page.show(source.path))}: {words.count(source.lines, 'line')}, {words.size(source.bytes)}{cut}"
    if times := words.span(page.show(seen.first_time or ""), page.show(seen.last_time or "")):
        yield f"- time: {code(page.own(times))}"
    if seen.ranks:
        yield f"- ranks: {', '.join(code(page.show(rank)) for rank in seen.ranks)}"
    versions = [fact for fact in seen.facts if fact.name.endswith(".version")]
    for fact in versions:
        yield f"- {code(page.show(f'{fact.name} = {fact.value}'))}"
    for launch in seen.launches:
        if launch.command:
            yield ""
            yield f"Launch ({code(f'{page.show(launch.source)}:{launch.line}')}):"
            yield from block([page.command(launch.command)])


def _diagnosis(number: int, diagnosis: Diagnosis, report: Report, page: Page) -> Iterator[str]:
    identity = code(page.show(diagnosis.id))
    yield f"#### {number}. {diagnosis.severity.value} {identity}, confidence {words.percent(diagnosis.confidence)}"
    yield ""
    yield _prose(page.show(diagnosis.title))
    placed = words.placed(diagnosis)
    if placed:
        yield ""
        yield from block(_evidence(entry, page) for entry in placed)
    yield ""
    points = [
        f"{words.points(entry.decibans)} {code(page.show(entry.label or entry.evidence))}"
        for entry in diagnosis.ledger
        if entry.decibans or not entry.strength.is_for
    ]
    for label, text in (
        ("Why", ", ".join((*points, *(_prose(page.show(note)) for note in diagnosis.notes)))),
        ("Fix", _prose(page.show(diagnosis.fix)) if diagnosis.fix else ""),
        ("Playbook", code(page.show(diagnosis.playbook)) if diagnosis.playbook else ""),
        ("Next", ", ".join(f"{words.kind(step)} {code(page.show(step.name))}" for step in diagnosis.next[:1])),
        ("Explains", ", ".join(code(page.show(name)) for name in diagnosis.explains)),
        ("Rivals", words.rivals(diagnosis, report, lambda text: code(page.show(text)))),
    ):
        if text:
            yield f"- **{label}:** {text}"


def _evidence(entry: LedgerEntry, page: Page) -> str:
    where = page.place(entry.place) if entry.place else page.show(entry.origin or entry.evidence)
    phase = "" if entry.phase is Phase.UNKNOWN else f"  {entry.phase.value}"
    times = f"  ({'' if entry.count_exact else 'at least '}{entry.count:,} times)" if entry.count > 1 else ""
    return f"{where}{phase}  {words.message(page.show(entry.text), entry.place)}{times}"


def _open_ends(report: Report, page: Page, view: View) -> Iterator[str]:
    """What no signature accounts for, with the places where it was raised."""
    total = words.unexplained_total(report)
    yield f"#### Unexplained: {words.count(total, 'error line')}"
    listed = report.unexplained[: max(0, view.unexplained)]
    if not listed:
        return
    yield ""
    rows: list[str] = []
    for line in listed:
        rows.append(f"{page.place(line.place)}  {words.message(page.show(line.text), line.place)}")
        nearest = ", ".join(f"{page.show(near.id)} {words.percent(near.score)}" for near in line.nearest)
        about = [
            f"printed in {page.show(line.origin)}" if line.origin else "",
            f"nearest: {nearest}" if nearest else "",
        ]
        if any(about):
            rows.append("    " + "; ".join(filter(None, about)))
    yield from block(rows)


def _closing(report: Report, page: Page, outlet: Outlet) -> Iterator[str]:
    """What recovered, what was not looked at, what was hidden."""
    recovered = ", ".join(code(page.show(diagnosis.id)) for diagnosis in report.recovered)
    missing = ", ".join(
        f"{code(page.show(probe.name))} {_prose(page.show(probe.outcome))}{' ' + code(page.show(probe.reason)) if probe.reason else ''}"
        for probe in words.not_checked(report)
    )
    limits = ", ".join(code(page.show(limit)) for limit in words.limits(report))
    redacted = ", ".join(f"{number} {code(name)}" for name, number in outlet.counts.items())
    version = page.show(report.tool_version)
    yield ""
    for label, text in (
        ("Recovered", recovered),
        ("Not checked", missing or words.nothing_missing(report)),
        ("Limits", limits),
        ("Redacted", redacted),
        ("Tool", f"sgltriage {_prose(version)}" if version else "sgltriage"),
    ):
        if text:
            yield f"- **{label}:** {text}"
