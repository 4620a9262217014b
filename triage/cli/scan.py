"""``sgltriage scan``: logs in, report out."""

from __future__ import annotations

import os
import sys
import time

from triage.cli.argument_types import AtLeast, Choice
from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.errors import UsageError
from triage.cli.exit_codes import ExitCode
from triage.cli.host_options import add_host, add_pid, add_python, load_snapshot
from triage.cli.options import add_color, add_fail_on, add_inputs, add_kb, add_without, left_out, load_or_fail
from triage.cli.terminal import columns, speaks_unicode, wants_color
from triage.records import dataclass
from triage.reporting.exit_status import exit_code
from triage.reporting.render import FORMATS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from triage.engine import ScanResult
    from triage.knowledge.compiled import Knowledge
    from triage.model import Report


@dataclass(frozen=True, slots=True)
class _Options:
    """What was asked for; the names are those of the namespace."""

    paths: list[str]
    fmt: str
    packs: list[Path]
    without: list[str]
    fail_on: str
    top: int | None
    unexplained: int
    probing: bool
    host: Path | None
    answers: list[str]
    python: Path | None
    pid: int | None
    strict: bool
    stdin_name: str
    binary_as_text: bool
    color: str


def add_arguments(parser: ArgumentParser) -> None:
    """Inputs, what to weigh with them, and how to report."""
    parser.description = """
        Read logs and name the root cause, with its evidence.

        Files may be compressed (gz, zst, xz, bz2); a directory stands for the logs in it; `-` or no path at all is standard
        input. Several files are read as one failure.
    """
    add = parser.add_argument
    add_inputs(parser)
    add("--format", dest="fmt", type=Choice(*FORMATS), default="text", help="How to report.")
    add_kb(parser)
    add_without(parser)
    add_fail_on(parser)
    add("--top", type=AtLeast(1), metavar="N", help="Show at most N diagnoses.")
    add("--unexplained", type=AtLeast(0), default=3, metavar="N", help="Show N unexplained error lines.")
    add(
        "--probe",
        dest="probing",
        action="store_true",
        help="Look at this host too, as far as it matters for the diagnoses.",
    )
    add_host(parser, "Weigh what a host said when it was recorded (sgltriage probe --record).")
    add(
        "--answer",
        dest="answers",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="Answer a question of an earlier report.",
    )
    add_python(parser)
    add_pid(parser)
    add("--strict", action="store_true", help="Exit status 4 when an input was cut short.")
    add("--stdin-name", default="-", metavar="NAME", help="What to call standard input in the report.")
    add("--binary-as-text", action="store_true", help="Read files that look binary all the same.")
    add_color(parser)


def run(arguments: Namespace) -> int:
    """Scan, weigh, report."""
    from triage.cli.reading import read_and_scan
    from triage.reporting.outlet import Outlet
    from triage.reporting.render import render
    from triage.safety.redact import Redactor

    options = _Options(**vars(arguments))
    began = time.monotonic()
    knowledge = load_or_fail(options.packs)
    without = left_out(options.without, knowledge)
    result = read_and_scan(
        options.paths, knowledge, stdin_name=options.stdin_name, binary_as_text=options.binary_as_text, without=without
    )
    if result.unreadable:
        from triage.cli.diagnostics import tell

        for error in result.unreadable:
            tell(str(error))
    if not result.report.observation.inputs:
        return ExitCode.USAGE
    report = result.report
    if options.probing and options.host is not None:
        raise UsageError("--probe looks at this host, --host at a recorded one: give one of them")
    if options.probing or options.host is not None:
        report = _on_host(report, knowledge, without, options.host, (options.python, options.pid))
    if options.answers:
        from triage.cli.answers import read_answers
        from triage.host_view import with_answers

        report = with_answers(report, knowledge, read_answers(options.answers, knowledge), without)
    # A recorded host is to give the same report everywhere, so this machine's own packages do not come in.
    if report.unexplained and (options.host is None or options.python is not None):
        from triage.engine import with_origins

        report = with_origins(report, options.python)
    terminal = sys.stdout.isatty()
    output = render(
        report,
        options.fmt,
        Outlet(Redactor()),
        color=wants_color(options.color),
        ascii_only=not speaks_unicode(),
        width=columns() if terminal else None,
        top=options.top,
        unexplained=options.unexplained,
        elapsed=time.monotonic() - began if terminal else None,
        fail_on=options.fail_on,
        gone=frozenset({options.stdin_name}),
    )
    for piece in output:
        sys.stdout.write(piece)
    sys.stdout.flush()
    return _status(result, exit_code(result.report, options.fail_on), strict=options.strict)


def _on_host(
    report: Report,
    knowledge: Knowledge,
    without: frozenset[str],
    host: Path | None,
    server: tuple[Path | None, int | None],
) -> Report:
    """The report weighed with a recorded host, or with what this one says of what the report waits for."""
    from triage.host_view import ask_host, probes_that_matter, with_host
    from triage.probing.catalogue import all_probes

    if host is not None:
        return with_host(report, knowledge, all_probes(), load_snapshot(host), without)
    probes = probes_that_matter(report, all_probes())
    python, pid = server
    snapshot = ask_host(report, probes, os.environ, python=python, pid=pid)
    return with_host(report, knowledge, probes, snapshot, without)


def _status(result: ScanResult, code: int, *, strict: bool) -> int:
    if result.interrupted:
        return ExitCode.INTERRUPTED
    if any(not error.harmless for error in result.unreadable):
        return ExitCode.USAGE
    if strict and any(item.truncated for item in result.report.observation.inputs):
        return ExitCode.PARTIAL
    return code
