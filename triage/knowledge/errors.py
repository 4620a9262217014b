"""What can be wrong in a rule pack, always with the place: ``path:line:col: message``."""

from __future__ import annotations

from triage.model import Location
from triage.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at one place."""

    location: Location
    message: str

    def __str__(self) -> str:
        return f"{self.location}: {self.message}"


class KnowledgeError(ValueError):
    """The first problem of a pack, raised at run time; lint collects them all instead."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(slots=True)
class Problems:
    """Where decoders report. ``collect=False`` raises the first problem, ``True`` keeps them all."""

    collect: bool = False
    found: list[Problem] = field(default_factory=list)

    def add(self, location: Location, message: str) -> None:
        """Note a problem.

        Raises:
            KnowledgeError: at once, unless problems are being collected.
        """
        problem = Problem(location, message)
        if not self.collect:
            raise KnowledgeError(problem)
        self.found.append(problem)


def did_you_mean(wrong: str, known: list[str]) -> str:
    """A ``; did you mean 'x'?`` hint when a known name is nearly ``wrong``, else an empty string."""
    # rapidfuzz costs 10 ms to import and is only needed once something is wrong.
    from rapidfuzz import process

    best = process.extractOne(wrong, known, score_cutoff=70)
    return f"; did you mean '{best[0]}'?" if best else ""
