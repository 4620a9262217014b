"""``sgltriage kb provenance``: the signatures held against unpacked releases of SGLang."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from triage.cli.argument_types import existing_folder, file_to_write
from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.errors import UsageError
from triage.cli.exit_codes import ExitCode
from triage.cli.kb.say import say
from triage.cli.options import add_id, add_kb, known_id, load_or_fail
from triage.reporting.words import count

if TYPE_CHECKING:
    from triage.knowledge.provenance import PatternProvenance, Release, Survey
    from triage.model import Signature


def add_arguments(parser: ArgumentParser) -> None:
    """``DIR [ID]...``, which releases, where to store the result, and ``--kb``."""
    parser.description = """
        In which releases of SGLang each text of each pattern (of ID, or of all) occurs.

        DIR holds a folder for each unpacked release, named after its version, with the package `sglang` in it. Its sources
        are parsed and never run. Exit status 1 when a pattern that is said to come from SGLang occurs in no release.
    """
    add = parser.add_argument
    add("directory", metavar="DIR", type=existing_folder)
    add_id(parser, several=True)
    add("--releases", metavar="V,V,...", help="Only these of DIR; 0.4.3 stands for 0.4.3.post4 as well.")
    add("--json", dest="record", metavar="FILE", type=file_to_write, help="Store the result as data.")
    add_kb(parser)


def run(arguments: Namespace) -> int:
    """Search the releases and print what was found."""
    from triage.knowledge.provenance import survey

    directory: Path = arguments.directory
    identifiers: list[str] = arguments.identifiers
    releases: str | None = arguments.releases
    record: Path | None = arguments.record
    packs: list[Path] = arguments.packs
    if record is not None and identifiers:
        raise UsageError("--json stores all signatures: leave the IDs out")
    knowledge = load_or_fail(packs)
    chosen = [knowledge.base.get(known_id(identifier, knowledge)) for identifier in identifiers or knowledge.base.ids()]
    found = survey(chosen, _told(_unpacked(directory, releases)))
    if record is not None:
        _store(record, found)
    for line in _lines(chosen, found):
        say(line)
    return ExitCode.FINDINGS if any(item.is_dead for item in found.patterns) else ExitCode.CLEAN


def _unpacked(directory: Path, wanted: str | None) -> list[Release]:
    """The releases below ``directory`` in order of their versions; a usage error where one that is wanted is missing."""
    from packaging.version import InvalidVersion, Version

    from triage.knowledge.provenance import PACKAGE, Release
    from triage.sources.package_files import PackageFiles

    present: dict[Version, Path] = {}
    for package in directory.glob(f"*/{PACKAGE}"):
        try:
            present[Version(package.parent.name)] = package
        except InvalidVersion:  # a folder of another purpose
            continue
    names = [name.strip() for name in wanted.split(",")] if wanted else []
    missing = [name for name in names if not any(name in (str(item), item.base_version) for item in present)]
    if missing or not present:
        lacks = ", ".join(missing) if missing else f"VERSION/{PACKAGE}"
        raise UsageError(f"{directory} has no {lacks}")
    return [
        Release(str(version), PackageFiles(package))
        for version, package in sorted(present.items())
        if not names or str(version) in names or version.base_version in names
    ]


def _told(releases: list[Release]) -> Iterator[Release]:
    """The releases, each named on a terminal when its turn comes: a large one takes half a minute."""
    from triage.cli.diagnostics import tell

    for release in releases:
        if sys.stderr.isatty():
            tell(f"reading {release.version}")
        yield release


def _store(path: Path, found: Survey) -> None:
    from triage.knowledge.provenance_record import survey_record

    try:
        path.write_text(survey_record(found), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def _lines(signatures: Sequence[Signature], found: Survey) -> Iterator[str]:
    from triage.knowledge.provenance import disagreements, span_text

    problems: list[str] = []
    for signature in signatures:
        patterns = found.of(signature)
        yield signature.id
        for item in patterns:
            yield f"  {_short(item)}: {_verdict(item, found)}"
            for text, names in item.literals:
                yield f"    {text!r}: {span_text(names, found.releases)}"
        problems += [f"dead: {item.key}" for item in patterns if item.is_dead]
        problems += [f"differs: {signature.id}: {text}" for text in disagreements(signature, found)]
    problems += [f"not parsed: {version} {reason}" for version, reason in found.unparsed]
    yield from problems
    dead = sum(item.is_dead for item in found.patterns)
    searched = (count(len(signatures), "signature"), count(len(found.patterns), "pattern"))
    yield f"{', '.join(searched)}, {count(len(found.releases), 'release')}, {count(dead, 'dead pattern')}"


def _verdict(item: PatternProvenance, found: Survey) -> str:
    from triage.knowledge.provenance import Claim, span_text

    if item.files:
        return span_text(item.releases, found.releases)
    reasons = {
        Claim.SOURCE: "in no release",
        Claim.SHARED: "in no release; sources that were not searched are named too",
        Claim.COMPONENT: "in no release; its provenance is not declared",
        Claim.OTHER: "not from sglang",
    }
    return reasons[item.claim]


def _short(item: PatternProvenance) -> str:
    return item.key.partition("/")[2]
