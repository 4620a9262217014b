"""Runs of ``sgltriage fix``: begun, gone on with, taken back, listed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from triage.cli.arguments import Namespace
from triage.cli.errors import CommandError
from triage.cli.exit_codes import ExitCode
from triage.cli.fix import given_values, outlet_and_view, why_only_shown, write
from triage.cli.fix_operator import ApprovedOperator, TerminalOperator, approvals
from triage.fixing.journal import Journal, journal_directory
from triage.fixing.opening import OpenFix
from triage.fixing.previewing import preview_plan
from triage.fixing.runs import RunSummary, cut_off, latest, list_runs
from triage.fixing.step_records import state_of
from triage.fixing.undoing import UndoStep, steps_to_undo, take_back_all
from triage.proof import confidence_again
from triage.reporting.outlet import Outlet
from triage.reporting.page import Page
from triage.reporting.plan_text import plan_lines
from triage.reporting.view import View
from triage.session.fix_again import open_again, undo_in_words
from triage.session.fix_run import FixRun, NoPlaybookError, begin_run, carry_out, why_untrusted
from triage.session.fix_text import verdict_lines


def carry_out_new(fix: OpenFix, arguments: Namespace, packs: Sequence[Path], outlet: Outlet, view: View) -> int:
    """Begin a run of the plan that was just shown."""
    with begin_run(fix, packs, os.environ) as journal:
        write(["", f"journal  {outlet.show(str(journal.path))}"])
        return _carry_out(fix, journal, arguments, outlet, view)


def resume(arguments: Namespace) -> int:
    """Go on with the newest run that was cut off (of the playbook that is named, if one is)."""
    summary = _resumable(arguments.target)
    outlet, view = outlet_and_view(arguments.color)
    fix = _open_again(summary.records[0].data, arguments)
    write(plan_lines(preview_plan(fix.plan, fix.workshop), outlet, view))
    for step, progress in state_of(summary.records).items():
        write([f"   {outlet.show(step)}: {progress.value}"])
    if reason := why_only_shown(dry_run=arguments.dry_run, approved=arguments.approved) or why_untrusted(
        fix.plan.playbook, arguments.trust
    ):
        write(["", outlet.show(reason)])
        return ExitCode.CLEAN
    with Journal.reopen(summary.path) as journal:
        return _carry_out(fix, journal, arguments, outlet, view)


def _carry_out(fix: OpenFix, journal: Journal, arguments: Namespace, outlet: Outlet, view: View) -> int:
    approved = approvals(arguments.approved)
    order = [step.id for step in fix.plan.playbook.steps]
    operator = (
        ApprovedOperator(outlet, view, approved) if approved else TerminalOperator(outlet, view, fix.workshop, order)
    )
    done = carry_out(fix, journal, operator)
    tell_verdict(fix, done, arguments.packs, outlet, view)
    return ExitCode.CLEAN if done.is_fixed else ExitCode.FINDINGS


def tell_verdict(fix: OpenFix, done: FixRun, packs: Sequence[Path], outlet: Outlet, view: View) -> str:
    """The checks that decide, and whether the diagnosis still stands: that is returned too, empty where nothing changed."""
    if done.found is None:
        write(["", done.verdict])
        return ""
    write(["", *verdict_lines(done.found, done.left, Page(outlet, view))])
    again = confidence_again(fix, packs)
    if again is None:
        return ""
    write([f"  diagnosis {outlet.show(fix.plan.case.diagnosis)}: {again}"])
    return again


def undo(arguments: Namespace) -> int:
    """Take back the newest run, step by step, the last first."""
    summary = _newest(arguments.target)
    outlet, view = outlet_and_view(arguments.color)
    steps = steps_to_undo(summary.records)
    write([f"{outlet.show(summary.playbook)}  {summary.time}  run {outlet.show(summary.run)}"])
    for item in steps:
        write([f"   {outlet.show(item.step)}  {outlet.show(item.told)}", *_undo_lines(item, outlet)])
    if not steps:
        write(["nothing is left to take back"])
        return ExitCode.CLEAN
    if reason := why_only_shown(dry_run=arguments.dry_run, approved=arguments.approved):
        write(["", reason])
        return ExitCode.CLEAN
    fix = _open_again(summary.records[0].data, arguments)
    approved = approvals(arguments.approved)
    operator = TerminalOperator(outlet, view, fix.workshop)

    def agreed(item: UndoStep) -> bool:
        if approved:
            return approved.get(item.step) == item.digest
        return operator.agrees(f"Take back {outlet.show(item.step)}? ({outlet.show(undo_in_words(item))})")

    with Journal.reopen(summary.path) as journal:
        outcomes = list(take_back_all(fix.workshop, journal, operator, agreed))
    return ExitCode.FINDINGS if any(outcome == "failed" for _, outcome in outcomes) else ExitCode.CLEAN


def _undo_lines(item: UndoStep, outlet: Outlet) -> list[str]:
    shown = [f"   undo     {outlet.show(undo_in_words(item))}"]
    return shown if item.undo is None else [*shown, f"   approve  --yes-to {outlet.show(item.step)}@{item.digest}"]


def history(arguments: Namespace) -> int:
    """Every run: when, what, how far; a journal that was tampered with is called so."""
    outlet, _ = outlet_and_view(arguments.color)
    runs = [item for item in list_runs(journal_directory(os.environ)) if arguments.target in (None, item.playbook)]
    for item in runs:
        progress = ", ".join(f"{step} {how.value}" for step, how in state_of(item.records).items()) or "nothing begun"
        verdict = item.verdict or "no verdict"
        state = f"going on; {verdict}" if item.live else verdict
        write(
            [
                f"{item.time}  {outlet.show(item.run)}  {outlet.show(item.playbook)}  {state}",
                f"   {outlet.show(progress)}",
            ]
        )
        if item.broken is not None:
            write([f"   {item.path}:{item.broken.line}: {outlet.show(item.broken.why)}"])
    if not runs:
        write(["no runs"])
    return (
        ExitCode.FINDINGS if any(item.broken is not None and not item.broken.torn for item in runs) else ExitCode.CLEAN
    )


def _newest(playbook: str | None) -> RunSummary:
    found = latest(journal_directory(os.environ), playbook)
    if found is None:
        raise CommandError(f"there is no run{f' of {playbook}' if playbook else ''} (sgltriage fix --history)")
    return _readable(found)


def _resumable(playbook: str | None) -> RunSummary:
    found = cut_off(journal_directory(os.environ), playbook)
    if found is not None:
        return _readable(found)
    last = _newest(playbook)
    told = f"ended with '{last.verdict}'" if last.records[-1].event == "verdict" else "was taken back"
    raise CommandError(f"no run was cut off: that of {last.playbook} {told}; begin a new one, or see --history")


def _readable(found: RunSummary) -> RunSummary:
    if found.broken is not None and not found.broken.torn:
        raise CommandError(f"{found.path}:{found.broken.line}: {found.broken.why}")
    if not found.records:
        raise CommandError(f"{found.path} was not written to its end: nothing was begun")
    return found


def _open_again(record: Mapping[str, object], arguments: Namespace) -> OpenFix:
    try:
        return open_again(record, given_values(arguments.given), os.environ, python=arguments.python, pid=arguments.pid)
    except NoPlaybookError as error:
        raise CommandError(str(error)) from error
