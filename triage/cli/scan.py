"""``sgltriage scan``: logs in, report out."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triage.cli.exit_codes import ExitCode
from triage.cli.host_options import load_snapshot, pid_option, python_option
from triage.cli.options import inputs_argument, kb_option, known_id, load_or_fail
from triage.reporting.exit_status import FAIL_ON, exit_code
from triage.reporting.render import FORMATS

if TYPE_CHECKING:
    from triage.engine import ScanResult
    from triage.knowledge.compiled import Knowledge
    from triage.model import Report


@click.command()
@inputs_argument
@click.option("--format", "fmt", type=click.Choice(FORMATS), default="text", show_default=True, help="How to report.")
@kb_option
@click.option("--without", multiple=True, metavar="ID", help="Leave a signature out; may be given more than once.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    default="error",
    show_default=True,
    help="Least severity for exit status 1.",
)
@click.option("--top", type=click.IntRange(1), metavar="N", help="Show at most N diagnoses.")
@click.option(
    "--unexplained",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    metavar="N",
    help="Show N unexplained error lines.",
)
@click.option("--probe", "probing", is_flag=True, help="Look at this host too, as far as it matters for the diagnoses.")
@click.option(
    "--host",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="SNAPSHOT",
    help="Weigh what a host said when it was recorded (sgltriage probe --record).",
)
@click.option(
    "--answer", "answers", multiple=True, metavar="NAME=VALUE", help="Answer a question of an earlier report."
)
@python_option
@pid_option
@click.option("--strict", is_flag=True, help="Exit status 4 when an input was cut short.")
@click.option("--stdin-name", default="-", metavar="NAME", help="What to call standard input in the report.")
@click.option("--binary-as-text", is_flag=True, help="Read files that look binary all the same.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True)
def scan(
    paths: tuple[str, ...],
    fmt: str,
    packs: tuple[Path, ...],
    without: tuple[str, ...],
    fail_on: str,
    top: int | None,
    unexplained: int,
    probing: bool,
    host: Path | None,
    answers: tuple[str, ...],
    python: Path | None,
    pid: int | None,
    strict: bool,
    stdin_name: str,
    binary_as_text: bool,
    color: str,
) -> int:
    """Read logs and name the root cause, with its evidence.

    Files may be compressed (gz, zst, xz, bz2); a directory stands for the logs in it; `-` or no path at all is standard
    input. Several files are read as one failure.
    """
    from triage.cli.diagnostics import tell
    from triage.cli.reading import read_and_scan
    from triage.reporting.outlet import Outlet
    from triage.reporting.render import render
    from triage.safety.redact import Redactor

    began = time.monotonic()
    knowledge = load_or_fail(packs)
    left_out = frozenset(known_id(name, knowledge) for name in without)
    result = read_and_scan(paths, knowledge, stdin_name=stdin_name, binary_as_text=binary_as_text, without=left_out)
    for error in result.unreadable:
        tell(str(error))
    if not result.report.observation.inputs:
        return ExitCode.USAGE
    report = result.report
    if probing and host is not None:
        raise click.UsageError("--probe looks at this host, --host at a recorded one: give one of them")
    if probing or host is not None:
        report = _on_host(report, knowledge, left_out, host, (python, pid))
    if answers:
        from triage.cli.answers import read_answers
        from triage.host_view import with_answers

        report = with_answers(report, knowledge, read_answers(answers, knowledge), left_out)
    # A recorded host is to give the same report everywhere, so this machine's own packages do not come in.
    if report.unexplained and (host is None or python is not None):
        from triage.engine import with_origins

        report = with_origins(report, python)
    terminal = sys.stdout.isatty()
    output = render(
        report,
        fmt,
        Outlet(Redactor()),
        color=wants_color(color),
        ascii_only=not _speaks_unicode(),
        width=shutil.get_terminal_size().columns if terminal else None,
        top=top,
        unexplained=unexplained,
        elapsed=time.monotonic() - began if terminal else None,
        fail_on=fail_on,
    )
    for piece in output:
        sys.stdout.write(piece)
    sys.stdout.flush()
    return _status(result, exit_code(result.report, fail_on), strict=strict)


def _on_host(
    report: Report,
    knowledge: Knowledge,
    without: frozenset[str],
    host: Path | None,
    server: tuple[Path | None, int | None],
) -> Report:
    """The report weighed with a recorded host, or with what this one says of what the report waits for."""
    from triage.host_view import probes_that_matter, with_host
    from triage.probing.catalogue import all_probes
    from triage.probing.host import look_at
    from triage.probing.probe import Target
    from triage.safety.redact import Redactor

    if host is not None:
        return with_host(report, knowledge, all_probes(), load_snapshot(host), without)
    facts = {fact.name: fact.value for fact in report.observation.facts}
    probes = probes_that_matter(report, all_probes())
    snapshot = look_at(probes, Target(*server, facts, dict(os.environ)), Redactor())
    return with_host(report, knowledge, probes, snapshot, without)


def wants_color(choice: str) -> bool:
    """--color, then NO_COLOR, then FORCE_COLOR, then whether stdout is a terminal that can."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _speaks_unicode() -> bool:
    return "utf" in (sys.stdout.encoding or "").lower()


def _status(result: ScanResult, code: int, *, strict: bool) -> int:
    if result.interrupted:
        return ExitCode.INTERRUPTED
    if any(not error.harmless for error in result.unreadable):
        return ExitCode.USAGE
    if strict and any(item.truncated for item in result.report.observation.inputs):
        return ExitCode.PARTIAL
    return code
