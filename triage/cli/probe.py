"""``sgltriage probe``: look at this host, print what it says, record it for elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from triage.cli.argument_types import Choice, file_to_write
from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.errors import CommandError, UsageError
from triage.cli.exit_codes import ExitCode
from triage.cli.host_options import add_host, add_pid, add_python, load_snapshot

if TYPE_CHECKING:
    from triage.probing.probe import Answer
    from triage.probing.snapshot import Snapshot
    from triage.reporting.outlet import Outlet


def add_arguments(parser: ArgumentParser) -> None:
    """Which host, which probes, how to print."""
    parser.description = """
        Ask this host what logs cannot tell: drivers, GPUs, packages, limits, network. Changes nothing, needs no root.

        What cannot be looked at is listed with the reason. A snapshot (--record) is redacted, and gives the same facts
        anywhere.
    """
    add = parser.add_argument
    add("--record", type=file_to_write, metavar="FILE", help="Write a snapshot.")
    add_host(parser, "Read a snapshot instead of this host.")
    add(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="Run this probe alone; may be given more than once.",
    )
    add("--list", dest="listing", action="store_true", help="List the probes and what each looks at.")
    add("--format", dest="fmt", type=Choice("text", "json"), default="text", help="How to print.")
    add_python(parser)
    add_pid(parser)


def run(arguments: Namespace) -> int:
    """Look, record, print."""
    from triage.probing.catalogue import all_probes
    from triage.probing.host import answers, look_at
    from triage.probing.probe import Target
    from triage.reporting.outlet import Outlet
    from triage.safety.redact import Redactor

    record: Path | None = arguments.record
    host: Path | None = arguments.host
    only: list[str] = arguments.only
    fmt: str = arguments.fmt
    python: Path | None = arguments.python
    pid: int | None = arguments.pid
    probes = all_probes()
    if unknown := sorted(set(only) - {item.name for item in probes}):
        from triage.knowledge.errors import did_you_mean

        raise UsageError(f"no probe '{unknown[0]}'{did_you_mean(unknown[0], [item.name for item in probes])}")
    chosen = [item for item in probes if not only or item.name in only]
    if arguments.listing:
        for item in chosen:
            sys.stdout.write(f"{item.name:<22} {item.title}\n")
        return ExitCode.CLEAN
    redactor = Redactor()
    if host is not None:
        snapshot = load_snapshot(host)
    else:
        snapshot = look_at(chosen, Target(python, pid, {}, dict(os.environ)), redactor)
    found = answers(chosen, snapshot)
    if record is not None:
        _write(record, snapshot)
    # Transcripts are redacted already: an outlet of its own would count nothing twice.
    outlet = Outlet(redactor)
    for line in _json(found, outlet) if fmt == "json" else _text(found, outlet):
        sys.stdout.write(line + "\n")
    return ExitCode.CLEAN


def _write(path: Path, snapshot: Snapshot) -> None:
    from datetime import datetime, timezone

    from triage import __version__
    from triage.probing.snapshot import Snapshot as Made
    from triage.probing.snapshot import to_json

    now = datetime.now(timezone.utc).replace(microsecond=0).isoformat()
    text = to_json(Made(snapshot.transcripts, snapshot.redacted, snapshot.recorded or now, __version__))
    try:
        # What a host says of itself is its owner's business.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    sys.stderr.write(f"sgltriage: wrote {path}; {sum(snapshot.redacted.values())} secrets were redacted\n")


def _text(found: Sequence[Answer], outlet: Outlet) -> Iterator[str]:
    """What was told, then what could not be looked at, then one line of sum."""
    told = [answer for answer in found if answer.outcome == "ok"]
    for answer in told:
        yield outlet.show(answer.name)
        for fact in answer.facts:
            yield f"  {outlet.show(fact.name):<34} {_value(outlet.value(fact.value, fact.name))}"
        if not answer.facts:
            yield "  nothing of note"
    rest = [answer for answer in found if answer.outcome != "ok"]
    if rest:
        yield ""
        yield "not checked"
        for answer in rest:
            yield f"  {outlet.show(answer.name):<22} {answer.outcome}: {outlet.show(answer.reason)}"
    yield ""
    slowest = max(found, key=lambda answer: answer.seconds, default=None)
    tail = f"; the slowest, {slowest.name}, took {slowest.seconds:.1f} s" if slowest else ""
    yield f"{len(told)} of {len(found)} probes answered{tail}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _json(found: Sequence[Answer], outlet: Outlet) -> Iterator[str]:
    import json

    yield json.dumps(
        {
            "schema_version": 1,
            "facts": {
                outlet.show(fact.name): outlet.value(fact.value, fact.name) for answer in found for fact in answer.facts
            },
            "probes": [
                {
                    "name": outlet.show(answer.name),
                    "outcome": answer.outcome,
                    "reason": outlet.show(answer.reason),
                    "seconds": answer.seconds,
                    "facts": [outlet.show(fact.name) for fact in answer.facts],
                }
                for answer in found
            ],
        },
        ensure_ascii=False,
        indent=2,
    )
