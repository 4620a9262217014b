"""Which releases of SGLang print what the signatures look for: patterns that no release prints any more are found this way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from triage.knowledge.regex_syntax import MIN_LITERAL
from triage.knowledge.skeleton import Skeleton, skeletons
from triage.knowledge.source_search import Found, search_files
from triage.model import Pattern, Signature
from triage.records import dataclass
from triage.sources.package_files import SourceFile

PACKAGE = "sglang"
# A source may name several files, and say in brackets where in them: "sglang/srt/utils.py, sglang/srt/utils/common.py (get_device)".
_SOURCE = re.compile(rf"(?<![\w./-]){PACKAGE}/[\w./-]*[\w/]")


class Claim(str, Enum):
    """What a signature says about who prints its lines.

    ``source``: its provenance names Python files of SGLang and nothing else. ``shared``: other software too, or sources
    in other languages, which are not searched. ``component``: it has no provenance, and its component is SGLang.
    ``other``: not from SGLang.
    """

    SOURCE = "source"
    SHARED = "shared"
    COMPONENT = "component"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Release:
    """An unpacked release: its version (PEP 440) and its Python files, which can be iterated more than once."""

    version: str
    files: Iterable[SourceFile]


@dataclass(frozen=True, slots=True)
class PatternProvenance:
    """Where one pattern was found.

    ``files``: for each release that holds it, in the order of the survey, the paths of the files that do. ``literals``:
    each text of at least 6 characters that the pattern asks for, with the releases that hold that text.
    """

    key: str
    claim: Claim
    files: tuple[tuple[str, tuple[str, ...]], ...]
    literals: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def releases(self) -> tuple[str, ...]:
        """The releases that hold the pattern; empty where none does."""
        return tuple(release for release, _ in self.files)

    @property
    def is_dead(self) -> bool:
        """Whether SGLang is named as its source and no release holds it."""
        return self.claim is Claim.SOURCE and not self.files


@dataclass(frozen=True, slots=True)
class Survey:
    """All patterns of some signatures held against some releases. ``unparsed``: (release, ``path: reason``)."""

    releases: tuple[str, ...]
    patterns: tuple[PatternProvenance, ...]
    unparsed: tuple[tuple[str, str], ...] = ()

    def of(self, signature: Signature) -> tuple[PatternProvenance, ...]:
        """The patterns of one signature, in file order."""
        return tuple(item for item in self.patterns if item.key.partition("/")[0] == signature.id)


def claim_of(signature: Signature) -> Claim:
    """Who the signature says prints its lines."""
    if not signature.provenance:
        return Claim.COMPONENT if signature.component.partition(".")[0] == PACKAGE else Claim.OTHER
    paths = [_paths_of(item.source) for item in signature.provenance]
    if not any(paths):
        return Claim.OTHER
    return Claim.SOURCE if all(found and all(map(_is_python, found)) for found in paths) else Claim.SHARED


def pattern_literals(pattern: Pattern) -> tuple[str, ...]:
    """Every text of at least 6 characters that the pattern asks for, over all its branches."""
    return tuple(item.runs[0] for item in _literals(pattern))


def survey(signatures: Sequence[Signature], releases: Iterable[Release]) -> Survey:
    """Every pattern of ``signatures`` searched in every release; releases are read one after the other."""
    wanted = [
        _Wanted(pattern.key, claim_of(signature), skeletons(pattern.regex), _literals(pattern))
        for signature in signatures
        for pattern in signature.patterns()
    ]
    every = {text for item in wanted for text in (*item.ways, *item.literals)}
    ours = frozenset(text for item in wanted if item.claim is not Claim.OTHER for text in (*item.ways, *item.literals))
    found = {release.version: search_files(every, ours, release.files) for release in releases}
    return Survey(
        tuple(found),
        tuple(_pattern(item, found) for item in wanted),
        tuple((version, reason) for version, item in found.items() for reason in item.unparsed),
    )


def disagreements(signature: Signature, found: Survey) -> list[str]:
    """Where the declared releases of a Python source of SGLang and the survey differ, as sentences without the id."""
    declared = {
        item: [name for name in found.releases if is_declared(item.releases, name)]
        for item in signature.provenance
        if _paths_of(item.source)
    }
    anywhere = {name for names in declared.values() for name in names}
    files = _files(signature, found)
    told: list[str] = []
    for item, names in declared.items():
        sources = _paths_of(item.source)
        if not all(map(_is_python, sources)):
            continue
        holding = [name for name in found.releases if any(_lies_in(path, sources) for path in files[name])]
        silent = [name for name in names if name not in holding]
        if silent:
            elsewhere = sorted({path for name in silent for path in files[name]})
            hint = f"; found in {', '.join(elsewhere[:3])}" if elsewhere else ""
            told.append(f"{item.source} does not print it in {span_text(silent, found.releases)}{hint}")
        beyond = [name for name in holding if name not in anywhere]
        if beyond:
            told.append(f"{item.source} prints it in {span_text(beyond, found.releases)} too")
    return told


def is_declared(specifier: str, version: str) -> bool:
    """Whether a PEP 440 range holds a release; a post release counts as the release that it corrects."""
    allowed = SpecifierSet(specifier)
    return allowed.contains(version, prereleases=True) or allowed.contains(Version(version).base_version)


def span_text(some: Iterable[str], every: Sequence[str]) -> str:
    """``some`` releases out of ``every``, in its order: ``all``, ``none``, or ``0.4.6 - 0.5.3, 0.5.8``."""
    held = set(some)
    if held.issuperset(every):
        return "all"
    spans: list[list[str]] = []
    for before, name in zip(("", *every), every, strict=False):
        if name in held:
            if before in held:
                spans[-1][1:] = [name]
            else:
                spans.append([name])
    return ", ".join(" - ".join(span) for span in spans) or "none"


def _paths_of(source: str) -> list[str]:
    return _SOURCE.findall(source)


def _is_python(path: str) -> bool:
    return path.endswith((".py", "/")) or "." not in path.rpartition("/")[2]


def _lies_in(path: str, sources: list[str]) -> bool:
    return any(path == source or path.startswith(f"{source.rstrip('/')}/") for source in sources)


def _literals(pattern: Pattern) -> tuple[Skeleton, ...]:
    found = {
        Skeleton((run,), item.caseless): None
        for item in skeletons(pattern.regex)
        for run in item.runs
        if len(run) >= MIN_LITERAL
    }
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A pattern as the ways through its branches, and the texts in them."""

    key: str
    claim: Claim
    ways: tuple[Skeleton, ...]
    literals: tuple[Skeleton, ...]


def _pattern(wanted: _Wanted, found: dict[str, Found]) -> PatternProvenance:
    files: list[tuple[str, tuple[str, ...]]] = []
    for version, item in found.items():
        paths = {path for way in wanted.ways for path in item.places.get(way, ())}
        if paths:
            files.append((version, tuple(sorted(paths))))
    literals = tuple(
        (literal.runs[0], tuple(version for version, item in found.items() if literal in item.places))
        for literal in wanted.literals
    )
    return PatternProvenance(wanted.key, wanted.claim, tuple(files), literals)


def _files(signature: Signature, found: Survey) -> dict[str, set[str]]:
    paths: dict[str, set[str]] = {name: set() for name in found.releases}
    for item in found.of(signature):
        for name, files in item.files:
            paths[name].update(files)
    return paths
