"""Live sources watched as long as they last, with their lines kept for the screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from triage.reading.live import Chunk, Item, LiveSource
from triage.reading.live_merge import Merger
from triage.reading.spool import Spool
from triage.tui.log_file import LogFile
from triage.tui.news import Live, News, Opened, Reported, Trouble
from triage.watching.live_scan import LiveScan
from triage.watching.session import Watch

if TYPE_CHECKING:
    from triage.model import Report
    from triage.tui.loading import Prepare
    from triage.watching.live_state import LiveState

_POLL_S = 0.1


def read_live(
    sources: Mapping[str, LiveSource], prepare: Prepare, tell: Callable[[News], None], stop: Callable[[], bool]
) -> None:
    """Tell every new report until the sources end or ``stop`` says so.

    Raises:
        Whatever ``prepare`` raises.
    """
    spools = {label: Spool() for label in sources}
    for label, spool in spools.items():
        tell(Opened(LogFile(label, spool.lines(), spool)))
    knowledge, without = prepare()
    last: Report | None = None

    def tick(state: LiveState) -> None:
        nonlocal last
        if state.report is not None and state.report is not last:
            last = state.report
            tell(Reported(last, knowledge, without, is_final=False))
        tell(Live(state))

    merger = Merger(sources)
    kept = _Kept(merger, spools)
    watch = Watch(
        LiveScan(knowledge, without), kept, clock=time.monotonic, until="exit", stop=stop, on_tick=tick
    )  # fmt: skip
    try:
        for event in watch.events():
            if event.kind.value == "note":
                tell(Trouble(f"{event.id}: {event.text}"))
    finally:
        merger.close()
    if watch.ended is not None and not stop():
        tell(Reported(watch.ended.report, knowledge, without, is_final=True))


class _Kept:
    """Live sources whose bytes are kept, so that their lines can be looked at; offsets are those of the scan."""

    def __init__(self, merger: Merger, spools: Mapping[str, Spool]) -> None:
        self._merger, self._spools = merger, spools
        self._last: dict[str, tuple[int, bool]] = {}

    @property
    def ended(self) -> bool:
        """Nothing can come any more."""
        return self._merger.ended

    def wait(self, timeout_s: float) -> bool:
        """Wait until there is something, at most this long, and not for longer than a stop may take."""
        return self._merger.wait(min(timeout_s, _POLL_S))

    def poll(self) -> list[tuple[str, Item]]:
        """What came."""
        found = self._merger.poll()
        for label, item in found:
            generation, is_whole = self._last.get(label, (0, True))
            if isinstance(item, Chunk):
                # The scan ends an unfinished line where another file begins, and so does the view.
                if item.generation != generation and not is_whole:
                    self._spools[label].append(b"\n")
                self._spools[label].append(item.data)
                self._last[label] = (item.generation, item.data.endswith(b"\n"))
            elif item.loss and not is_whole:
                self._spools[label].append(b"\n")
                self._last[label] = (generation, True)
        return found
