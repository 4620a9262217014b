"""From a diagnosis to a plan on this machine, and from an approved plan to a verdict: what every face of a fix shares."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from triage import __version__
from triage.fixing.case import case_of
from triage.fixing.journal import Journal, journal_directory
from triage.fixing.opening import OpenFix, open_fix, plan_record
from triage.fixing.runner import Operator, RunResult, run_plan
from triage.fixing.verdict import FixResult, FixVerdict, decide
from triage.knowledge.pack import bundled_directory
from triage.knowledge.playbooks import load_playbook, playbook_roots
from triage.playbook import Playbook
from triage.records import dataclass, replace
from triage.reporting.outlet import Outlet
from triage.safety.redact import Redactor
from triage.session.session import Session
from triage.session.state import CheckNote, RunNote

_TRUST_DIGITS = 12
_LEFT = ("shown", "skipped", "unavailable")


class NoPlaybookError(LookupError):
    """A diagnosis that no playbook mends; the text says what does."""

    def __str__(self) -> str:
        # A LookupError would put quotes around it.
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class FixRun:
    """One run of a playbook. ``found``: what its checks say, None where nothing was changed and so nothing is to be checked;
    ``left``: steps that somebody still has to look at."""

    run: str
    result: RunResult
    found: FixResult | None
    left: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """In words."""
        return "nothing was changed" if self.found is None else self.found.verdict.value

    @property
    def is_fixed(self) -> bool:
        """The checks say that it worked."""
        return self.found is not None and self.found.verdict is FixVerdict.FIXED


def mending_playbook(identifier: str, playbook: str | None, fix: str, packs: Sequence[Path]) -> Playbook:
    """The playbook of the diagnosis ``identifier``, whose signature names it and says in words what mends it.

    Raises:
        NoPlaybookError: there is none. KnowledgeError: its file is wrong.
    """
    found = load_playbook(playbook, playbook_roots(packs)) if playbook else None
    if found is None:
        raise NoPlaybookError(f"there is no playbook for '{identifier}'; what mends it: {fix}")
    return found


def open_playbook(
    session: Session,
    identifier: str,
    given: Mapping[str, str],
    environment: Mapping[str, str],
    *,
    python: Path | None = None,
    pid: int | None = None,
    asks_host: bool = True,
) -> OpenFix:
    """The plan that mends the diagnosis ``identifier`` of the session, as it would be carried out here. This host is not asked
    for what the plan lacks if ``asks_host`` is false, or if the session belongs to another host.

    Raises:
        KeyError: no such diagnosis. NoPlaybookError, KnowledgeError: as ``mending_playbook``. ParameterError,
        JournalUnavailable: as ``open_fix``.
    """
    found = session.diagnosis(identifier)
    packs = [Path(path) for path in session.state.packs]
    playbook = mending_playbook(found.id, found.playbook, found.fix, packs)
    here = asks_host and not session.is_elsewhere
    case = case_of(session.report, identifier)
    return open_fix(playbook, case, given, environment, python=python, pid=pid, asks_host=here)


def why_untrusted(playbook: Playbook, trusted: str | None) -> str:
    """Why a playbook may not run anything, or an empty text: those of other packs run when their very file is named."""
    path = Path(playbook.location.path)
    if path.resolve().is_relative_to(bundled_directory("playbooks")):
        return ""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if trusted and len(trusted) >= _TRUST_DIGITS and digest.startswith(trusted.lower()):
        return ""
    return f"nothing was run: {path} is not one of ours; --trust {digest[:_TRUST_DIGITS]} lets it run as it is now"


def begin_run(fix: OpenFix, packs: Sequence[Path], environment: Mapping[str, str]) -> Journal:
    """The journal of a new run.

    Raises:
        JournalUnavailable: there is no place for it.
    """
    return Journal.create(journal_directory(environment), {**plan_record(fix, packs), "version": __version__})


def carry_out(fix: OpenFix, journal: Journal, operator: Operator) -> FixRun:
    """Every step that the journal does not call finished, each with the operator's approval; then the checks that decide.

    Raises: what ``run_plan`` raises.
    """
    result = run_plan(fix.plan, fix.workshop, journal, operator)
    if result.stopped and not result.changed:
        return FixRun(journal.run, result, None)
    found = decide(fix.plan, fix.workshop, changed=result.changed)
    if result.failed and found.verdict is FixVerdict.FIXED:
        found = replace(found, verdict=FixVerdict.CANNOT_TELL)
    proofs = [{"check": item.check, "holds": item.holds, "proof": item.proof} for item in _checks(found)]
    journal.append("verdict", verdict=found.verdict.value, stopped=result.stopped, checks=proofs)
    left = tuple(step for step, outcome in result.outcomes if outcome in _LEFT)
    return FixRun(journal.run, result, found, left)


def run_note(fix: OpenFix, done: FixRun, time: str, again: str = "") -> RunNote:
    """What a session keeps of a run."""
    return RunNote(
        time,
        done.run,
        fix.plan.case.diagnosis,
        fix.plan.playbook.id,
        done.verdict,
        done.result.outcomes,
        () if done.found is None else tuple(_checks(done.found)),
        again,
    )


def _checks(found: FixResult) -> list[CheckNote]:
    outlet = Outlet(Redactor(hide_prompts=False))
    return [CheckNote(outlet.show(name), answer.holds, outlet.show(answer.proof)) for name, answer in found.seen]
