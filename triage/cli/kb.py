"""``sgltriage kb``: the knowledge base looked at, checked and tested."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import click

from triage.cli.exit_codes import ExitCode
from triage.cli.kb_provenance import provenance
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
    """Every problem of the bundled signatures (or of the packs DIR), as path:line:col: message.

    Signatures that can be read are also held against each other's examples: who claims whose lines.
    """
    from triage.knowledge.loading import lint_packs
    from triage.knowledge.pack import bundled_directory
    from triage.matching.markers import all_markers

    base, problems = lint_packs(packs or [bundled_directory("signatures")], all_markers())
    complaints = [str(problem) for problem in problems]
    if not complaints:
        # Only signatures that can be read can be held against each other.
        from triage.engine import observe_text
        from triage.knowledge.overlap import overlaps
        from triage.reasoning.claims import claims

        knowledge = load_or_fail(packs)
        found = overlaps(knowledge.base, lambda text: claims(observe_text(text, knowledge), knowledge.base))
        complaints = [str(overlap) for overlap in found]
    for complaint in complaints:
        _say(complaint)
    patterns = sum(len(signature.patterns()) for signature in base)
    _say(f"{len(base)} signatures, {patterns} patterns, {len(complaints)} problems")
    return ExitCode.USAGE if complaints else ExitCode.CLEAN


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
    from triage.knowledge.signature_schema import ID_FORM
    from triage.knowledge.template import signature_template

    if not re.fullmatch(f"{ID_FORM}/{ID_FORM}", identifier):
        raise click.UsageError(
            f"'{identifier}' is not AREA/ID, each of small letters, digits and hyphens, such as memory/gpu-oom-runtime"
        )
    area, _, name = identifier.partition("/")
    path = directory / area / f"{name}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(signature_template(name))
    except OSError as error:
        # A FileExistsError of mkdir is about a file that stands where the folder should be.
        exists = isinstance(error, FileExistsError) and path.parent.is_dir()
        raise click.UsageError(f"{path} exists already" if exists else f"{path}: {error.strerror}") from error
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
            _say(pattern.regex if flavour == "python" else _rust_form(hyperscan_form(pattern.regex).decode()))
    return ExitCode.CLEAN


@kb.command()
def schema() -> int:
    """The JSON Schema of signature files, for editors."""
    from triage.knowledge.json_schema import signature_schema

    for line in json.dumps(signature_schema(), indent=2).splitlines():
        _say(line)
    return ExitCode.CLEAN


kb.add_command(provenance)


def _rust_form(form: str) -> str:
    r"""For a Rust regex ``\xc3`` is a character and not a byte, unless Unicode is switched off."""
    return f"(?-u){form}" if re.search(r"\\x[89a-f]", form) else form


def _say(line: str) -> None:
    from triage.safety.visible import visible

    sys.stdout.write(f"{visible(line)}\n")
