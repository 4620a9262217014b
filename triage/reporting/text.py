"""The report for people at a terminal: cause before consequence, seven lines a diagnosis, the summary last."""

from __future__ import annotations

from triage.model import Diagnosis, Input, LedgerEntry, Phase, ProbeResult, Report, Unexplained, Verdict
from triage.reporting import words
from triage.reporting.page import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.reporting.outlet import Outlet
    from triage.reporting.view import View

_POINTS_FOR = 4
_POINTS_AGAINST = 2
_PROBES = 6
_DIFFERENCES = 6
_FIX_LOGS = 4


def lines(report: Report, outlet: Outlet, view: View) -> Iterator[str]:
    """The report as text. Colours add codes and change no character."""
    page = Page(outlet, view)
    if _is_all_in_the_verdict(report):
        healthy = report.verdict is Verdict.HEALTHY
        yield page.paint("green" if healthy else "bold", page.own(words.verdict(report)))
        return
    yield from _header(report, page, view)
    if report.verdict is Verdict.UNKNOWN and report.observation.lines:
        yield ""
        yield page.paint("bold", "unknown") + "  no signature explains this with enough evidence"
    shown = view.diagnoses(report)
    for diagnosis in shown:
        yield ""
        yield from _diagnosis(diagnosis, report, page, view)
    hidden = len(report.diagnoses) - len(shown)
    if hidden > 0:
        yield ""
        yield f"and {hidden:,} more {'diagnosis' if hidden == 1 else 'diagnoses'} (--top)"
    yield ""
    yield from _footer(report, page, view)
    if counts := outlet.counts:
        what = ", ".join(f"{number:,} {page.own(name)}" for name, number in counts.items())
        yield page.own(f"redacted     {what} (shown as ‹name:digest›, equal secrets alike)")
    yield page.paint("bold", page.own(words.verdict(report))) + f"   {words.exit_meaning(report, view.fail_on)}"


def _is_all_in_the_verdict(report: Report) -> bool:
    """Nothing else is to be said: such a report is one line."""
    rest = (report.diagnoses, report.recovered, words.unexplained_total(report), words.limits(report))
    return not any(rest) and (report.verdict is Verdict.HEALTHY or not report.observation.lines)


def _header(report: Report, page: Page, view: View) -> Iterator[str]:
    """One line per input; what is known of all of them together is at the end of the only line, or on one of its own."""
    seen = report.observation
    common = "  ".join(_common(report, page, view))
    for source in seen.inputs:
        line = _input(source, page)
        yield f"{line}  {common}" if common and len(seen.inputs) == 1 else line
    if common and len(seen.inputs) != 1:
        yield common


def _input(source: Input, page: Page) -> str:
    parts = [page.paint("bold", page.show(source.path)), words.count(source.lines, "line"), words.size(source.bytes)]
    if source.decode_errors:
        parts.append(words.count(source.decode_errors, "undecodable byte"))
    if source.truncated:
        parts.append("read in part")
    return "  ".join(parts)


def _common(report: Report, page: Page, view: View) -> Iterator[str]:
    """Time span, version, ranks, time taken."""
    seen = report.observation
    if times := words.span(page.show(seen.first_time or ""), page.show(seen.last_time or "")):
        yield page.own(times)
    version = next((fact.value for fact in seen.facts if fact.name == "sglang.version"), None)
    if version is not None:
        yield f"sglang {page.show(str(version))}"
    if len(seen.ranks) > 1:
        yield page.own(f"{len(seen.ranks)} ranks ({page.show(seen.ranks[0])}–{page.show(seen.ranks[-1])})")
    elif seen.ranks:
        yield f"rank {page.show(seen.ranks[0])}"
    if view.elapsed is not None:
        yield f"{view.elapsed:.2f} s"


def _diagnosis(diagnosis: Diagnosis, report: Report, page: Page, view: View) -> Iterator[str]:
    """At most seven rows."""
    identity, title = page.show(diagnosis.id), page.show(diagnosis.title)
    painted = f"{page.severity(diagnosis.severity)}  {page.paint('bold', identity)}  {title}"
    plain = f"{diagnosis.severity.value}  {identity}  {title}"
    yield page.spread(plain, f"confidence {words.percent(diagnosis.confidence)}", painted)
    yield from _evidence(diagnosis, page)
    why = "   ".join(_points(diagnosis, page))
    notes = "; ".join(page.show(note) for note in diagnosis.notes)
    if why or notes:
        yield from page.paragraph("why", "   ".join(filter(None, (why, notes))))
    if diagnosis.fix:
        yield from page.paragraph("fix", page.show(diagnosis.fix))
    yield from page.listing("next", list(_next(diagnosis, report, page, view)))
    if diagnosis.explains:
        yield from page.paragraph("so", "explains " + ", ".join(page.show(name) for name in diagnosis.explains))


def _evidence(diagnosis: Diagnosis, page: Page) -> Iterator[str]:
    """The weightiest place, the next one, and how many more there are."""
    placed = words.placed(diagnosis)
    shown = [*placed[:1], *[entry for entry in placed[1:] if entry.place != placed[0].place][:1]]
    more = sum(max(1, entry.count) for entry in placed) - len(shown)
    exact = all(entry.count_exact for entry in placed)
    tail = f"(+{'' if exact else 'at least '}{more:,} more)" if more > 0 else ""
    for label, entry in zip(("first", "also"), shown, strict=False):
        yield page.row(
            label,
            _where(entry, page),
            words.message(page.show(entry.text), entry.place),
            tail if entry is shown[-1] else "",
        )


