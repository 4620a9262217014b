"""The whole way from bytes to a report; what the command line and the other faces call.

The parts know nothing of each other: reading gives bytes, matching findings, reasoning a report. Here they are joined.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from triage import __version__
from triage.knowledge.compiled import Knowledge, load_packs
from triage.knowledge.pack import bundled_directory
from triage.matching.confirm import CompiledPatterns, Confirmer
from triage.matching.markers import all_markers, marker_pattern
from triage.matching.observe import observe
from triage.matching.prefix import parse_prefix
from triage.matching.record import SourceScan
from triage.matching.scanner import Scanner
from triage.model import Observation, Pattern, Report, Verdict
from triage.private_cache import cache_directory
from triage.reading.source import ReadError, Source
from triage.reasoning.diagnose import diagnose
from triage.records import dataclass, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from triage.private_cache import StrPath

_MOST_LANES = 4
_ORIGINS = 3
"""How many unexplained lines are looked for in installed sources."""


@dataclass(slots=True)
class ScanResult:
    """A report, what could not be read, and whether the reading was broken off by the operator."""

    report: Report
    unreadable: list[ReadError] = field(default_factory=list)
    interrupted: bool = False


class Interrupted(Exception):  # noqa: N818  (an order, not an error)
    """Raised inside a read by whoever wants the reading to end now; what was read so far is reported."""


class Gate:
    """Lets an operator end the reading between two blocks, or inside a read that waits, but never inside a scan."""

    def __init__(self) -> None:
        self._stop = False
        self._reading = False

    def break_off(self) -> None:
        """End the reading as soon as the scanner is at rest.

        Raises:
            Interrupted: now, when a read is waiting.
        """
        self._stop = True
        if self._reading:
            raise Interrupted

    def read(self, source: Source, view: memoryview) -> int:
        """``source.readinto(view)``, unless the reading was ended.

        Raises:
            Interrupted: it was.
        """
        self._reading = True
        try:
            if self._stop:
                raise Interrupted
            return source.readinto(view)
        finally:
            self._reading = False


def load(extra: Sequence[StrPath] = (), environment: dict[str, str] | None = None) -> Knowledge:
    """The bundled knowledge and that of the packs in ``extra``.

    Raises:
        KnowledgeError: a pack is wrong. FileNotFoundError: the bundled signatures are missing.
    """
    roots = [bundled_directory("signatures"), *extra]
    cache = cache_directory(dict(os.environ) if environment is None else environment)
    return load_packs(roots, all_markers(), cache)


def scan_inputs(
    inputs: Iterable[Source | ReadError],
    knowledge: Knowledge,
    *,
    without: frozenset[str] = frozenset(),
    on_bytes: Callable[[str, int], None] | None = None,
    gate: Gate | None = None,
) -> ScanResult:
    """Read every input to its end, and report. ``on_bytes`` hears of progress (label, bytes read so far)."""
    scans: list[SourceScan] = []
    notes: list[tuple[tuple[str, ...], bool]] = []
    unreadable: list[ReadError] = []
    interrupted = False
    for item in inputs:
        if isinstance(item, ReadError):
            unreadable.append(item)
            continue
        with item as source:
            scanner = new_scanner(source.label, knowledge)
            try:
                _pump(source, scanner, on_bytes, gate or Gate())
            except Interrupted:
                interrupted = True
            except ReadError as error:
                unreadable.append(error)
            scans.append(scanner.finish())
            notes.append((tuple(source.notes), source.truncated or interrupted))
        if interrupted:
            break
    base = knowledge.base.without(without) if without else knowledge.base
    report = diagnose(observe(scans, notes), base, version=__version__)
    return ScanResult(report, unreadable, interrupted)


def with_origins(report: Report, python: Path | None = None, environment: dict[str, str] | None = None) -> Report:
    """The report with where its first unexplained lines are printed, as far as the serving software lies on this machine.

    ``python``: an interpreter, or the folder of an environment; None looks where one would. Without it only a report that
    found no likely cause is worth the second or two.
    """
    wanted = [item for item in report.unexplained[:_ORIGINS] if not item.origin]
    if not wanted or (python is None and report.verdict in (Verdict.CONFIRMED, Verdict.LIKELY)):
        return report
    from triage.sources.environments import library_folders, package_version
    from triage.sources.installed import Found, find_messages, find_packages

    messages = [item.text[parse_prefix(item.text).end :] for item in wanted]
    origins: dict[int, str] = {}
    for package in find_packages(library_folders(python, dict(os.environ) if environment is None else environment)):
        missing = [number for number in range(len(wanted)) if number not in origins]
        places = find_messages([messages[number] for number in missing], package) if missing else []
        for number, place in zip(missing, places, strict=True) if missing else ():
            if place is not None:
                origins[number] = str(Found(package.name, package_version(package), place))
    found = {id(item): origins[number] for number, item in enumerate(wanted) if number in origins}
    rest = tuple(replace(item, origin=found.get(id(item), item.origin)) for item in report.unexplained)
    return replace(report, unexplained=rest)


def scan_text(text: bytes, knowledge: Knowledge, source: str = "<text>", chunk: int | None = None) -> Report:
    """The report on bytes in memory, fed in pieces of ``chunk`` bytes (None: at once)."""
    return diagnose(observe_text(text, knowledge, source, chunk), knowledge.base, version=__version__)


def observe_text(text: bytes, knowledge: Knowledge, source: str = "<text>", chunk: int | None = None) -> Observation:
    """What is seen in bytes in memory: the part of ``scan_text`` that does not depend on weights."""
    scanner = Scanner(source, knowledge.database, Confirmer(_patterns(knowledge)))
    for start in range(0, len(text), chunk or max(1, len(text))):
        scanner.feed(memoryview(text)[start : start + (chunk or len(text))])
    return observe([scanner.finish()], [((), False)])


def new_scanner(label: str, knowledge: Knowledge, *, live: bool = False) -> Scanner:
    """A scanner for one source of which nothing was read yet; ``live``: one that grows in small pieces."""
    return Scanner(label, knowledge.database, Confirmer(_patterns(knowledge)), 1 if live else _lanes(), live=live)


def _pump(source: Source, scanner: Scanner, on_bytes: Callable[[str, int], None] | None, gate: Gate) -> None:
    total = 0
    while count := gate.read(source, scanner.room()):
        scanner.advance(count)
        total += count
        if on_bytes is not None:
            on_bytes(source.label, total)


def _lanes() -> int:
    """Threads for the automaton: more than a few only wait for memory."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(_MOST_LANES, usable))


# Compiling takes longer than looking, and there may be thousands of inputs.
@lru_cache(maxsize=1)
def _patterns(knowledge: Knowledge) -> CompiledPatterns:
    def lookup(key: str) -> Pattern:
        return marker_pattern(key) if key.startswith("@") else knowledge.base.pattern(key)

    return CompiledPatterns(lookup)
