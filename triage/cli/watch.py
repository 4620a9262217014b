"""``sgltriage watch``: a server's output while it is written, and what it means as soon as it can be told."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from triage.cli.argument_types import Choice, file_to_write
from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.errors import CommandError, UsageError
from triage.cli.exit_codes import ExitCode
from triage.cli.live_options import add_live_options, listeners
from triage.cli.options import add_color, add_fail_on, add_inputs, add_several, left_out, load_or_fail
from triage.cli.terminal import columns, speaks_unicode, wants_color
from triage.cli.watch_state import WatchState
from triage.reporting.exit_status import exit_code

if TYPE_CHECKING:
    from triage.reading.following import FollowedFile
    from triage.reading.live import LiveSource
    from triage.watching.live_state import LiveState
    from triage.watching.session import Ended


def add_arguments(parser: ArgumentParser) -> None:
    """What to watch, and how to tell."""
    parser.description = """
        Watch a server's output while it is written: a line for each thing that changes, the whole report in the end.

        Standard input ends with its writer; --follow files for as long as you like, through rotation. With --tee standard
        input is passed through to standard output unchanged and at once, and events go to standard error.
    """
    add = parser.add_argument
    add_inputs(parser, "PATH|-")
    add("--follow", action="store_true", help="Go on with each PATH as it grows, is rotated or appears.")
    add("--tee", action="store_true", help="Pass standard input through to standard output.")
    add_several(parser, "--source", "sources", "KIND:NAME", "journal:UNIT, docker:NAME or kubectl:ARGS")
    add("--format", dest="fmt", type=Choice("text", "jsonl"), default="text", help="How to tell events.")
    add("--until", type=Choice("exit", "ready", "diagnosis"), default="exit", help="When to end.")
    add("--state", type=file_to_write, metavar="FILE", help="Remember how far files were read, and go on from there.")
    add_live_options(parser)
    add_fail_on(parser)
    add_color(parser, "report")


def run(arguments: Namespace) -> int:
    """Watch, tell, report."""
    from triage.cli.diagnostics import tell
    from triage.reading.live_merge import Merger
    from triage.watching.fan_out import FanOut, Notes
    from triage.watching.live_scan import LiveScan
    from triage.watching.session import Watch

    paths = _paths(arguments)
    # With --tee standard output belongs to the server.
    out = sys.stderr if arguments.tee else sys.stdout
    report, notes = _Report(arguments, out), Notes()
    # A wrong option is told before anything is read, opened or started.
    audience = listeners(
        arguments, out, notes, fmt=arguments.fmt, status=_status_stream(arguments.tee), at_end=report.write,
        late=sys.stderr if arguments.fmt == "text" else out,
    )  # fmt: skip
    fan_out = FanOut(audience, notes, clock=time.time, complain=tell)
    # Loading may take seconds where nothing is cached, and the server's output does not wait for that.
    passed_on = _stdin(tee=True) if arguments.tee else None
    knowledge = load_or_fail(arguments.packs)
    files: dict[str, FollowedFile] = {}
    scan = LiveScan(knowledge, left_out(arguments.without, knowledge))
    state = WatchState(arguments.state, files, scan)
    sources = {"-": passed_on} if passed_on is not None else _inputs(paths, arguments.follow, files, state)
    merger = Merger(sources | dict(_clients(arguments.sources)))
    stop = _Stop()

    def on_tick(now: LiveState) -> None:
        state.save_now_and_then()
        fan_out.tick(now)

    watch = Watch(
        scan, merger, clock=time.monotonic, until=arguments.until, stop=stop.is_asked, on_tick=on_tick
    )  # fmt: skip
    try:
        for event in watch.events():
            fan_out.tell(event)
            state.save_now_and_then()
    finally:
        state.save()
        merger.close()
    assert watch.ended is not None
    # Signals still end the process only the second time: what hooks and webhooks hand over now is on a clock.
    fan_out.close(watch.ended)
    stop.forget()
    report.write(watch.ended)
    if watch.ended.why == "ready":
        return ExitCode.CLEAN
    return ExitCode.INTERRUPTED if stop.is_asked() else exit_code(watch.ended.report, arguments.fail_on)


def _status_stream(tee: bool) -> TextIO | None:
    """The terminal that a status line can stand on. None where the server's own output would run through it."""
    if os.environ.get("TERM", "dumb") == "dumb" or (tee and sys.stdout.isatty()):
        return None
    return next((stream for stream in (sys.stderr, sys.stdout) if stream is not None and stream.isatty()), None)


