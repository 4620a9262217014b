"""Who failed first: the rank and the node on which a cause began, and those that only waited for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triage.reasoning.candidate import Candidate

_NAMED = 4


def onset_notes(item: Candidate, followers: Sequence[Candidate], jobs: Sequence[Sequence[str]]) -> Iterator[str]:
    """What to say of where ``item`` began. ``followers``: the candidates that it accounts for; ``jobs``: the sources of
    each job over several nodes."""
    first = item.onset.place
    own = {hit.place.rank for hit in item.hits}
    ranks = {hit.place.rank for other in followers for hit in other.hits if hit.place.rank} - own
    # torch's own names (rank3) only where the server names none: both mean the same processes.
    waiting = {rank for rank in ranks if not rank.startswith("rank")} or ranks
    if first.rank and waiting:
        yield f"began on {first.rank}; {_names(sorted(waiting))} followed"
    members = next((job for job in jobs if first.source in job), ())
    own_sources = {hit.place.source for hit in item.hits} & set(members)
    if len(own_sources) == 1 and len(members) > 1:
        others = len(members) - 1
        yield f"only in {first.source} of {len(members)} nodes; the other{'s show' if others > 1 else ' shows'} no such line"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
