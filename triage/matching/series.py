"""Hits of one expression in one source: counted without end, kept in a handful."""

from __future__ import annotations

from triage.model import Context, Hit, Place
from triage.records import dataclass, field, replace

KEPT_HITS = 48
KEPT_RANKS = 256
STORM = 5000
"""Hits looked at one by one after which an expression's lines are only counted, by its literal: what a storm is stopped
by whose lines differ by more than numbers."""

_TRUSTED = (Context.NORMAL, Context.SUSPECT)


@dataclass(slots=True)
class Series:
    """First hits, the first of every rank, the last place and the count. ``dumped``: hits inside text a client wrote."""

    count: int = 0
    exact: bool = True
    dumped: int = 0
    looked_at: int = 0
    hits: list[Hit] = field(default_factory=list)
    last: Place | None = None
    _ranks: set[str | None] = field(default_factory=set)

    def twin(self) -> Series:
        """Another one with the same hits, which counts by itself."""
        return replace(self, hits=list(self.hits), _ranks=set(self._ranks))

    @property
    def storming(self) -> bool:
        """True once lines are only counted."""
        return self.looked_at >= STORM

    def add(self, hit: Hit) -> None:
        """Count one more hit and keep it if it is among the first, or the first of its rank."""
        self.looked_at += 1
        if hit.context not in _TRUSTED:
            self.dumped += 1
            return
        self.count += 1
        self._note_last(hit.place)
        new_rank = hit.place.rank not in self._ranks and len(self._ranks) < KEPT_RANKS
        if len(self.hits) < KEPT_HITS or new_rank:
            self.hits.append(hit)
            self._ranks.add(hit.place.rank)

    def add_uncounted(self, lines: int, last: Place | None) -> None:
        """Add lines that were counted without a look at each, so that the count is no longer exact; None: where the last one
        stands is told later."""
        self.count += lines
        self.exact = False
        if last is not None:
            self._note_last(last)

    def _note_last(self, place: Place) -> None:
        """Lines that are only counted are told of before those among them that are looked at, and without their places first."""
        if self.last is None or self.last.line <= place.line:
            self.last = place
