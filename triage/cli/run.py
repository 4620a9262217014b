"""``sgltriage run -- COMMAND...``: a server started, passed through, watched, and explained when it dies."""

from __future__ import annotations

import errno
import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from triage.cli.argument_types import AtLeast, Choice, WrongValue, file_to_write
from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.errors import CommandError
from triage.cli.exit_codes import ExitCode
from triage.cli.live_options import add_live_options, listeners
from triage.cli.options import add_color, left_out, load_or_fail
from triage.cli.run_report import RunReport, Watched
from triage.reporting.exit_status import FAIL_ON, exit_code

if TYPE_CHECKING:
    from triage.knowledge.compiled import Knowledge
    from triage.running.server import LogPlan
    from triage.running.session import RunningServer
    from triage.watching.fan_out import FanOut
    from triage.watching.listener import Told
    from triage.watching.live_state import LiveState
    from triage.watching.session import Ended

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SIZE = re.compile(r"([1-9][0-9]{0,11})([KMGT]?)", re.ASCII)
_LEAST_LOG = 4096


def add_arguments(parser: ArgumentParser) -> None:
    """What to store and to tell, and the command itself."""
    parser.description = """
        Start a server, watch what it prints, and name the cause when it dies.

        Its output passes through unchanged and at once; signals are passed on to it; the exit status is its own. The
        diagnosis comes on standard error when it has ended.
    """
    parser.usage = f"{parser.prog} [OPTIONS] [--] COMMAND..."
    parser.options_first = True
    add = parser.add_argument
    add("--log", type=file_to_write, metavar="FILE", help="Append the server's output to FILE too.")
    add(
        "--log-size", type=log_size, default=100 * 10**6, metavar="SIZE",
        help="Rename the log to FILE.1 when it has this many bytes, such as 100M or 2G; 0: never.",
    )  # fmt: skip
    add("--log-keep", type=AtLeast(0), default=5, metavar="N", help="How many of the renamed files to keep.")
    add("--events", type=file_to_write, metavar="FILE", help="Append what happens to FILE, a line for each event.")
    add("--format", dest="fmt", type=Choice("text", "jsonl"), default="jsonl", help="How to write --events.")
    add("--report", type=file_to_write, metavar="FILE", help="Write the report as JSON to FILE in the end.")
    add("--no-host", action="store_true", help="Do not look at this host's kernel log and control groups.")
    add_live_options(parser)
    add("--fail-on", type=Choice(*FAIL_ON), metavar="LEVEL", help="Exit with 1 if there is a finding of that severity.")
    add_color(parser, "report")
    add("words", nargs="+", metavar="COMMAND")


def log_size(word: str) -> int:
    """``100M``: a number of bytes, of 4096 or more; or 0."""
    found = _SIZE.fullmatch(word)
    if word == "0":
        return 0
    if found is None:
        raise WrongValue(f"'{word}' is no size: write 500K, 100M or 2G")
    size = int(found[1]) * _UNITS[found[2]]
    if size < _LEAST_LOG:
        raise WrongValue(f"{size} bytes are less than {_LEAST_LOG}")
    return size


def run(arguments: Namespace) -> int:
    """Start, watch, tell; the server's exit status."""
    from triage.cli.diagnostics import tell
    from triage.running.command import CannotRun
    from triage.running.session import RunningServer
    from triage.watching.fan_out import FanOut, Notes

    # What the operator gave and can have got wrong is told before anything is started.
    knowledge = load_or_fail(arguments.packs) if arguments.packs or arguments.without else None
    without = left_out(arguments.without, knowledge) if knowledge is not None else frozenset()
    log, label = _log(arguments), _label(arguments.log)
    notes = Notes()
    audience = listeners(arguments, _events(arguments.events), notes, fmt=arguments.fmt)
    report = RunReport(arguments, without, log)
    report.begin()
    try:
        server = RunningServer(arguments.words, log=log, use_terminal=sys.stdout.isatty())
    except CannotRun as refused:
        tell(str(refused))
        return refused.status
    except OSError as error:
        raise CommandError(f"the server cannot be started: {error.strerror or error}") from error
    with server:
        say = _Voice(server)
        report.started(server.pid)
        # Whoever reads the events may go; the server is not to feel it.
        fan_out = FanOut([_Troubles(say), *audience], notes, clock=time.time, complain=say, ends_all=False)
        watched = _watched(server, label, log, knowledge, without, fan_out, say)
        death = server.wait()
        left = server.survivors()
    if death is None:
        tell("the process that keeps the server was killed: how the server ended, or whether it has, is not known")
        return ExitCode.INTERNAL
    found = None
    try:
        found = report.tell(death, left, watched, fan_out)
    except Exception as error:  # noqa: BLE001  (the server's status is what counts, whatever we get wrong)
        _tell_crash(error)
    if arguments.fail_on is not None and found is not None and exit_code(found, arguments.fail_on):
        return ExitCode.FINDINGS
    return death.shell_status


