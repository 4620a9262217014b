"""``sgltriage walk``: a triage as numbered prompts, line by line, for screen readers, plain terminals and pipes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from triage.cli.argument_types import Choice
from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.errors import CommandError, UsageError
from triage.cli.exit_codes import ExitCode
from triage.cli.host_options import add_host, add_pid, add_python, load_snapshot
from triage.cli.options import add_inputs, add_kb, add_without, left_out, load_or_fail
from triage.cli.walk_options import add_session, require_log
from triage.records import dataclass

if TYPE_CHECKING:
    from triage.session.session import Session


@dataclass(frozen=True, slots=True)
class _Options:
    """What was asked for; the names are those of the namespace."""

    paths: list[str]
    host: Path | None
    session: Path | None
    read_only: bool
    trusted: list[str]
    python: Path | None
    pid: int | None
    packs: list[Path]
    without: list[str]
    color: str


def add_arguments(parser: ArgumentParser) -> None:
    """What to read, where the session is kept, and how far it may go."""
    parser.description = """
        Walk through a triage by numbered prompts: diagnoses, evidence, the next check, the fix, the time line, a summary.

        Lines are only added, never redrawn. A log on standard input leaves the keyboard to the terminal. Nothing runs before
        you agree to it.
    """
    add_inputs(parser)
    add_host(parser, "Weigh what a host said when it was recorded (sgltriage probe --record).")
    add_session(parser)
    add_python(parser)
    add_pid(parser)
    add_kb(parser)
    add_without(parser)
    parser.add_argument(
        "--color", type=Choice("auto", "always", "never"), default="never", help="When to colour the text."
    )


def run(arguments: Namespace) -> int:
    """Read, then ask and answer until the operator is done."""
    from triage.cli.fix import READ_ONLY, outlet_and_view
    from triage.cli.walk_menu import Walk
    from triage.cli.walk_prompt import EndOfInput, Keyboard, keyboard_from_terminal
    from triage.reporting.outlet import Outlet
    from triage.safety.redact import Redactor
    from triage.session.bench import Bench
    from triage.session.keeper import Keeper

    options = _Options(**vars(arguments))
    session, interrupted = _session(options)
    _, view = outlet_and_view(options.color)
    walk = Walk(
        session,
        Keyboard(echo=not _is_terminal()),
        Outlet(Redactor()),
        view,
        keeper=Keeper(options.session),
        bench=Bench(
            os.environ,
            options.python,
            options.pid,
            read_only=options.read_only or bool(os.environ.get(READ_ONLY)),
            trusted=tuple(options.trusted),
        ),
    )
    if interrupted:
        walk.tell("The reading was broken off: what follows is from what was read so far.")
    walk.begin()
    if _log_is_stdin(options):
        if not keyboard_from_terminal():
            raise CommandError(
                "there is no terminal to answer at: name the log as a file, and prompts read standard input"
            )
        walk.keyboard = Keyboard(echo=False)
    try:
        walk.loop()
    except EndOfInput:
        walk.end()
    except KeyboardInterrupt:
        walk.end()
        return ExitCode.INTERRUPTED
    return ExitCode.CLEAN


def _log_is_stdin(options: _Options) -> bool:
    return "-" in options.paths or not (options.paths or _is_saved(options))


def _is_saved(options: _Options) -> bool:
    return options.session is not None and options.session.exists()


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _session(options: _Options) -> tuple[Session, bool]:
    """The session of the file, or a new one on the logs; and whether reading them was broken off.

    Raises:
        UsageError, CommandError: there is neither, or both.
    """
    from triage.session.session import Session

    if _is_terminal():
        require_log(options.session, options.paths)
    knowledge = load_or_fail(options.packs)
    if options.session is not None and _is_saved(options):
        from triage.session.session_file import SessionFileError, load_session

        if options.paths or options.host is not None or options.without:
            raise UsageError(f"{options.session} holds a session with its own logs and host: give others another file")
        try:
            return load_session(options.session, knowledge), False
        except SessionFileError as damaged:
            raise CommandError(str(damaged)) from damaged
    from triage.cli.diagnostics import tell
    from triage.cli.reading import read_and_scan
    from triage.engine import with_origins

    without = left_out(options.without, knowledge)
    result = read_and_scan(options.paths, knowledge, without=without)
    for error in result.unreadable:
        tell(str(error))
    if not result.report.observation.inputs:
        raise CommandError("nothing could be read")
    if not any(item.bytes for item in result.report.observation.inputs):
        # An empty pipe is no log that somebody meant.
        require_log(options.session, options.paths)
    packs = [str(path.absolute()) for path in options.packs]
    session = Session.begin(result.report.observation, knowledge, without=sorted(without), packs=packs)
    if options.host is not None:
        session = session.with_host(load_snapshot(options.host), str(options.host)).session
    # A recorded host is to give the same answers everywhere, so this machine's own packages do not come in.
    if session.report.unexplained and (options.host is None or options.python is not None):
        session = session.with_origins(with_origins(session.report, options.python))
    return session, result.interrupted
