"""``sgltriage preflight``: a launch command, its environment and the host, checked before anything is started."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from triage.cli.argument_types import Choice
from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.errors import UsageError
from triage.cli.host_options import add_host, add_python, load_snapshot
from triage.cli.options import load_or_fail
from triage.cli.terminal import columns, speaks_unicode, wants_color
from triage.reporting.exit_status import exit_code

if TYPE_CHECKING:
    from triage.model import Fact, ProbeResult
    from triage.preflight.check import Checked
    from triage.preflight.command import PlannedCommand
    from triage.preflight.corrections import Change
    from triage.reporting.outlet import Outlet

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=(?=.)", re.DOTALL)


def add_arguments(parser: ArgumentParser) -> None:
    """Which host, how to print, and the command itself."""
    parser.description = """
        Check a launch command, its environment and the host before ten minutes of loading.

        COMMAND is what would be typed: `python3 -m sglang.launch_server ...`, `sglang serve ...`, a router,
        `bash -c '...'` or `docker run ... IMAGE ...` around them. It is read and never run. Prints what would fail and the
        corrected command.
    """
    parser.usage = f"{parser.prog} [OPTIONS] [--] [VAR=VALUE]... COMMAND..."
    parser.options_first = True
    add_host(parser, "Check against a recorded host (sgltriage probe --record) instead of this one.")
    add_python(parser)
    add = parser.add_argument
    add("--no-probe", action="store_true", help="Look at no host: check the command alone.")
    add("--format", dest="fmt", type=Choice("text", "json"), default="text", help="How to print.")
    add("words", nargs="+", metavar="COMMAND")


def run(arguments: Namespace) -> int:
    """Check and print."""
    from triage import __version__
    from triage.preflight.check import check
    from triage.preflight.command import parse_command
    from triage.preflight.host import installed_release, interpreter_of
    from triage.reporting.outlet import Outlet
    from triage.safety.redact import Redactor

    host: Path | None = arguments.host
    python: Path | None = arguments.python
    no_probe: bool = arguments.no_probe
    fmt: str = arguments.fmt
    words: tuple[str, ...] = tuple(arguments.words)
    if host is not None and no_probe:
        raise UsageError("--host gives a host to check against, --no-probe none: give one of them")
    commands = parse_command(words)
    if not commands:
        raise UsageError("no launch of SGLang in this command: python -m sglang.launch_server, sglang serve, a router")
    knowledge = load_or_fail(())
    environment = dict(os.environ)
    if python is None and host is None and not no_probe:
        python = interpreter_of(commands, environment)
    release = installed_release(python, environment)
    facts, probes = _host(commands, host, python, environment) if not no_probe else ((), ())
    facts = (*facts, *_version(facts, release.version))
    checked = check(words, knowledge.base, facts, probes, release.flags, __version__)
    outlet = Outlet(Redactor())
    for line in (
        _json(checked, outlet)
        if fmt == "json"
        else (*_report(checked, outlet), *map(_disarmed, _rest(checked, outlet)))
    ):
        sys.stdout.write(line)
    sys.stdout.flush()
    return exit_code(checked.report, "error")


def _host(
    commands: tuple[PlannedCommand, ...], host: Path | None, python: Path | None, environment: dict[str, str]
) -> tuple[tuple[Fact, ...], tuple[ProbeResult, ...]]:
    from triage.preflight.host import PROBES, host_facts, target_of
    from triage.probing.catalogue import all_probes
    from triage.probing.host import look_at
    from triage.safety.redact import Redactor

    chosen = [probe for probe in all_probes() if probe.name in PROBES]
    if host is not None:
        return host_facts(chosen, load_snapshot(host))
    return host_facts(chosen, look_at(chosen, target_of(commands, python, environment), Redactor()))


def _version(facts: tuple[Fact, ...], version: str) -> Iterator[Fact]:
    from triage.model import Fact as Told

    if version and all(fact.name != "sglang.version" for fact in facts):
        yield Told("sglang.version", version, "the installed package")


def _json(checked: Checked, outlet: Outlet) -> Iterator[str]:
    """The document of ``scan --format json`` with two keys more."""
    import json

    from triage.reporting.record import report_record
    from triage.reporting.view import View

    # Shown first, so that what is redacted in them is counted.
    corrected = None if checked.correction.words is None else outlet.arguments(checked.correction.words)
    changes = [_change_record(change, outlet) for change in checked.correction.changes]
    document = report_record(checked.report, outlet, View())
    text = json.dumps({**document, "corrected_command": corrected, "changes": changes}, indent=2, ensure_ascii=False)
    # A CI runner would obey "##[...]"; in JSON only strings hold a hash sign, and they may escape it.
    yield text.replace("##", "#\\u0023") + "\n"


def _change_record(change: Change, outlet: Outlet) -> dict[str, object]:
    return {
        "fact": change.fact,
        "was": outlet.arguments(change.was),
        "now": None if change.now is None else outlet.arguments(change.now),
        "reason": outlet.show(change.reason),
    }


def _report(checked: Checked, outlet: Outlet) -> Iterator[str]:
    """The report as scan prints it."""
    from triage.reporting.render import render

    yield from render(
        checked.report,
        "text",
        outlet,
        color=wants_color("auto"),
        ascii_only=not speaks_unicode(),
        width=columns() if sys.stdout.isatty() else None,
    )


def _rest(checked: Checked, outlet: Outlet) -> Iterator[str]:
    """What was not checked, where the report is too short to say so; the old words against the new ones; the whole command."""
    if not checked.report.diagnoses:
        # The one line of a clean report does not say how much was looked at.
        for probe in checked.report.probes:
            if probe.outcome not in ("ok", "not-applicable"):
                yield f"not checked  {outlet.show(probe.name)}: {outlet.show(probe.reason or probe.outcome)}\n"
    changes = checked.correction.changes
    if not changes:
        return
    yield "\nchanges\n"
    for change in changes:
        for sign, texts in (("-", change.was), ("+", change.now)):
            if texts:
                yield f"  {sign if change.now is not None else ' '} {_line(texts, outlet)}\n"
        yield f"      {'left as it is: ' if change.now is None else ''}{outlet.show(change.reason)}\n"
    if checked.correction.words is not None:
        yield f"\ncorrected command\n  {_line(checked.correction.words, outlet)}\n"


def _disarmed(text: str) -> str:
    """A CI runner would obey "##[...]" and "##vso[...]" anywhere in a job's log."""
    return text.replace("##", "#\\x23")


def _line(words: tuple[str, ...], outlet: Outlet) -> str:
    """Words as they would be typed; what sets a variable is quoted behind its equals sign, or a shell would not see it."""
    return " ".join(_quoted(word) for word in outlet.arguments(words))


def _quoted(word: str) -> str:
    import shlex

    found = _ASSIGNMENT.match(word)
    return found[0] + shlex.quote(word[found.end() :]) if found else shlex.quote(word)