def _watched(
    server: RunningServer,
    label: str,
    log: LogPlan | None,
    knowledge: Knowledge | None,
    without: frozenset[str],
    fan_out: FanOut,
    say: _Voice,
) -> Watched | None:
    """Watch to the end of the output. None if we failed: the server runs on, and is still waited for."""
    try:
        from triage.reading.live_merge import Merger
        from triage.watching.live_scan import LiveScan
        from triage.watching.session import Watch

        # Loaded now, so that a server never waits for it.
        knowledge = knowledge if knowledge is not None else load_or_fail(())
        scan, merger = LiveScan(knowledge, without), Merger({label: server.output})
        watch = Watch(
            scan, merger, clock=time.monotonic, until="exit", stop=lambda: False, on_tick=fan_out.tick
        )  # fmt: skip
        for event in watch.events():
            fan_out.tell(event)
        assert watch.ended is not None
        report, size = watch.ended.report, server.output.stored_size
        if log is not None and server.output.left_out and size:
            from triage.running.stored import report_from_log

            say(f"the analysis fell behind: reading the log's {size:,} bytes")
            again = report_from_log(log, size, label, knowledge, without)
            if again is None:
                say("the log is not all there, or takes longer than a minute: the report is without what was left out")
            report = again or report
        return Watched(knowledge, watch.ended, report)
    except CommandError as error:
        say(f"{error}; the server is not watched")
        return None
    except Exception as error:  # noqa: BLE001  (the server must not suffer from what we get wrong)
        _tell_crash(error)
        return None


def _log(arguments: Namespace) -> LogPlan | None:
    """Where the output is stored.

    Raises:
        CommandError: the file cannot be written.
    """
    from triage.running.server import LogPlan

    if arguments.log is None:
        return None
    path = str(arguments.log)
    os.close(_opened("--log", path))
    return LogPlan(path, arguments.log_size, arguments.log_keep)


def _label(log: Path | None) -> str:
    """What the report calls the output: the log, if its lines are counted as those of the output are."""
    try:
        return str(log) if log is not None and log.stat().st_size == 0 else "output"
    except OSError:
        return "output"


def _events(path: Path | None) -> TextIO:
    """Where events go.

    Raises:
        CommandError: the file cannot be written.
    """
    descriptor = _opened("--events", os.devnull if path is None else str(path))
    os.set_blocking(descriptor, True)
    return open(descriptor, "a", encoding="utf-8", errors="backslashreplace")


def _opened(option: str, path: str) -> int:
    """A descriptor that appends; never that of a link's target, and not waiting for somebody to read a pipe."""
    try:
        return os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600
        )
    except OSError as error:
        why = {errno.ELOOP: "is a link: name the file itself", errno.ENXIO: "is a pipe that nobody reads"}
        raise CommandError(f"{option}: {path}: {why.get(error.errno or 0) or error.strerror}") from error


def _tell_crash(error: Exception) -> None:
    from triage.cli.crash import crash_report
    from triage.cli.diagnostics import tell

    path = crash_report(error)
    tell(
        f"internal error: {type(error).__name__}: {error}; the server goes on"
        + (f" (details in {path})" if path else "")
    )


class _Voice:
    """Lines on standard error while the server may have the terminal."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server

    def __call__(self, text: str) -> None:
        from triage.cli.diagnostics import tell

        tell(text)
        if self._server.is_on_our_terminal:
            sys.stderr.write("\r")
            sys.stderr.flush()


class _Troubles:
    """Tells at once what goes wrong with the output, the log, hooks and the like; a diagnosis waits for the end, so that
    it does not tear the server's own lines apart."""

    def __init__(self, say: _Voice) -> None:
        self._say = say

    def tell(self, told: Told) -> None:
        """One line for a note."""
        from triage.watching.events import EventKind

        if told.event.kind is EventKind.NOTE and told.event.text != "end of output":
            self._say(told.event.text)

    def tick(self, state: LiveState) -> None:
        """Nothing."""

    def close(self, ended: Ended) -> None:
        """Nothing."""