def _where(entry: LedgerEntry, page: Page) -> str:
    where = page.place(entry.place) if entry.place else page.show(entry.origin or entry.evidence)
    return where if entry.phase is Phase.UNKNOWN else f"{where}  {entry.phase.value}"


def _points(diagnosis: Diagnosis, page: Page) -> Iterator[str]:
    """Decibans for and against, the weightiest first, with the short name of each piece of evidence."""
    ranked = sorted(diagnosis.ledger, key=lambda entry: -abs(entry.decibans))
    speaking = [entry for entry in ranked if entry.strength.is_for and entry.decibans > 0]
    against = [entry for entry in ranked if not entry.strength.is_for]
    for entry in (*speaking[:_POINTS_FOR], *against[:_POINTS_AGAINST]):
        yield f"{words.points(entry.decibans)} {page.show(entry.label or entry.evidence)}"
    hidden = len(speaking[_POINTS_FOR:]) + len(against[_POINTS_AGAINST:])
    if hidden:
        yield f"(+{hidden} more)"


def _fix_command(diagnosis: Diagnosis, report: Report, page: Page, view: View) -> str:
    """What to type for the playbook, filled with the values of these logs; a launch command is no log."""
    if report.observation.planned:
        return f"sgltriage fix {page.show(diagnosis.id)}"
    paths = [item.path for item in report.observation.inputs]
    if len(paths) > _FIX_LOGS:
        paths = [entry.place.source for entry in words.placed(diagnosis)[:1] if entry.place is not None]
    import shlex

    logs = " ".join(f"--log {shlex.join(page.arguments([path]))}" for path in paths)
    log = f" {logs}" if paths and not view.gone.intersection(paths) else " --report REPORT.json"
    return page.own(f"sgltriage fix {page.show(diagnosis.id)}{log}")


def _next(diagnosis: Diagnosis, report: Report, page: Page, view: View) -> Iterator[str]:
    """What to do or look at now."""
    rivals = words.rivals(diagnosis, report, page.show)
    if diagnosis.next and not rivals:
        step = diagnosis.next[0]
        yield f"{words.kind(step)} {page.show(step.name)}" + (f": {page.show(step.ask)}" if step.ask else "")
    if diagnosis.playbook:
        yield _fix_command(diagnosis, report, page, view)
    yield f"sgltriage explain {page.show(diagnosis.id)}"
    if rivals:
        yield rivals


def _footer(report: Report, page: Page, view: View) -> Iterator[str]:
    """What recovered, what nothing explains, what nobody looked at."""
    for diagnosis in report.recovered:
        placed = words.placed(diagnosis)
        where = f" at {page.place(placed[0].place)}" if placed and placed[0].place else ""
        yield f"recovered    {page.show(diagnosis.id)}{where}; the server went on to serve"
    yield from _nodes(report, page)
    total = words.unexplained_total(report)
    listed = report.unexplained[: max(0, view.unexplained)]
    more = f", {len(listed)} shown" if listed and len(listed) < total else ""
    yield f"unexplained  {words.count(total, 'error line')} that no signature accounts for{more}"
    for line in listed:
        yield from _unexplained(line, page)
    missing = [page.show(probe.name) + _outcome(probe, page) for probe in words.not_checked(report)]
    rest = f", and {len(missing) - _PROBES} more" if len(missing) > _PROBES else ""
    yield f"not checked  {', '.join(missing[:_PROBES]) + rest if missing else words.nothing_missing(report)}"
    for limit in words.limits(report):
        yield f"limit        {page.show(limit)}"


def _nodes(report: Report, page: Page) -> Iterator[str]:
    """What tells the nodes of a job apart: their clocks, and facts that should be alike."""
    for offset in report.clock_offsets:
        if abs(offset.seconds) >= 1:
            which = "ahead of" if offset.seconds > 0 else "behind"
            amount = f"{abs(offset.seconds):,.0f} s {which} {page.show(offset.reference)}"
            yield f"clock        {page.show(offset.source)} is {amount}"
    for found in report.differences[:_DIFFERENCES]:
        odd = ", ".join(f"{page.value(value, found.fact)} in {page.show(source)}" for source, value in found.odd)
        usual = "" if found.usual is None else f", {page.value(found.usual, found.fact)} in the others"
        yield f"differs      {page.show(found.fact)}: {odd}{usual}"


def _outcome(probe: ProbeResult, page: Page) -> str:
    return f" ({page.show(probe.outcome)}{': ' if probe.reason else ''}{page.show(probe.reason)})"


def _unexplained(line: Unexplained, page: Page) -> Iterator[str]:
    yield page.row("", page.place(line.place), words.message(page.show(line.text), line.place))
    nearest = ", ".join(f"{page.show(near.id)} {words.percent(near.score)}" for near in line.nearest)
    about = [f"printed in {page.show(line.origin)}" if line.origin else "", f"nearest: {nearest}" if nearest else ""]
    if any(about):
        yield page.row("", "  " + "; ".join(filter(None, about)))
