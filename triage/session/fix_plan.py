"""The plan that mends a diagnosis, as a face shows it: prepared on this machine, with why it may only be looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from triage.fixing.journal import journal_directory
from triage.fixing.journal_store import JournalUnavailable
from triage.fixing.opening import OpenFix
from triage.fixing.previewing import preview_plan
from triage.fixing.runs import RunSummary, cut_off, latest
from triage.fixing.undoing import UndoStep, steps_to_undo
from triage.playbook import PlanPreview, Playbook
from triage.records import dataclass
from triage.session.bench import Bench
from triage.session.fix_run import open_playbook, why_untrusted
from triage.session.session import Session


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """``only_shown``: why nothing of it may be carried out, or an empty text. ``unfinished``: the run of this playbook that was
    cut off; ``to_undo``: what its last run left to be taken back, the last first, and ``last`` that run."""

    fix: OpenFix
    preview: PlanPreview
    only_shown: str = ""
    unfinished: RunSummary | None = None
    last: RunSummary | None = None
    to_undo: tuple[UndoStep, ...] = ()


def show_plan(session: Session, identifier: str, given: Mapping[str, str], bench: Bench) -> ShownPlan:
    """The plan for the diagnosis ``identifier``, as it would be carried out here and now; nothing is changed.

    Raises: as ``open_playbook``.
    """
    fix = open_playbook(
        session,
        identifier,
        given,
        bench.environment,
        python=bench.python,
        pid=bench.pid,
        asks_host=not bench.read_only,
    )
    last = _readable(latest, bench, fix)
    return ShownPlan(
        fix,
        preview_plan(fix.plan, fix.workshop),
        why_only_shown(session, fix, bench),
        _readable(cut_off, bench, fix),
        last,
        steps_to_undo(last.records) if last is not None else (),
    )


def why_only_shown(session: Session, fix: OpenFix, bench: Bench) -> str:
    """Why nothing of a plan may be carried out in this session, or an empty text."""
    if bench.read_only:
        return "nothing is run: this session is read-only"
    if session.is_elsewhere:
        return "nothing is run: the host of this session was recorded, and need not be this one"
    return why_not_trusted(fix.plan.playbook, bench)


def why_not_trusted(playbook: Playbook, bench: Bench) -> str:
    """Why the playbook may not run anything on this bench, or an empty text; its file is read for that."""
    refusals = [why_untrusted(playbook, digest) for digest in bench.trusted or ("",)]
    return "" if "" in refusals else refusals[0]


def _readable(find: Callable[[Path, str], RunSummary | None], bench: Bench, fix: OpenFix) -> RunSummary | None:
    """A run of the playbook, unless its journal was tampered with, or somebody carries it out just now."""
    try:
        found = find(journal_directory(bench.environment), fix.plan.playbook.id)
    except JournalUnavailable:
        return None
    if found is None or found.live or not found.records or (found.broken is not None and not found.broken.torn):
        return None
    return found
