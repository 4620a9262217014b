"""The fix of a walk: the plan shown, values given, steps approved one by one by the operator of ``sgltriage fix``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from triage.cli.arguments import Namespace
from triage.cli.errors import CommandError
from triage.cli.fix import given_values, why_only_shown, write
from triage.cli.fix_operator import TerminalOperator
from triage.fixing.journal_store import JournalUnavailable
from triage.fixing.parameters import ParameterError
from triage.knowledge.errors import KnowledgeError
from triage.reporting.outlet import Outlet
from triage.reporting.plan_text import plan_lines
from triage.safety.redact import Redactor
from triage.session.fix_plan import ShownPlan, show_plan
from triage.session.fix_run import NoPlaybookError, begin_run, carry_out, run_note

if TYPE_CHECKING:
    from triage.cli.walk_menu import Walk
    from triage.fixing.opening import OpenFix


def walk_through_fix(walk: Walk) -> None:
    """Choose a diagnosis, look at its plan, and do what the operator wants of it."""
    diagnosis = walk.pick_diagnosis("Fix which diagnosis?")
    if diagnosis is None:
        if not walk.session.report.diagnoses:
            walk.tell("There is no diagnosis to fix.")
        return
    given: dict[str, str] = {}
    while True:
        try:
            plan = show_plan(walk.session, diagnosis.id, given, walk.bench)
        except (NoPlaybookError, ParameterError, JournalUnavailable, KnowledgeError) as error:
            walk.tell(walk.page.show(str(error)))
            if not given:
                return
            # What was given last is what is wrong.
            given.popitem()
            continue
        write(plan_lines(plan.preview, _outlet(), walk.view, asking=True))
        if not _next(walk, plan, given):
            return


def _outlet() -> Outlet:
    # Plans hold no text of a user's request, and their commands are to stay complete.
    return Outlet(Redactor(hide_prompts=False))


def _next(walk: Walk, plan: ShownPlan, given: dict[str, str]) -> bool:
    """What to do with the plan; False: nothing more."""
    fix, reason = plan.fix, plan.only_shown or why_only_shown(dry_run=False, approved=())
    walk.tell("")
    if reason:
        walk.tell(walk.page.show(reason))
    choices = ["0", "2"] if reason else ["0", "1", "2", "3"]
    texts = {
        "1": "go through the steps",
        "2": "give a value (what the plan calls --set)",
        "3": "take the last run back",
        "0": "back",
    }
    walk.tell(*(f"  {key}  {text}" for key, text in texts.items() if key in choices))
    answer = walk.keyboard.choose("Choose:", choices)
    if answer == "2":
        return _give(walk, given)
    if answer == "1":
        _carry_out(walk, fix)
    elif answer == "3":
        _take_back(walk, fix)
    return False


def _give(walk: Walk, given: dict[str, str]) -> bool:
    word = walk.keyboard.ask("NAME=VALUE:")
    try:
        given |= given_values([word]) if word else {}
    except CommandError as error:
        walk.tell(walk.page.show(str(error)))
    return True


def _carry_out(walk: Walk, fix: OpenFix) -> None:
    from triage.cli.fix_runs import tell_verdict

    packs = [Path(path) for path in walk.session.state.packs]
    order = [step.id for step in fix.plan.playbook.steps]
    with begin_run(fix, packs, os.environ) as journal:
        walk.tell("", f"journal  {walk.page.show(str(journal.path))}")
        done = carry_out(fix, journal, TerminalOperator(_outlet(), walk.view, fix.workshop, order))
    again = tell_verdict(fix, done, packs, _outlet(), walk.view)
    walk.keep(walk.session.record_run(run_note(fix, done, walk.session.time, again)))


def _take_back(walk: Walk, fix: OpenFix) -> None:
    from triage.cli.fix_runs import undo

    python, pid = walk.bench.python, walk.bench.pid
    target = fix.plan.playbook.id
    words = {"target": target, "dry_run": False, "approved": [], "given": [], "python": python, "pid": pid}
    try:
        undo(Namespace(**words, color="always" if walk.view.color else "never"))
    except (CommandError, JournalUnavailable) as error:
        walk.tell(walk.page.show(str(error)))
        return
    walk.keep(walk.session.note(f"{target}: taking back was asked for"))
    sys.stdout.flush()
