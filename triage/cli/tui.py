"""``sgltriage tui``: the session on a screen."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from triage.cli.arguments import ArgumentParser
from triage.cli.errors import CommandError, UsageError
from triage.cli.exit_codes import ExitCode
from triage.cli.options import add_inputs, add_kb, add_without, left_out, load_or_fail

if TYPE_CHECKING:
    from triage.knowledge.compiled import Knowledge
    from triage.reading.live import LiveSource

_TTY = "/dev/tty"
_SIGNALLED = 128


def add_arguments(parser: ArgumentParser) -> None:
    """What to look at."""
    parser.description = """
        Look at a failure on the screen: ranked causes with their evidence, the log, the time line, questions, a summary.

        Standard input may be a pipe that a server still writes into: keys come from the terminal. --follow goes on with each
        PATH as it grows or is rotated. `?` shows all keys.
    """
    add_inputs(parser)
    parser.add_argument("--follow", action="store_true", help="Go on with each PATH as it grows.")
    parser.add_argument(
        "--mouse", action="store_true", help="Use the mouse; the terminal's own selection then needs Shift."
    )
    add_kb(parser)
    add_without(parser)


def run(arguments: Namespace) -> int:
    """Show the session until the operator leaves it."""
    paths: list[str] = arguments.paths or ["-"]
    _require_terminal(paths)
    _require_textual()
    live = _live(paths, follow=arguments.follow)

    def prepare() -> tuple[Knowledge, frozenset[str]]:
        knowledge = load_or_fail(arguments.packs)
        return knowledge, left_out(arguments.without, knowledge)

    from triage.tui.app import TriageApp
    from triage.tui.desk import Desk
    from triage.tui.loading import Loading

    desk = Desk(Loading(paths, prepare, live=live))
    app = TriageApp(desk)
    ended_by = app.run(mouse=arguments.mouse)
    if app.crash is not None:
        raise app.crash
    return _SIGNALLED + ended_by if ended_by else ExitCode.CLEAN


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
