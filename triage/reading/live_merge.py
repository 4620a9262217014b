"""Several live sources read in turn, each as far as the others."""

from __future__ import annotations

import select
import time
from collections import deque
from typing import TYPE_CHECKING

from triage.reading.live import Chunk, Item

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from triage.reading.live import LiveSource

_MOST = 1 << 20
_INTERVAL_S = 0.02


class Merger:
    """Hands out what ``sources`` (by label) give, in turn and up to ``most`` bytes of each a turn, so that a loud one does
    not silence the others. Sources without a descriptor are asked every ``interval_s`` seconds. Owns the sources."""

    def __init__(
        self,
        sources: Mapping[str, LiveSource],
        *,
        most: int = _MOST,
        interval_s: float = _INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = dict(sources)
        self._order = deque(self._sources)
        self._most, self._interval_s, self._clock = most, interval_s, clock
        self._waiting: list[tuple[str, Item]] = []
        self._unfinished: dict[str, float] = {}

    @property
    def ended(self) -> bool:
        """True once nothing can come any more and everything was handed out."""
        return not self._waiting and all(source.ended for source in self._sources.values())

    def poll(self) -> list[tuple[str, Item]]:
        """What came since the last call, with the labels; in order for each source. Never waits."""
        if not self._waiting:
            self._ask()
        items, self._waiting = self._waiting, []
        return items

    def wait(self, timeout_s: float) -> bool:
        """Wait until `poll` has something, at most this long; True if it has."""
        end = self._clock() + timeout_s
        while not self._waiting:
            self._ask()
            left = end - self._clock()
            if self._waiting or left <= 0 or self.ended:
                break
            self._sleep(left)
        return bool(self._waiting)

    def unfinished(self) -> dict[str, float]:
        """Sources whose last line has no line feed yet, and since when nothing was added to it (seconds of the clock)."""
        return dict(self._unfinished)

    def close(self) -> None:
        """Close all sources."""
        for source in self._sources.values():
            source.close()

    def _ask(self) -> None:
        now = self._clock()
        for label in self._order:
            for item in self._sources[label].poll(self._most):
                self._waiting.append((label, item))
                if isinstance(item, Chunk):
                    if item.data.endswith(b"\n"):
                        self._unfinished.pop(label, None)
                    else:
                        self._unfinished[label] = now
        # Each is asked first in its turn.
        self._order.rotate(-1)

    def _sleep(self, left_s: float) -> None:
        ready = select.poll()
        open_sources = [source for source in self._sources.values() if not source.ended]
        descriptors = [source.fileno() for source in open_sources]
        for fd in descriptors:
            if fd is not None:
                ready.register(fd, select.POLLIN)
        wait_s = left_s if descriptors and None not in descriptors else min(left_s, self._interval_s)
        ready.poll(max(1, round(wait_s * 1000)))
