"""The times that lines of one form print, in their order: which of them show that the clock behind them went back."""

from __future__ import annotations

from collections.abc import Callable

from triage.model import ClockStep
from triage.records import dataclass, field, replace

STEP_S = 60.0
"""Ranks and processes of one machine print some seconds out of order; a clock that is set goes back by more."""
_BACK_AGAIN_S = 600.0
_SAME_SIZE = 0.8
_MOST_RETURNS = 1
_PASSED_OVER_S = 3600.0
"""A settled clock's lines may be passed over while they go on by less than this."""
_BELIEVED = 2
"""So many further lines have to go on from the earlier time: a single one may be quoted, late or written by a client."""
_MOST_STEPS = 1000


@dataclass(slots=True)
class ClockLane:
    """The times of lines of one form, which tell one clock. Each step with the time that it fell from."""

    node: str | None
    last: float
    steps: list[tuple[ClockStep, float]] = field(default_factory=list)
    believed: int = 0
    followers: int = 0
    returns: int = 0

    @property
    def is_mixed(self) -> bool:
        """Two clocks take turns in it, such as those of two machines: nothing went back."""
        return self.returns > _MOST_RETURNS

    @property
    def is_open(self) -> bool:
        """Its last step is not believed yet."""
        return self.believed < len(self.steps)

    @property
    def is_settled(self) -> bool:
        """No step is open, and lines that go on from here a little cannot undo the last one: their time has passed the one
        that it fell from, or is too far from it."""
        if self.is_open or not self.steps:
            return not self.is_open
        step, top = self.steps[-1]
        return self.last > top + _BACK_AGAIN_S or _SAME_SIZE * step.seconds > _PASSED_OVER_S

    def twin(self) -> ClockLane:
        """Another one that knows the same, and goes on by itself."""
        return replace(self, steps=list(self.steps))

    def take(self, seconds: float, number: Callable[[], int]) -> None:
        """The time of a further line; ``number`` counts which one it is, where that is wanted."""
        if self.is_mixed:
            return
        before, self.last = self.last, seconds
        if seconds < before - STEP_S:
            if len(self.steps) < _MOST_STEPS:
                self.steps.append((ClockStep(number(), before - seconds, self.node), before))
                self.followers = 0
        elif self.steps and self._is_back(seconds, seconds - before):
            self.steps.pop()
            self.returns += 1
            if self.is_mixed:
                self.steps.clear()
            self.believed = min(self.believed, len(self.steps))
        elif self.is_open:
            self.followers += 1
            if self.followers >= _BELIEVED:
                self.believed = len(self.steps)

    def _is_back(self, seconds: float, jump: float) -> bool:
        """Does a line go on where the last step fell from, by a jump of about its size?"""
        step, top = self.steps[-1]
        return jump >= _SAME_SIZE * step.seconds and -STEP_S <= seconds - top <= _BACK_AGAIN_S

    def found(self) -> list[ClockStep]:
        """The steps that are believed."""
        return [step for step, _ in self.steps[: self.believed]]
