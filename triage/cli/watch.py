"""``sgltriage watch``: a server's output while it is written, and what it means as soon as it can be told."""

from __future__ import annotations

import os
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from triage.cli.argument_types import Choice, file_to_write
from triage.cli.arguments import ArgumentParser
from triage.cli.errors import CommandError, UsageError
from triage.cli.exit_codes import ExitCode
from triage.cli.options import add_inputs, add_kb, known_id, load_or_fail
from triage.cli.terminal import columns, speaks_unicode, wants_color
from triage.reporting.exit_status import FAIL_ON, exit_code

if TYPE_CHECKING:
    from pathlib import Path

    from triage.reading.follow_position import Position
    from triage.reading.following import FollowedFile
    from triage.reading.live import LiveSource
    from triage.watching.live_scan import LiveScan
    from triage.watching.session import Ended, Watch

_SAVE_EVERY_S = 1.0


def add_arguments(parser: ArgumentParser) -> None:
    """What to watch, and how to tell."""
    parser.description = """
        Watch a server's output while it is written: a line for each thing that changes, the whole report in the end.

        Standard input ends with its writer; --follow files for as long as you like, through rotation. With --tee standard
        input is passed through to standard output unchanged and at once, and events go to standard error.
    """
    add = parser.add_argument
    add_inputs(parser)
    add("--follow", action="store_true", help="Go on with each PATH as it grows, is rotated or appears.")
    add("--tee", action="store_true", help="Pass standard input through to standard output.")
    add(
        "--source",
        dest="sources",
        action="append",
        default=[],
        metavar="KIND:NAME",
        help="journal:UNIT, docker:NAME or kubectl:ARGS; may be given more than once.",
    )
    add("--format", dest="fmt", type=Choice("text", "jsonl"), default="text", help="How to tell events.")
    add("--until", type=Choice("exit", "ready", "diagnosis"), default="exit", help="When to end.")
    add("--state", type=file_to_write, metavar="FILE", help="Remember how far files were read, and go on from there.")
    add_kb(parser)
    add(
        "--without",
        action="append",
        default=[],
        metavar="ID",
        help="Leave a signature out; may be given more than once.",
    )
    add("--fail-on", type=Choice(*FAIL_ON), default="error", help="Least severity for exit status 1.")
    add("--color", type=Choice("auto", "always", "never"), default="auto", help="When to colour the report.")


def run(arguments: Namespace) -> int:
    """Watch, tell, report."""
    from triage.reading.live_merge import Merger
    from triage.watching.live_scan import LiveScan
    from triage.watching.session import Watch

    knowledge = load_or_fail(arguments.packs)
    left_out = frozenset(known_id(name, knowledge) for name in arguments.without)
    files: dict[str, FollowedFile] = {}
    scan = LiveScan(knowledge, left_out)
    state = _State(arguments.state, files, scan)
    merger = Merger(_sources(arguments, files, state))
    stop = _Stop()
    watch = Watch(scan, merger, clock=time.monotonic, until=arguments.until, stop=stop.is_asked)
    # With --tee standard output belongs to the server.
    out = sys.stderr if arguments.tee else sys.stdout
    try:
        _tell(watch, arguments.fmt, out, state)
    finally:
        state.save()
        merger.close()
        stop.forget()
    assert watch.ended is not None
    _report(watch.ended, arguments, out)
    if watch.ended.why == "ready":
        return ExitCode.CLEAN
    return ExitCode.INTERRUPTED if stop.is_asked() else exit_code(watch.ended.report, arguments.fail_on)


def _tell(watch: Watch, fmt: str, out: TextIO, state: _State) -> None:
    from triage.reporting.event_text import event_json, event_line
    from triage.reporting.outlet import Outlet
    from triage.safety.redact import Redactor

    outlet = Outlet(Redactor())
    for sequence, event in enumerate(watch.events(), start=1):
        now = time.time()
        if fmt == "jsonl":
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
            line = event_json(event, outlet, stamp, sequence)
        else:
            line = event_line(event, outlet, time.strftime("%H:%M:%S", time.localtime(now)))
        out.write(line + "\n")
        out.flush()
        state.save_now_and_then()


def _report(ended: Ended, arguments: Namespace, out: TextIO) -> None:
    """The whole report, for people; programs have had the events."""
    from triage.reporting.outlet import Outlet
    from triage.reporting.render import render
    from triage.safety.redact import Redactor

    if arguments.fmt == "jsonl":
        return
    terminal = out.isatty()
    out.write("\n")
    out.writelines(
        render(
            ended.report,
            "text",
            Outlet(Redactor()),
            color=wants_color(arguments.color) and terminal,
            ascii_only=not speaks_unicode(),
            width=columns() if terminal else None,
            top=None,
            unexplained=3,
            elapsed=None,
            fail_on=arguments.fail_on,
        )
    )
    out.flush()


def _sources(arguments: Namespace, files: dict[str, FollowedFile], state: _State) -> dict[str, LiveSource]:
    """Every live source by its label.

    Raises:
        UsageError: they contradict each other. CommandError: one cannot be opened.
    """
    paths: list[str] = arguments.paths or ([] if arguments.sources else ["-"])
    if arguments.tee and paths != ["-"]:
        raise UsageError("--tee passes standard input through, and nothing else")
    if "-" in paths and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("nothing to watch: name a file, or pipe a server's output in")
    found: dict[str, LiveSource] = {}
    for path in paths:
        found[path] = _stdin(tee=arguments.tee) if path == "-" else _file(path, arguments.follow, files, state)
    found |= dict(_clients(arguments.sources))
    return found


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


def _file(path: str, follow: bool, files: dict[str, FollowedFile], state: _State) -> LiveSource:
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


class _State:
    """Where reading stands, on disk, if that is wanted."""

    def __init__(self, path: Path | None, files: dict[str, FollowedFile], scan: LiveScan) -> None:
        from triage.reading.follow_state import Saved, StateFile

        self._files, self._scan = files, scan
        self._file = StateFile(str(path)) if path is not None else None
        self._saved, self._last = Saved(), 0.0
        if self._file is not None:
            self._saved, note = self._file.load()
            if note is not None:
                sys.stderr.write(f"sgltriage: {note.text}\n")

    def position(self, path: str) -> Position | None:
        """Where an earlier run stopped in that file, or None."""
        return self._saved.positions.get(path)

    def save_now_and_then(self) -> None:
        """At most once a second."""
        if time.monotonic() - self._last >= _SAVE_EVERY_S:
            self.save()

    def save(self) -> None:
        """Put the positions down; trouble with the disk is told once, and watching goes on."""
        self._last = time.monotonic()
        if self._file is None:
            return
        # A line that has no end yet was not looked at, and is read again as a whole.
        known = {path: file.position(self._scan.unfinished(path)) for path, file in self._files.items()}
        note = self._file.save({path: position for path, position in known.items() if position is not None})
        if note is not None:
            sys.stderr.write(f"sgltriage: {note.text}\n")


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
