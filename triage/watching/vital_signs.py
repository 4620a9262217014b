"""What the batch lines of one source say of the present: requests, memory, and throughput over the last half minute. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from triage.matching.batch_lines import BatchSample
from triage.records import dataclass
from triage.watching.live_state import WINDOW_S

_FRESH_S = 60.0
"""What a rank said longer ago is no longer shown."""
_HELD_S = 10.0
"""A rank's throughput is taken to last this long: decode lines come every 40 steps, seconds apart on slow machines."""
_MOST_LANES = 512

Lane = tuple[str, str]


@dataclass(slots=True)
class _Told:
    """The last word of a rank, when it came, and its last throughput of generated tokens."""

    sample: BatchSample
    at: float
    throughput: float | None = None
    generated_at: float = 0.0


class VitalSigns:
    """Newest samples by rank. Times are seconds of the caller's clock."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, _Told] = {}
        self._seconds: deque[float] = deque([0.0] * WINDOW_S, WINDOW_S)
        self._second: int | None = None

    def take(self, samples: Sequence[BatchSample], now: float) -> None:
        """What came in this turn."""
        self._advance(now)
        for sample in samples:
            name = (sample.node or "", sample.rank or "")
            told = self._lanes.get(name)
            if told is None:
                if len(self._lanes) >= _MOST_LANES:
                    continue
                told = self._lanes[name] = _Told(sample, now)
            told.sample, told.at = sample, now
            if sample.kind == "decode":
                told.throughput, told.generated_at = sample.throughput, now
        self._advance(now)

    def forget(self) -> None:
        """The server was started again."""
        self._lanes.clear()

    def running(self, now: float) -> int | None:
        """Requests at work, those of a prefill too."""
        fresh = [item for item in self._fresh(now) if item.running is not None]
        return sum((item.running or 0) + (item.new_requests or 0) for item in fresh) if fresh else None

    def queued(self, now: float) -> int | None:
        """Requests that wait, those in the queues of a disaggregated server too."""
        fresh = [item for item in self._fresh(now) if item.queued is not None]
        return sum((item.queued or 0) + (item.elsewhere or 0) for item in fresh) if fresh else None

    def token_usage(self, now: float) -> float | None:
        """Of the fullest pool of any rank, 0 to 1."""
        return max((item.token_usage for item in self._fresh(now) if item.token_usage is not None), default=None)

    def throughput(self, now: float) -> float | None:
        """Tokens generated a second by all ranks; None while nobody tells."""
        told = [lane.throughput for lane in self._lanes.values() if now - lane.generated_at <= _HELD_S]
        known = [value for value in told if value is not None]
        return sum(known) if known else None

    def series(self, now: float) -> tuple[float, ...]:
        """Throughput of each of the last `WINDOW_S` seconds, the newest last."""
        self._advance(now)
        return tuple(self._seconds)

    def _fresh(self, now: float) -> list[BatchSample]:
        return [told.sample for told in self._lanes.values() if now - told.at <= _FRESH_S]

    def _advance(self, now: float) -> None:
        """Begin as many seconds as have passed; the present one holds what is told now."""
        second = int(now)
        begun = WINDOW_S if self._second is None else min(second - self._second, WINDOW_S)
        for back in range(begun - 1, -1, -1):
            # A second without a line of its own is as the last line said, while that can still hold.
            self._seconds.append((self.throughput(now - back) or 0.0) if self._second is not None else 0.0)
        self._second = second
        self._seconds[-1] = self.throughput(now) or 0.0
