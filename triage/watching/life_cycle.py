"""The life of one watched server: its stages in order, how long each lasted, and whether the present one lasts too long. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from triage.matching.record import PhaseChange
from triage.model import Phase
from triage.records import dataclass
from triage.watching.events import Event, EventKind


class Stage(str, Enum):
    """A phase as an operator sees it; named like its `Phase` where there is one."""

    INSTALL = "install"
    LAUNCH = "launch"
    WEIGHTS = "weights"
    MEMORY_POOL = "memory-pool"
    GRAPH_CAPTURE = "graph-capture"
    WARMUP = "warmup"
    READY = "ready"
    SERVING = "serving"
    DRAINING = "draining"
    DEAD = "dead"
    ENDED = "ended"

    @property
    def phase(self) -> Phase:
        """The phase that the stage is a part of."""
        if self is Stage.READY:
            return Phase.SERVING
        return Phase.SHUTDOWN if self in (Stage.DRAINING, Stage.DEAD, Stage.ENDED) else Phase(self.value)

    @property
    def is_up(self) -> bool:
        """Requests are taken."""
        return self in (Stage.READY, Stage.SERVING)


_STAGES: dict[Phase, Stage] = {Phase(stage.value): stage for stage in tuple(Stage)[:6]}
_STAGES |= {Phase.SERVING: Stage.READY, Phase.SHUTDOWN: Stage.DRAINING}


@dataclass(frozen=True, slots=True)
class Bound:
    """``seconds`` that a stage may last on a machine where nothing is wrong; ``reason``: what takes them; ``advice``: what
    shows why it takes longer."""

    seconds: float
    reason: str
    advice: str


_STACKS = "py-spy dump --pid PID of each sglang::scheduler process (the stacks show what it waits for)"
BOUNDS: dict[Stage, Bound] = {
    Stage.INSTALL: Bound(
        900, "gigabytes of wheels come over the network, and some packages are compiled", "pip's last line, and the disk's free space: df -h"
    ),
    Stage.LAUNCH: Bound(
        300, "imports from a cold network disk, and ranks that wait for each other to join the process group",
        "are all nodes started and can they reach the dist-init address? Then " + _STACKS,
    ),
    Stage.WEIGHTS: Bound(
        1800, "700 GB of weights at 0.4 GB/s, as a shared network disk gives them",
        "iostat -x 5 and the network's counters (are weights still read?), then " + _STACKS,
    ),
    Stage.MEMORY_POOL: Bound(
        600, "pinning some hundred GB of host memory for a hierarchical cache takes minutes", "free -g, and " + _STACKS
    ),
    Stage.GRAPH_CAPTURE: Bound(
        1800, "a first start compiles kernels for each batch size: DeepGEMM alone takes 10 to 20 minutes",
        "is a compiler at work (top: nvcc, ptxas, ninja)? If not, " + _STACKS,
    ),
    Stage.WARMUP: Bound(
        600, "the server itself gives its warm-up request 600 seconds", "nvidia-smi (are the GPUs busy?), and " + _STACKS
    ),
    Stage.DRAINING: Bound(
        300, "long answers are finished before the server stops; an orchestrator kills it after 30 seconds or so",
        "how many requests are left, by the server's own lines; kill -KILL if they do not matter",
    ),
}  # fmt: skip
"""Upper bounds of what is usual: wide, because a wrong alarm costs more than a late one. Ready and serving have none."""


class LifeCycle:
    """The stages of the server behind one source, from its phase lines. Times are seconds of the caller's clock; where two
    lines print their times, the stage between them lasted as long as they say."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._read = 0
        self._leader: tuple[str | None, str | None] | None = None
        self._printed: float | None = None
        self._told_slow = False
        self.stage: Stage | None = None
        self.since = 0.0

    def take(self, changes: Sequence[PhaseChange], now: float) -> Iterator[Event]:
        """The events of what is new in ``changes``, a list that grows at its end."""
        for index in range(self._read, len(changes)):
            self._read = index + 1
            change = changes[index]
            if change.name == "launch":
                self._leader, self.since = None, now
            if self._counts(change):
                yield from self._enter(_STAGES[change.phase], now, change.place.seconds)

    def work(self, now: float, *, generated: bool) -> Iterator[Event]:
        """A batch line came; ``generated``: one of a decode batch, which a warm-up request is too short to make."""
        if self.stage is Stage.READY or (generated and self.stage in (None, Stage.WARMUP)):
            yield from self._enter(Stage.SERVING, now, None)

    def end(self, now: float, *, failed: bool) -> Iterator[Event]:
        """Nothing more comes. ``failed``: of what it ended is known. Without that, and if nobody asked it to stop, the server
        may well go on and only its log has ended."""
        if self.stage is not None:
            yield from self._enter(Stage.DEAD if failed or self.stage is Stage.DRAINING else Stage.ENDED, now, None)

    def check(self, now: float) -> Iterator[Event]:
        """Once a stage: it lasts longer than is usual."""
        bound = BOUNDS.get(self.stage) if self.stage is not None else None
        if self.stage is None or bound is None or self._told_slow or now - self.since <= bound.seconds:
            return
        self._told_slow = True
        yield Event(
            EventKind.SLOW_PHASE, id=self._label, state=self.stage.value, seconds=now - self.since, usual=bound.seconds,
            text=f"at most {bound.seconds:.0f} s are usual: {bound.reason}", advice=bound.advice,
        )  # fmt: skip

    def _counts(self, change: PhaseChange) -> bool:
        """The stages of one rank and of the lines without a rank: the ranks take their steps not quite together."""
        if change.place.rank is None:
            return True
        lane = (change.place.node, change.place.rank)
        self._leader = self._leader or lane
        return lane == self._leader

    def _enter(self, stage: Stage, now: float, printed: float | None) -> Iterator[Event]:
        if stage is self.stage:
            return
        lasted = None
        if self.stage is not None:
            lasted = now - self.since
            if printed is not None and self._printed is not None and printed >= self._printed:
                lasted = printed - self._printed
        self.stage, self.since, self._printed, self._told_slow = stage, now, printed, False
        bound = BOUNDS.get(stage)
        usual = bound.seconds if bound is not None else None
        yield Event(EventKind.PHASE, id=self._label, state=stage.value, seconds=lasted, usual=usual)
