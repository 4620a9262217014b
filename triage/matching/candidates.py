"""Where the automaton fires in a block: candidates for confirmation."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from triage.knowledge.database import PatternDatabase, Report
from triage.matching.counting import LineCounter
from triage.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_NORMALIZE = frozenset({"@ansi", "@cri-partial", "@docker-json", "@typographic-quote"})
MANY = 20_000
"""Candidates in one block from which on it is taken in small parts: a storm is beginning."""
_CACHED = 256 << 10
"""Scanned and counted in parts of this size, so that the second look finds them in the processor's cache."""
WORTH_NARROWING = 1_000_000
"""To be told so often of matches takes a second, and so does it to compile an automaton."""
PARALLEL_FROM = 1 << 20
"""Blocks of this size are cut into one part for each lane: Hyperscan lets go of the interpreter while it scans."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Expression ``index`` may match in the line in which ``end`` (offset in the text) lies."""

    index: int
    key: str
    end: int


@dataclass(frozen=True, slots=True)
class Found:
    """Candidates by rising end; whether the block holds colour codes or a runtime's cut or quoted records; whether
    there were so many that the block is better taken in small parts (the candidates are then not all there); how many
    line feeds it has and whether it is ASCII, if a counter was given and all of it was scanned."""

    candidates: tuple[Candidate, ...]
    needs_normalizing: bool
    too_many: bool = False
    feeds: int | None = None
    is_ascii: bool = False


class CandidateFinder:
    """Runs the database over blocks."""

    __slots__ = ("_aside", "_database", "_executor", "_lanes", "_muted", "_narrowed", "_narrows", "_unwanted", "_vain")

    def __init__(self, database: PatternDatabase, lanes: int = 1, *, narrows: bool = False) -> None:
        """``narrows``: a second's pause is no harm, where it makes up for itself."""
        self._lanes = lanes
        self._narrows, self._vain = narrows, 0
        self._narrowed: tuple[frozenset[str], PatternDatabase] = (frozenset(), database)
        self._database = database
        self._executor: ThreadPoolExecutor | None = None
        self._muted: frozenset[str] = frozenset()
        self._unwanted, self._aside = database.once, database.forms_within(database.once)

    def literal(self, key: str) -> bytes:
        """The bytes that every match of ``key`` contains."""
        return self._database.literals[key]

    def find(
        self,
        text: bytes | bytearray,
        start: int,
        end: int,
        muted: AbstractSet[str],
        *,
        limited: bool = True,
        counter: LineCounter | None = None,
    ) -> Found:
        """Everything that fires in ``text[start:end]``. Expressions of ``muted`` are left out; ``limited`` gives up at
        MANY candidates; ``counter`` counts along the way."""
        left_out, narrowed = self._narrowed
        database = narrowed if left_out <= muted else self._database
        members, keys = self._database.members, self._database.keys
        muted_ones, aside = self._set_aside(muted)
        most = MANY if limited else (end - start + 1) * len(keys)
        ends: list[tuple[int, int]] = []
        passed: list[int] = []
        view = memoryview(text)

        def scan(lane: int, low: int, high: int) -> tuple[int, bool]:
            feeds, is_ascii = 0, True
            for at, stop in parts(text, low, high, (high - low) // _CACHED + 1):
                database.scan(view[at:stop], _report(at, aside, ends, passed, most), lane)
                if counter is not None:
                    more, plain = counter.survey(text, at, stop, lane)
                    feeds, is_ascii = feeds + more, is_ascii and plain
                if len(ends) >= most:
                    break
            return feeds, is_ascii

        if self._lanes == 1 or end - start < PARALLEL_FROM:
            counted = [scan(0, start, end)]
        else:
            lanes = parts(text, start, end, self._lanes)
            waiting = [self._pool().submit(scan, lane, *part) for lane, part in enumerate(lanes)]
            counted = [lane.result() for lane in waiting]
        too_many = len(ends) >= most
        if too_many:
            ends.clear()
        ends.sort()
        self._narrow(len(passed))
        return Found(
            tuple(
                Candidate(index, keys[index], at)
                for at, form in ends
                for index in members[form]
                if index not in muted_ones
            ),
            any(keys[index] in _NORMALIZE for form in set(passed) for index in members[form]),
            too_many,
            None if counter is None or too_many else sum(feeds for feeds, _ in counted),
            all(is_ascii for _, is_ascii in counted),
        )

    def _set_aside(self, muted: AbstractSet[str]) -> tuple[frozenset[int], frozenset[int]]:
        """(expressions that are not wanted, forms of which none is): of these it is only noted that they occur."""
        if self._muted != muted:
            self._muted = frozenset(muted)
            self._unwanted = frozenset(self._database.index[key] for key in muted) | self._database.once
            self._aside = self._database.forms_within(self._unwanted)
        return self._unwanted, self._aside

    def _narrow(self, vain: int) -> None:
        """``vain`` times the automaton told of what is not wanted: once that cost more than another automaton does, there is one
        that does not look for it."""
        self._vain += vain
        if self._narrows and self._vain >= WORTH_NARROWING and self._muted:
            self._vain = 0
            expressions = frozenset(self._database.index[key] for key in self._muted)
            self._narrowed = (self._muted, self._database.narrowed(expressions))

    def _pool(self) -> ThreadPoolExecutor:
        if self._executor is None:
            # Imported here: small inputs never need it.
            from concurrent.futures import ThreadPoolExecutor

            self._executor = ThreadPoolExecutor(self._lanes, thread_name_prefix="scan")
        return self._executor


def _report(low: int, aside: Collection[int], ends: list[tuple[int, int]], passed: list[int], most: int) -> Report:
    """What is called for every match in the part of a text that begins at ``low``."""
    append, note = ends.append, passed.append

    def report(index: int, _from: int, to: int, _flags: int, _context: object) -> bool:
        if index in aside:
            note(index)
        else:
            append((low + to, index))
        return len(ends) >= most  # true ends the scan

    return report


def parts(text: bytes | bytearray, start: int, end: int, count: int) -> list[tuple[int, int]]:
    """``start:end`` in at most ``count`` parts of about one size, cut behind line feeds."""
    found: list[tuple[int, int]] = []
    size = (end - start) // count
    while start < end:
        stop = end if len(found) == count - 1 else text.find(b"\n", start + size, end) + 1 or end
        found.append((start, stop))
        start = stop
    return found
