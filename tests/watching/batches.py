"""What the tests of watched servers share: batch lines, phases, and sources and clocks that are moved by hand."""

from __future__ import annotations

from collections.abc import Iterator

from triage.matching.batch_lines import BatchSample
from triage.matching.record import PhaseChange
from triage.model import Phase, Place
from triage.reading.live import Chunk, Item, Note
from triage.watching.events import Event

PHASES = {
    "launch": Phase.LAUNCH, "weights-begin": Phase.WEIGHTS, "weights-end": Phase.MEMORY_POOL,
    "pool-end": Phase.GRAPH_CAPTURE, "capture-begin": Phase.GRAPH_CAPTURE, "capture-end": Phase.WARMUP,
    "ready": Phase.SERVING, "shutdown": Phase.SHUTDOWN,
}  # fmt: skip
START = 1_790_000_000.0
LAUNCH_LINE = "[2026-09-21 14:00:00] server_args=ServerArgs(model_path='m')\n"
READY_LINE = "[2026-09-21 14:01:00] The server is fired up and ready to roll!\n"


def decode(
    seconds: float | None = None,
    *,
    rank: str | None = None,
    running: int = 8,
    queued: int = 0,
    throughput: float = 100.0,
) -> BatchSample:
    """A decode batch, at ``seconds`` after START."""
    printed = None if seconds is None else START + seconds
    return BatchSample(
        "decode", rank, seconds=printed, running=running, queued=queued, token_usage=0.25, throughput=throughput
    )


def decode_line(seconds: int, *, running: int = 8, queued: int = 0, rank: str = "") -> str:
    """The same as SGLang prints it, with its line feed; ``seconds`` within a day that begins at 14:00."""
    clock = f"{14 + seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return (
        f"[2026-09-21 {clock}{rank and ' ' + rank}] Decode batch, #running-req: {running}, #token: 900, token usage: 0.25, "
        f"cuda graph: True, gen throughput (token/s): 100.00, #queue-req: {queued}\n"
    )


def change(name: str, *, rank: str | None = None, seconds: float | None = None, line: int = 1) -> PhaseChange:
    """A phase line, printed at ``seconds`` after START."""
    printed = None if seconds is None else START + seconds
    return PhaseChange(name, PHASES[name], Place("log", line, 0, seconds=printed, rank=rank))


def kinds(events: Iterator[Event]) -> list[str]:
    """The kinds of the events, in order."""
    return [event.kind.value for event in events]


class Script:
    """Sources that give what the script says and move the clock: (seconds to wait before, label, bytes or note; None for
    nothing). Waiting takes the time it is allowed."""

    def __init__(self, steps: list[tuple[float, str, bytes | Note | None]], *, ends: bool = True) -> None:
        self.now = 1000.0
        self._steps, self._ends = steps, ends
        self._due = self.now + (steps[0][0] if steps else 0.0)
        self._offsets: dict[str, int] = {}

    def clock(self) -> float:
        """Monotonic seconds."""
        return self.now

    @property
    def ended(self) -> bool:
        """All was given."""
        return not self._steps and self._ends

    @property
    def is_stopped(self) -> bool:
        """An operator who waited a while and then ends it; only where the sources do not end by themselves."""
        return not self._steps and not self._ends and self.now > self._due + 5.0

    def wait(self, timeout_s: float) -> bool:
        """Until the next step, at most."""
        self.now = min(self.now + timeout_s, max(self._due, self.now)) if self._steps else self.now + timeout_s
        return bool(self._steps) and self.now >= self._due

    def poll(self) -> list[tuple[str, Item]]:
        """The step that is due."""
        if not self._steps or self.now < self._due:
            return []
        _, label, what = self._steps.pop(0)
        self._due = self.now + (self._steps[0][0] if self._steps else 0.0)
        if what is None:
            return []
        if isinstance(what, Note):
            return [(label, what)]
        offset = self._offsets.get(label, 0)
        self._offsets[label] = offset + len(what)
        return [(label, Chunk(what, offset, 0))]
