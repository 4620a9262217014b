"""``sgltriage tui``: the session on a screen."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.diagnostics import tell
from triage.cli.errors import CommandError, UsageError
from triage.cli.exit_codes import ExitCode
from triage.cli.fix import READ_ONLY
from triage.cli.host_options import add_host, add_pid, add_python, load_snapshot
from triage.cli.options import add_inputs, add_kb, add_without, left_out, load_or_fail
from triage.cli.walk_options import add_session, require_log

if TYPE_CHECKING:
    from pathlib import Path

    from triage.knowledge.compiled import Knowledge
    from triage.reading.live import LiveSource
    from triage.session.session import Session
    from triage.tui.desk import Desk

_TTY = "/dev/tty"
_SIGNALLED = 128


def add_arguments(parser: ArgumentParser) -> None:
    """What to look at."""
    parser.description = """
        Look at a failure on the screen: ranked causes with their evidence, the log, the time line, questions, a summary.

        Standard input may be a pipe that a server still writes into: keys come from the terminal. --follow goes on with each
        PATH as it grows or is rotated. `?` shows all keys. Nothing runs before you agree to it.
    """
    add_inputs(parser)
    add = parser.add_argument
    add("--follow", action="store_true", help="Go on with each PATH as it grows.")
    add_host(parser, "Weigh what a host said when it was recorded (sgltriage probe --record).")
    add_session(parser)
    add("--mouse", action="store_true", help="Use the mouse; the terminal's own selection then needs Shift.")
    add_python(parser)
    add_pid(parser)
    add_kb(parser)
    add_without(parser)


def run(arguments: Namespace) -> int:
    """Show the session until the operator leaves it."""
    is_saved = arguments.session is not None and arguments.session.exists()
    if is_saved and (arguments.paths or arguments.host is not None or arguments.without or arguments.follow):
        raise UsageError(f"{arguments.session} holds a session with its own logs and host: give others another file")
    if sys.stdin is None or sys.stdin.isatty():
        require_log(arguments.session, arguments.paths)
    paths: list[str] = arguments.paths or ([] if is_saved else ["-"])
    _require_terminal(paths)
    _require_textual()
    live = _live(paths, follow=arguments.follow)
    # Until the application has begun nothing becomes garbage: looking for it is a tenth of the way to the first screen.
    gc.disable()
    desk = _desk(arguments, paths, live, is_saved=is_saved)

    from triage.tui.app import TriageApp

    app = TriageApp(desk)
    ended_by = app.run(mouse=arguments.mouse)
    if app.crash is not None:
        raise app.crash
    if desk.last_words:
        tell(desk.outlet.show(desk.last_words))
    return _SIGNALLED + ended_by if ended_by else ExitCode.CLEAN


def _desk(
    arguments: Namespace, paths: list[str], live: Callable[[], Mapping[str, LiveSource]] | None, *, is_saved: bool
) -> Desk:
    """What the screens show: a session that is begun on the logs, or the one of the file."""
    from triage.session.bench import Bench
    from triage.session.keeper import Keeper
    from triage.tui.desk import Desk
    from triage.tui.terms import Terms

    read_only = arguments.read_only or bool(os.environ.get(READ_ONLY))
    terms = Terms(
        Bench(os.environ, arguments.python, arguments.pid, read_only=read_only, trusted=tuple(arguments.trusted)),
        Keeper(arguments.session),
        load_snapshot(arguments.host) if arguments.host is not None else None,
        str(arguments.host or ""),
        tuple(path.absolute() for path in arguments.packs),
    )
    if is_saved:
        from triage.tui.saved import SavedLoading

        return Desk(SavedLoading(lambda: _load(arguments.session, arguments.packs)), terms)
    from triage.tui.loading import Loading

    def prepare() -> tuple[Knowledge, frozenset[str]]:
        knowledge = load_or_fail(arguments.packs)
        return knowledge, left_out(arguments.without, knowledge)

    return Desk(Loading(paths, prepare, live=live), terms)


def _load(file: Path, packs: list[Path]) -> Session:
    from triage.session.session_file import SessionFileError, load_session

    try:
        return load_session(file, load_or_fail(packs))
    except SessionFileError as damaged:
        raise CommandError(str(damaged)) from damaged


def _require_terminal(paths: list[str]) -> None:
    if sys.stderr is None or not sys.stderr.isatty():
        raise CommandError("tui: standard error is not a terminal; sgltriage scan and sgltriage walk need none")
    if os.environ.get("TERM", "dumb") == "dumb":
        raise CommandError(
            "tui: this terminal cannot be drawn on (TERM=dumb); sgltriage walk is the same session in plain lines"
        )
    if "-" in paths and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError("nothing to read: name a file, or pipe a log in")


def _require_textual() -> None:
    import importlib.util

    if importlib.util.find_spec("textual") is None:
        raise CommandError("tui: the screen needs textual: pip install 'sgltriage[tui]'")


def _live(paths: list[str], *, follow: bool) -> Callable[[], Mapping[str, LiveSource]] | None:
    """Sources that still grow; None for files that are read to their end.

    Raises:
        UsageError: standard input beside files that are not followed. CommandError: there are no keys to be had.
    """
    if "-" not in paths:
        _keyboard_at_stdin()
        return (lambda: _followed(paths)) if follow else None
    if len(paths) > 1 and not follow:
        raise UsageError("standard input grows: with files beside it give --follow")
    pipe = os.dup(0)
    os.set_inheritable(pipe, False)
    _keyboard_at_stdin()

    def sources() -> Mapping[str, LiveSource]:
        from triage.reading.live_stdin import LiveStdin

        return {**_followed([path for path in paths if path != "-"]), "-": LiveStdin(pipe, lossless=True)}

    return sources


def _followed(paths: list[str]) -> dict[str, LiveSource]:
    from triage.reading.following import FollowedFile

    return {path: FollowedFile(path) for path in paths}


def _keyboard_at_stdin() -> None:
    """Make descriptor 0 the terminal: that is where keys are read from.

    Raises:
        CommandError: there is no terminal.
    """
    if os.isatty(0):
        return
    try:
        terminal = os.open(_TTY, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise CommandError(f"tui: no terminal to read keys from ({_TTY}: {error.strerror})") from error
    os.dup2(terminal, 0)
    os.close(terminal)
