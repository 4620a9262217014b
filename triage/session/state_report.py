"""What follows from the state of a session: its logs, its host and its answers, weighed anew by the core."""

from __future__ import annotations

from collections.abc import Sequence

from triage import __version__
from triage.host_view import with_answers, with_host
from triage.knowledge.compiled import Knowledge
from triage.model import Report
from triage.probing.catalogue import all_probes
from triage.reasoning.diagnose import diagnose
from triage.records import replace
from triage.session.state import Origin, State


def report_of(state: State, knowledge: Knowledge) -> Report:
    """The report on all that ``state`` knows. A probe of this host that was never asked is not among its probes."""
    without = frozenset(state.without)
    base = knowledge.base.without(without) if without else knowledge.base
    found = diagnose(state.observation, base, version=__version__)
    if state.host is not None:
        probes = [item for item in all_probes() if state.is_recorded_host or item.name in state.host.transcripts]
        found = with_host(found, knowledge, probes, state.host, without)
    if state.answers:
        found = with_answers(found, knowledge, state.answers, without)
    return _with_origins(found, state.origins)


def _with_origins(report: Report, origins: Sequence[Origin]) -> Report:
    known = {(item.source, item.line): item.origin for item in origins}
    if not known:
        return report
    rest = tuple(
        replace(item, origin=item.origin or known.get((item.place.source, item.place.line), ""))
        for item in report.unexplained
    )
    return replace(report, unexplained=rest)
