"""``sgltriage kb``: the knowledge base looked at, checked and tested."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from triage.cli.exit_codes import ExitCode
from triage.cli.options import kb_option, known_id, load_or_fail


@click.group()
def kb() -> None:
    """The knowledge base: what can go wrong, and how it shows."""


@kb.command("list")
@kb_option
@click.option("--area", metavar="AREA", help="Only this area.")
def list_signatures(packs: tuple[Path, ...], area: str | None) -> int:
    """Every signature: id, severity, role, title."""
    base = load_or_fail(packs).base
    width = max((len(name) for name in base.ids()), default=0)
    for signature in base:
        if area in (None, signature.area):
            _say(
                f"{signature.id:<{width}}  {signature.severity.value:<7}  {signature.role.value:<7}  {signature.title}"
            )
    return ExitCode.CLEAN


@kb.command()
@click.argument("identifier", metavar="ID")
@kb_option
def show(identifier: str, packs: tuple[Path, ...]) -> int:
    """A signature's file as it stands."""
    knowledge = load_or_fail(packs)
    path = knowledge.base.get(known_id(identifier, knowledge)).location.path
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        _say(line)
    return ExitCode.CLEAN


@kb.command()
@click.argument("packs", nargs=-1, metavar="[DIR]...", type=click.Path(exists=True, file_okay=False, path_type=Path))
def lint(packs: tuple[Path, ...]) -> int:
    """Every problem of the bundled signatures (or of the packs DIR), as path:line:col: message."""
    from triage.knowledge.compiled import compile_database
    from triage.knowledge.errors import KnowledgeError, Problems
    from triage.knowledge.loading import decode_files
    from triage.knowledge.pack import bundled_directory, read_packs
    from triage.matching.markers import all_markers

    problems = Problems(collect=True)
    base = decode_files(read_packs(packs or [bundled_directory("signatures")], problems), problems)
    if not problems.found:
        try:
            compile_database(base, all_markers())
        except KnowledgeError as error:
            problems.found.append(error.problem)
    for problem in sorted(
        problems.found, key=lambda item: (item.location.path, item.location.line, item.location.column)
    ):
        _say(str(problem))
    patterns = sum(len(signature.patterns()) for signature in base)
    _say(f"{len(base)} signatures, {patterns} patterns, {len(problems.found)} problems")
    return ExitCode.USAGE if problems.found else ExitCode.CLEAN


@kb.command()
@click.argument("identifiers", nargs=-1, metavar="[ID]...")
@kb_option
@click.option("--table/--no-table", default=True, help="Print the table of who speaks up on whose examples.")
def test(identifiers: tuple[str, ...], packs: tuple[Path, ...], table: bool) -> int:
    """Run every example and near miss (of ID, or of all) against all signatures.

    An example must put its owner first; a near miss must not produce it.
    """
    from triage.engine import scan_text
    from triage.knowledge.self_test import matrix, self_test

    knowledge = load_or_fail(packs)
    for identifier in identifiers:
        known_id(identifier, knowledge)
    result = self_test(knowledge.base, lambda text: scan_text(text, knowledge), identifiers)
    if table:
        _say("rows: whose examples; columns: the same causes in the same order; tenths of confidence, . = silent")
        for line in matrix(result, knowledge.base.ids()):
            _say(line)
    for failure in result.failures:
        _say(f"FAILED {failure}")
    _say(f"{result.examples} examples, {result.near_misses} near misses, {len(result.failures)} failed")
    return ExitCode.FINDINGS if result.failures else ExitCode.CLEAN


@kb.command()
@click.argument("identifier", metavar="AREA/ID")
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def new(identifier: str, directory: Path) -> int:
    """Start a signature: writes DIR/AREA/ID.yaml with every field explained, for you to fill in."""
    from triage.knowledge.template import signature_template

    area, _, name = identifier.partition("/")
    if not name:
        raise click.UsageError("say where it belongs: AREA/ID, such as memory/gpu-oom-runtime")
    path = directory / area / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(signature_template(name))
    except FileExistsError as error:
        raise click.UsageError(f"{path} exists already") from error
    _say(str(path))
    return ExitCode.CLEAN


@kb.command("export-patterns")
@kb_option
@click.option(
    "--flavour",
    type=click.Choice(("rust", "python")),
    default="rust",
    show_default=True,
    help="Dialect of the regexes.",
)
def export_patterns(packs: tuple[Path, ...], flavour: str) -> int:
    """Every log pattern, one a line, for `rg -f` (rust: without look-around, which it does not know) or a Python program."""
    from triage.knowledge.hyperscan_form import hyperscan_form

    for signature in load_or_fail(packs).base:
        for pattern in signature.patterns():
            source, needs_more = hyperscan_form(pattern.regex)
            if flavour == "python":
                _say(pattern.regex)
            else:
                _say(_escaped(pattern.literal) if needs_more else source.decode())
    return ExitCode.CLEAN


@kb.command()
def schema() -> int:
    """The JSON Schema of signature files, for editors."""
    from triage.knowledge.json_schema import signature_schema

    _say(json.dumps(signature_schema(), indent=2))
    return ExitCode.CLEAN


def _escaped(literal: str) -> str:
    return "".join(char if char.isalnum() or char in " _-:/,'\"=<>@!%&;#~`" else f"\\{char}" for char in literal)


def _say(line: str) -> None:
    from triage.safety.visible import visible

    sys.stdout.write(f"{visible(line)}\n")
