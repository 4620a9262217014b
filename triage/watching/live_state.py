"""How the watched servers stand right now: what a status line, a metric or a screen shows."""

from __future__ import annotations

from triage.model import Diagnosis, Phase, Report
from triage.records import dataclass

WINDOW_S = 30
"""How many seconds of throughput a state carries."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source. None: not known, or not told lately.

    ``stage``: a value of `Stage`, finer than ``phase``; ``in_phase_s``: seconds since the stage began; ``lines``: line feeds so
    far; ``running`` and ``queued``: requests of all ranks; ``token_usage``: 0 to 1, of the fullest pool of any rank;
    ``throughput``: tokens generated a second by all ranks; ``is_stalled``: a stall was told and is not over.
    """

    label: str
    phase: Phase | None
    in_phase_s: float
    lines: int
    running: int | None
    queued: int | None
    token_usage: float | None
    throughput: float | None
    stage: str = ""
    is_stalled: bool = False


@dataclass(frozen=True, slots=True)
class LiveState:
    """All sources. ``lines_per_s``: of all of them, over the last seconds; ``throughput``: tokens a second summed over the
    sources for each of the last `WINDOW_S` seconds, the newest last; ``report``: the last one made, None before the
    first; ``over``: the ids of those of its diagnoses that restarts got over."""

    sources: tuple[SourceState, ...]
    lines_per_s: float
    throughput: tuple[float, ...]
    report: Report | None
    over: frozenset[str] = frozenset()

    @property
    def holding(self) -> tuple[Diagnosis, ...]:
        """The diagnoses that hold right now."""
        diagnoses = self.report.diagnoses if self.report is not None else ()
        return tuple(item for item in diagnoses if item.id not in self.over)
