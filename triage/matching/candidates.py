"""Where the automaton fires in a block: candidates for confirmation, storms set aside."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triage.knowledge.database import PatternDatabase

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

SUB_BLOCK = 128 << 10
_NORMALIZE = frozenset({"@ansi", "@cri-partial", "@docker-json"})
LANES = max(1, min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1))
MANY = 20_000
"""Candidates in one block from which on it is taken in parts of SUB_BLOCK: a storm is beginning."""
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
    """Candidates by rising end; whether the block holds colour codes or a runtime's cut or quoted records; and whether
    there were so many that the block is better taken in small parts (the candidates are then not all there)."""

    candidates: tuple[Candidate, ...]
    needs_normalizing: bool
    too_many: bool = False


class CandidateFinder:
    """Runs the database over blocks."""

    __slots__ = ("_database", "_executor", "_index", "_keys", "_literals", "_once")

    def __init__(self, database: PatternDatabase) -> None:
        self._database = database
        self._keys = [item.key for item in database.expressions]
        self._index = {item.key: number for number, item in enumerate(database.expressions)}
        self._literals = {item.key: item.literal.encode() for item in database.expressions}
        self._executor: ThreadPoolExecutor | None = None
        self._once = frozenset(number for number, item in enumerate(database.expressions) if item.once)

    def literal(self, key: str) -> bytes:
        """The bytes by which a storm of ``key`` is counted; empty if it has none."""
        return self._literals[key]

    def find(self, text: bytes | bytearray, start: int, end: int, muted: Collection[str]) -> Found:
        """Everything that fires in ``text[start:end]``. Expressions of ``muted`` are left out."""
        quiet = {self._index[key] for key in muted}
        ends: list[tuple[int, int]] = []
        fired: set[int] = set()
        view = memoryview(text)
        most = MANY if end - start > SUB_BLOCK else end * len(self._keys)
        if quiet and end - start > SUB_BLOCK:
            self._find_around_storms(text, view, start, end, quiet, ends, fired, most)
        else:
            self._find_all(text, view, start, end, quiet, ends, fired, most)
        too_many = len(ends) >= most
        if too_many:
            ends.clear()
        ends.sort()
        keys = self._keys
        return Found(
            tuple(Candidate(index, keys[index], at) for at, index in ends),
            any(keys[index] in _NORMALIZE for index in fired),
            too_many,
        )

    def _find_all(
        self,
        text: bytes | bytearray,
        view: memoryview,
        start: int,
        end: int,
        quiet: set[int],
        ends: list[tuple[int, int]],
        fired: set[int],
        most: int,
    ) -> None:
        aside = quiet | self._once
        append, note = ends.append, fired.add

        def scan(lane: int, low: int, high: int) -> None:
            def report(index: int, _from: int, to: int, _flags: int, _context: object) -> bool:
                if index in aside:
                    note(index)
                else:
                    append((low + to, index))
                return len(ends) >= most  # true ends the scan

            self._database.scan(view[low:high], report, lane)

        if LANES == 1 or end - start < PARALLEL_FROM:
            scan(0, start, end)
            return
        lanes = parts(text, start, end, LANES)
        for waiting in [self._pool().submit(scan, lane, *part) for lane, part in enumerate(lanes)]:
            waiting.result()

    def _pool(self) -> ThreadPoolExecutor:
        if self._executor is None:
            # Imported here: small inputs never need it.
            from concurrent.futures import ThreadPoolExecutor

            self._executor = ThreadPoolExecutor(LANES, thread_name_prefix="scan")
        return self._executor

    def _find_around_storms(
        self,
        text: bytes | bytearray,
        view: memoryview,
        start: int,
        end: int,
        quiet: set[int],
        ends: list[tuple[int, int]],
        fired: set[int],
        most: int,
    ) -> None:
        """With a storm going on, a block is first asked what occurs in it at all; only where something new does is it
        scanned again for every match."""
        aside = quiet | self._once
        position = start
        while position < end:
            stop = text.find(b"\n", min(position + SUB_BLOCK, end) - 1, end) + 1 or end
            here: set[int] = set()

            def report(index: int, _from: int, _to: int, _flags: int, _context: object, note: set[int] = here) -> None:
                note.add(index)

            self._database.scan_once(view[position:stop], report)
            fired |= here & aside
            if here - aside and len(ends) < most:
                self._find_all(text, view, position, stop, quiet, ends, fired, most)
            position = stop


def parts(text: bytes | bytearray, start: int, end: int, count: int) -> list[tuple[int, int]]:
    """``start:end`` in at most ``count`` parts of about one size, cut behind line feeds."""
    found: list[tuple[int, int]] = []
    size = (end - start) // count
    while start < end:
        stop = end if len(found) == count - 1 else text.find(b"\n", start + size, end) + 1 or end
        found.append((start, stop))
        start = stop
    return found
