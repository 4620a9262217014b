"""Requirements that the installed packages do not meet: what ``pip check`` would say, without running pip."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from triage.matching.fact_packages import normalised, of_interest
from triage.model import Value
from triage.probing.catalogue.distributions import distributions, metadata_text
from triage.probing.catalogue.looks import look
from triage.probing.catalogue.package_facts import MODULES
from triage.probing.catalogue.python_environment import find_environment
from triage.probing.catalogue.python_packages import Header, header_lines, read_header
from triage.probing.probe import NotApplicable, Probe, Read, Target, Transcript, by_label
from triage.records import dataclass

LABEL = "requirements of installed packages"
_REQUIRES = re.compile(r"^Requires-Dist:[ \t]*([^\n]{1,500}?)[ \t]*$", re.MULTILINE)
_ONLY_EXTRA = re.compile(r";[^;]*\bextra\s*==")
_MAX_SHOWN = 40
_MAX_LINES = 20_000
_MAX_LENGTH = 500
_MAX_BRACKETS = 40


@dataclass(frozen=True, slots=True)
class _Conflict:
    """One requirement that is not met; ``matters`` when the server's own packages are concerned."""

    text: str
    matters: bool
    is_missing: bool


def describe(target: Target) -> str:
    """The text of the transcript: each distribution that the interpreter would import, and what it requires."""
    environment = find_environment(target)
    lines = [*header_lines(environment)]
    seen: set[str] = set()
    for folder in environment.folders:
        for item in distributions(folder.path):
            name = normalised(item.name)
            if name in seen:
                continue  # hidden by one of the same name earlier on the path
            seen.add(name)
            lines.append(f"package {item.name} {item.version}")
            lines += [f"requires {text}" for text in _stated(item.metadata) if not _is_optional(text)]
    return "\n".join(lines)


def parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    """``requirements.conflicts`` and ``requirements.missing``, those of the server's packages first, and their numbers."""
    transcript = by_label(transcripts, LABEL)
    if transcript is None:
        raise ValueError("no listing of requirements")
    header = read_header(transcript.text)
    if "no-server" in header.marks:
        raise NotApplicable(f"neither SGLang nor torch is installed in {header.prefix}; name the server's Python")
    packages = _packages(transcript.text)
    versions = {normalised(name): version for name, version, _ in packages}
    found = sorted(_conflicts(packages, versions, _marker_values(header)), key=lambda item: not item.matters)
    conflicts = [item.text for item in found if not item.is_missing]
    missing = [item.text for item in found if item.is_missing]
    yield "requirements.conflicts", tuple(conflicts[:_MAX_SHOWN])
    yield "requirements.conflict_count", len(conflicts)
    yield "requirements.missing", tuple(missing[:_MAX_SHOWN])
    yield "requirements.missing_count", len(missing)


def _stated(metadata: Path) -> list[str]:
    stated: list[str] = _REQUIRES.findall(metadata_text(metadata))
    if not stated and metadata.name == "PKG-INFO":
        # Older installations keep them in a file of their own; what follows a line in brackets is for extras and markers.
        lines = metadata_text(metadata.with_name("requires.txt")).partition("[")[0].splitlines()
        stated = [line.strip()[:_MAX_LENGTH] for line in lines if line.strip()]
    return stated


def _is_optional(text: str) -> bool:
    return _ONLY_EXTRA.search(text) is not None and " or " not in text


def _packages(text: str) -> list[tuple[str, str, list[str]]]:
    """(name, version, requirements) of each distribution."""
    packages: list[tuple[str, str, list[str]]] = []
    for line in text.split("\n")[:_MAX_LINES]:
        kind, _, rest = line.partition(" ")
        if kind == "package" and (words := rest.split(" ")) and len(words) == 2:
            packages.append((words[0], words[1], []))
        elif kind == "requires" and packages:
            packages[-1][2].append(rest[:_MAX_LENGTH])
    return packages


def _conflicts(
    packages: Sequence[tuple[str, str, list[str]]], versions: Mapping[str, str], values: Mapping[str, str]
) -> Iterator[_Conflict]:
    for name, version, requirements in packages:
        for text in requirements:
            if (wanted := _requirement(text, values)) is None:
                continue
            needed = normalised(wanted.name)
            matters = _matters(normalised(name)) or _matters(needed)
            plain = f"{name} {version} requires {wanted.name}{wanted.specifier}"
            if needed not in versions:
                yield _Conflict(f"{plain}, which is not installed", matters, is_missing=True)
            elif not _meets(versions[needed], wanted):
                yield _Conflict(f"{plain}, {wanted.name} {versions[needed]} is installed", matters, is_missing=False)


def _requirement(text: str, values: Mapping[str, str]) -> Requirement | None:
    """None for what does not apply to the interpreter, or cannot be read."""
    if text.count("(") > _MAX_BRACKETS:
        return None  # the parser of markers goes one call deeper for each
    try:
        wanted = Requirement(text)
        # An undefined comparison and a version that is none are ValueErrors too.
        applies = wanted.marker is None or wanted.marker.evaluate(dict(values))
    except (InvalidRequirement, ValueError, KeyError):
        return None
    return wanted if applies else None


def _meets(version: str, wanted: Requirement) -> bool:
    try:
        return wanted.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def _matters(name: str) -> bool:
    return of_interest(name) or name in MODULES


def _marker_values(header: Header) -> dict[str, str]:
    """Values of marker variables for the interpreter that was looked at, not for the one that runs us."""
    minor = ".".join(header.version.split(".")[:2])
    full = header.version if header.version.count(".") == 2 else f"{header.version}.0"
    return {
        "python_version": minor, "python_full_version": full, "implementation_version": full,
        "implementation_name": "cpython", "platform_python_implementation": "CPython",
        "os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": header.machine,
        "platform_release": "", "platform_version": "", "extra": "",
    }  # fmt: skip


def _reads(target: Target) -> Sequence[Read]:
    return (look(LABEL, lambda: describe(target), timeout_s=7.0),)


PROBES = (
    Probe("requirement-conflicts", "Requirements that the installed packages do not meet", _reads, parse, cost_s=1.0),
)
