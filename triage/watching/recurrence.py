"""The course of a cause over the runs of servers: does one that was started anew show it too, or has it got over it? Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from triage.model import Diagnosis, Finding, Hit, Place, Report, Severity, Strength
from triage.records import dataclass
from triage.watching.server_runs import Restart, Server, ServerRuns

_SERIOUS = (Severity.ERROR, Severity.FATAL)
_TELLING = (Strength.DECISIVE, Strength.STRONG)


@dataclass(frozen=True, slots=True)
class Turn:
    """A step of the course. ``is_over``: all servers that showed the cause were started again and are up; else one shows it in
    the line at ``place``, whose text is empty where only the place was kept. ``is_again``: an earlier run of it did too."""

    place: Place
    text: str
    is_over: bool = False
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class _Outbreak:
    """What one run of one server shows of a cause, from its first line to its last."""

    server: Server
    run: int
    first: Place
    last: Place


def course(old: Report | None, new: Report, item: Diagnosis, runs: ServerRuns, *, stands: bool) -> Iterator[Turn]:
    """The steps of ``item``, a diagnosis of ``new``, since ``old``: at most two are of servers that show it, the first one and the
    last. ``old``: None where it is no diagnosis of it; ``stands``: it was told, and not that it is over. Nothing for mild ones."""
    if item.severity not in _SERIOUS:
        return
    known: dict[Server, int] = {}
    for outbreak in _outbreaks(old, item, runs) if old is not None else ():
        known[outbreak.server] = max(outbreak.run, known.get(outbreak.server, 0))
    past: list[_Outbreak] = []
    fresh: list[tuple[_Outbreak, bool]] = []
    for outbreak in _outbreaks(new, item, runs):
        if outbreak.run <= known.get(outbreak.server, -1):
            past.append(outbreak)
        else:
            is_again = outbreak.server in known or any(outbreak.server == earlier.server for earlier, _ in fresh)
            fresh.append((outbreak, is_again))
    # Another server that shows what stands already is no news.
    news = [outbreak for number, (outbreak, is_again) in enumerate(fresh) if is_again or (not number and not stands)]
    told = {*news[:1], *news[-1:]}
    for outbreak, is_again in fresh:
        if outbreak in told:
            if stands and (restart := _got_over(past, runs, outbreak)) is not None:
                yield _over(restart)
            yield Turn(outbreak.first, _text(new, item, outbreak.first), is_again=is_again)
            stands = True
        past.append(outbreak)
    restart = _got_over(past, runs)
    if stands and restart is not None:
        yield _over(restart)
    elif not stands and restart is None and past:
        # Behind what told that it is over, in the same run.
        last = max((outbreak.last for outbreak in past), key=lambda place: place.line)
        yield Turn(last, _text(new, item, last), is_again=True)


def got_over(report: Report, runs: ServerRuns) -> frozenset[str]:
    """The ids of those diagnoses of the report that do not hold any more: every server that showed them was started since, and
    is up."""
    serious = [item for item in report.diagnoses if item.severity in _SERIOUS]
    return frozenset(item.id for item in serious if _got_over(_outbreaks(report, item, runs), runs) is not None)


def awaited(report: Report, runs: ServerRuns, over: Collection[str]) -> frozenset[str]:
    """Sources whose server showed something serious and was started since, and may be up by its batches."""
    return frozenset(
        outbreak.server[0]
        for item in report.diagnoses
        if item.severity in _SERIOUS and item.id not in over
        for outbreak in _outbreaks(report, item, runs)
        if runs.awaits_batches(outbreak.last)
    )


def _outbreaks(report: Report, item: Diagnosis, runs: ServerRuns) -> list[_Outbreak]:
    """Where the report shows ``item``, a run at a time, by the first line of each."""
    found: dict[tuple[Server, int], list[Place]] = {}
    for finding in _telling(report, item):
        for place in _places(finding):
            found.setdefault((runs.server(place), runs.run(place)), []).append(place)
    outbreaks = [
        _Outbreak(server, run, min(places, key=_line), max(places, key=_line))
        for (server, run), places in found.items()
    ]
    return sorted(outbreaks, key=lambda outbreak: (outbreak.first.line, outbreak.server))


def _got_over(outbreaks: Sequence[_Outbreak], runs: ServerRuns, before: _Outbreak | None = None) -> Restart | None:
    """The restart that ended the last of them; None while one stands, or none was. ``before``: what shows it next, which only
    restarts of its own server that got up before can come before."""
    last = {outbreak.server: outbreak.last for outbreak in sorted(outbreaks, key=lambda item: item.last.line)}
    found: list[Restart] = []
    for server, place in last.items():
        restart = runs.up_since(place)
        if restart is None:
            return None
        if before is not None and before.server == server and restart.up_line >= before.first.line:
            return None
        found.append(restart)
    return max(found, key=lambda restart: restart.place.line, default=None)


def _over(restart: Restart) -> Turn:
    started = "started again" if restart.is_again else "started"
    return Turn(restart.place, f"{started} in line {restart.place.line}, ready", is_over=True)


def _telling(report: Report, item: Diagnosis) -> Iterator[Finding]:
    """What says most for ``item``: a healthy start may well print what only supports it."""
    speaking = [entry for entry in item.ledger if entry.decibans > 0 and entry.place is not None]
    strong = [entry for entry in speaking if entry.strength in _TELLING]
    evidence = {f"{item.id}/{entry.evidence}" for entry in strong or speaking}
    return (finding for finding in report.observation.findings if finding.key.rpartition("/")[0] in evidence)


def _places(finding: Finding) -> Iterator[Place]:
    hits: tuple[Hit, ...] = finding.hits
    yield from (hit.place for hit in hits)
    yield finding.last


def _text(report: Report, item: Diagnosis, place: Place) -> str:
    hits = (hit for finding in _telling(report, item) for hit in finding.hits)
    return next((hit.text for hit in hits if hit.place == place), "")


def _line(place: Place) -> int:
    return place.line
