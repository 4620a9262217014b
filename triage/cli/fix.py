"""``sgltriage fix``: a playbook shown for one failure, and carried out step by step when the operator says so."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.errors import CommandError, UsageError
from triage.cli.exit_codes import ExitCode
from triage.cli.host_options import add_pid, add_python
from triage.cli.options import add_color, add_kb, add_several, load_or_fail
from triage.cli.terminal import speaks_unicode, wants_color

if TYPE_CHECKING:
    from triage.playbook import Case, Playbook
    from triage.reporting.outlet import Outlet
    from triage.reporting.view import View

READ_ONLY = "SGLTRIAGE_READ_ONLY"
"""Set to anything, it turns every fix into a dry run, whatever the options say."""


def add_arguments(parser: ArgumentParser) -> None:
    """Which playbook, which failure, how far to go."""
    parser.description = """
        Show how a cause is put right on this machine, with the values of your failure, and do it step by step.

        Nothing runs before you agree to its exact command. Without a terminal, or with --dry-run, the plan is only shown;
        --yes-to STEP@HASH agrees to a step as it was shown.
    """
    add = parser.add_argument
    add("target", metavar="PLAYBOOK|DIAGNOSIS", nargs="?", help="Default: the first diagnosis of the report.")
    add("--report", metavar="FILE", help="A report of 'sgltriage scan --format json', or - for standard input.")
    add_several(parser, "--log", "logs", "PATH", "Scan this log instead of reading a report")
    add_several(parser, "--set", "given", "NAME=VALUE", "Give a parameter its value")
    add_python(parser)
    add_pid(parser)
    add("--dry-run", action="store_true", help="Only show the plan.")
    add("--script", action="store_true", help="Write the plan as a bash script to read and run yourself.")
    add_several(parser, "--yes-to", "approved", "STEP@HASH", "Agree to a step exactly as it was shown")
    add(
        "--trust",
        metavar="SHA256",
        help="Let a playbook from a folder of --kb run: the first 12 or more digits of its file's SHA-256.",
    )
    add("--resume", action="store_true", help="Go on with the last run that was cut off.")
    add("--undo", action="store_true", help="Take back what the last run did, the last step first.")
    add("--history", action="store_true", help="List the runs.")
    add_kb(parser)
    add_color(parser)


def run(arguments: Namespace) -> int:
    """Show, list, carry out, resume or take back."""
    from triage.fixing.journal_store import JournalUnavailable
    from triage.fixing.parameters import ParameterError
    from triage.knowledge.errors import KnowledgeError

    chosen = [name for name in ("resume", "undo", "history", "script") if getattr(arguments, name)]
    if len(chosen) > 1:
        raise UsageError(f"--{chosen[0]} and --{chosen[1]} do not go together")
    try:
        if arguments.history or arguments.undo or arguments.resume:
            from triage.cli.fix_runs import history, resume, undo

            return {"history": history, "undo": undo, "resume": resume}[chosen[0]](arguments)
        return _fix(arguments)
    except (ParameterError, JournalUnavailable, KnowledgeError) as error:
        raise CommandError(str(error)) from error


def _fix(arguments: Namespace) -> int:
    from triage.fixing.opening import open_fix
    from triage.fixing.previewing import preview_plan
    from triage.session.fix_run import why_untrusted

    packs: list[Path] = arguments.packs
    playbook, case = _chosen(arguments, packs)
    fix = open_fix(
        playbook, case, given_values(arguments.given), dict(os.environ), python=arguments.python, pid=arguments.pid
    )
    outlet, view = outlet_and_view(arguments.color)
    preview = preview_plan(fix.plan, fix.workshop)
    if arguments.script:
        from triage.reporting.plan_script import script_lines

        write(script_lines(preview, outlet))
        return ExitCode.CLEAN
    from triage.reporting.plan_text import plan_lines

    write(plan_lines(preview, outlet, view))
    reason = why_only_shown(dry_run=arguments.dry_run, approved=arguments.approved) or why_untrusted(
        playbook, arguments.trust
    )
    if reason:
        write(["", outlet.show(reason)])
        return ExitCode.CLEAN
    from triage.cli.fix_runs import carry_out_new

    return carry_out_new(fix, arguments, packs, outlet, view)


def why_only_shown(*, dry_run: bool, approved: Sequence[str]) -> str:
    """Why nothing is going to be run, or an empty text."""
    if os.environ.get(READ_ONLY):
        return f"nothing was run: {READ_ONLY} is set"
    if dry_run:
        return "nothing was run: this is a dry run"
    if not approved and not (sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()):
        return "nothing was run: there is no terminal to agree at; --yes-to STEP@HASH agrees to a step as shown above"
    return ""


def _chosen(arguments: Namespace, packs: Sequence[Path]) -> tuple[Playbook, Case]:
    """The playbook, and the case that it is for."""
    from triage.fixing.case import CaseError
    from triage.playbook import Case

    target: str | None = arguments.target
    if arguments.report is not None and arguments.logs:
        raise UsageError("--report and --log do not go together")
    if target is None and arguments.report is None and not arguments.logs:
        raise UsageError("what is to be fixed? Name a playbook or a diagnosis, or give --report or --log")
    playbook, wanted = _target(target, packs) if target is not None else (None, None)
    try:
        case = _case(arguments, wanted, playbook, packs)
    except CaseError as error:
        raise CommandError(str(error)) from error
    if case is None:
        case = Case(wanted or "")
    if playbook is None:
        playbook, _ = _target(case.diagnosis, packs)
    return playbook, case


def _target(name: str, packs: Sequence[Path]) -> tuple[Playbook, str | None]:
    """The playbook of that id, or that of the diagnosis of that id with the diagnosis."""
    from triage.knowledge.errors import did_you_mean
    from triage.knowledge.playbooks import load_playbook, playbook_ids, playbook_roots
    from triage.session.fix_run import NoPlaybookError, mending_playbook

    roots = playbook_roots(packs)
    base = load_or_fail(packs).base
    if name in base:
        try:
            return mending_playbook(name, base.get(name).playbook, base.get(name).fix, packs), name
        except NoPlaybookError as error:
            raise CommandError(str(error)) from error
    found = load_playbook(name, roots)
    if found is None:
        known = [*playbook_ids(roots), *base.ids()]
        raise UsageError(f"no playbook and no diagnosis '{name}'{did_you_mean(name, known)}")
    return found, None


def _case(arguments: Namespace, wanted: str | None, playbook: Playbook | None, packs: Sequence[Path]) -> Case | None:
    import json

    from triage.fixing.case import CaseError, case_from_record, case_of

    if arguments.logs:
        from triage.cli.reading import read_and_scan

        report = read_and_scan(arguments.logs, load_or_fail(packs)).report
        there = [item.id for item in report.diagnoses]
        return case_of(report, wanted or _for_playbook(there, playbook))
    if arguments.report is None:
        return None
    try:
        record = json.loads(_text_of(arguments.report))
    except (ValueError, RecursionError) as error:
        raise CaseError(f"{arguments.report}: this is no JSON: {error}") from error
    if wanted is None and playbook is not None and isinstance(record, dict):
        there = [str(item.get("id")) for item in record.get("diagnoses", []) if isinstance(item, dict)]
        wanted = _for_playbook(there, playbook)
    return case_from_record(record, wanted)


def _for_playbook(there: Sequence[str], playbook: Playbook | None) -> str:
    """The diagnosis that the playbook fixes, or the first."""
    from triage.fixing.case import CaseError

    if not there:
        raise CaseError("the report has no diagnosis to fix")
    fixed = [name for name in there if playbook is None or name in playbook.fixes]
    return fixed[0] if fixed else there[0]


def _text_of(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from error


def given_values(words: Sequence[str]) -> dict[str, str]:
    """``--set NAME=VALUE`` by name."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {word}: write NAME=VALUE")
        found[name] = text
    return found


def outlet_and_view(color: str) -> tuple[Outlet, View]:
    """How this terminal is written to."""
    from triage.reporting.outlet import Outlet
    from triage.reporting.view import View
    from triage.safety.redact import Redactor

    return Outlet(Redactor(hide_prompts=False)), View(color=wants_color(color), ascii_only=not speaks_unicode())


def write(lines: Iterator[str] | Sequence[str]) -> None:
    """Lines on standard output, at once."""
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