class _Report:
    """The whole report in the end, once, for people; programs have had the events."""

    def __init__(self, arguments: Namespace, out: TextIO) -> None:
        self._arguments, self._out = arguments, out
        self._is_over = arguments.fmt == "jsonl"

    def write(self, ended: Ended) -> None:
        """Write it, unless that was done."""
        if self._is_over:
            return
        from triage.reporting.outlet import Outlet
        from triage.reporting.render import render
        from triage.safety.redact import Redactor

        terminal = self._out.isatty()
        self._out.write("\n")
        self._out.writelines(
            render(
                ended.report,
                "text",
                Outlet(Redactor()),
                color=wants_color(self._arguments.color) and terminal,
                ascii_only=not speaks_unicode(),
                width=columns() if terminal else None,
                top=None,
                unexplained=3,
                elapsed=None,
                fail_on=self._arguments.fail_on,
                gone=frozenset({"-", *self._arguments.sources}),
            )
        )
        self._out.flush()
        self._is_over = True


def _paths(arguments: Namespace) -> list[str]:
    """The files to watch, ``-`` for standard input.

    Raises:
        UsageError: what was asked for contradicts itself.
    """
    paths: list[str] = arguments.paths or ([] if arguments.sources else ["-"])
    if arguments.tee and paths != ["-"]:
        raise UsageError("--tee passes standard input through, and nothing else")
    if "-" in paths and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("nothing to watch: name a file, or pipe a server's output in")
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112  (paths are words here)
            raise UsageError(f"{path}: is a directory: name the logs in it")
    return paths


def _inputs(
    paths: Sequence[str], follow: bool, files: dict[str, FollowedFile], state: WatchState
) -> dict[str, LiveSource]:
    """A live source for each path.

    Raises:
        CommandError: one cannot be opened.
    """
    return {path: _stdin(tee=False) if path == "-" else _file(path, follow, files, state) for path in paths}


def _stdin(*, tee: bool) -> LiveSource:
    from triage.reading.live_stdin import LiveStdin
    from triage.reading.live_tee import LiveTee

    if sys.stdin is None:
        raise CommandError("standard input is closed")
    if not tee:
        # Nobody waits for the bytes but us, so the writer may be held up rather than lines lost.
        return LiveStdin(sys.stdin.fileno(), lossless=True)
    try:
        return LiveTee(sys.stdin.fileno(), sys.stdout.fileno())
    except OSError as error:
        # In our own process the output would end with us, which is just what --tee promises not to do.
        raise CommandError(f"--tee: the process that passes the output on cannot be started: {error}") from error


def _file(path: str, follow: bool, files: dict[str, FollowedFile], state: WatchState) -> LiveSource:
    from triage.reading.following import FollowedFile
    from triage.reading.live_stdin import LiveStdin

    if follow:
        files[path] = FollowedFile(path, position=state.position(path))
        return files[path]
    try:
        return LiveStdin(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), lossless=True)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error


def _clients(sources: Sequence[str]) -> Iterator[tuple[str, LiveSource]]:
    from triage.reading.live_child import LiveClient
    from triage.reading.live_sources import client_command

    for source in sources:
        try:
            yield source, LiveClient(client_command(source))
        except ValueError as error:
            raise UsageError(f"--source: {error}") from error


class _Stop:
    """SIGINT and SIGTERM end watching with the report; the second one ends the process."""

    def __init__(self) -> None:
        self._asked = False
        self._old = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self._asked = True
        signal.signal(number, signal.SIG_DFL)

    def is_asked(self) -> bool:
        """A signal came."""
        return self._asked

    def forget(self) -> None:
        """Signals mean again what they meant before."""
        for number, handler in self._old.items():
            signal.signal(number, handler)
