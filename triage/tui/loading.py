"""Reading inputs beside the screen: a thread of its own, and a queue of what it has to tell."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

from triage.reading.line_index import open_lines
from triage.tui.log_file import LogFile
from triage.tui.news import Failed, News, Opened

if TYPE_CHECKING:
    from triage.knowledge.compiled import Knowledge
    from triage.reading.live import LiveSource

    Prepare: TypeAlias = Callable[[], tuple[Knowledge, frozenset[str]]]

_PAINT_S = 1.0
"""What is long waits for the first paint, but not for a terminal that hangs."""


class Loading:
    """Reads ``paths`` to their end, or ``live`` sources (by label) as long as they last.

    ``prepare`` gives the knowledge and the signatures to leave out; it is called in the thread, for compiling them takes
    seconds after a change. Lines are shown before that.
    """

    def __init__(
        self, paths: Iterable[str], prepare: Prepare, *, live: Callable[[], Mapping[str, LiveSource]] | None = None
    ) -> None:
        self._paths, self._prepare, self._live = [*paths], prepare, live
        self.is_live = live is not None
        self._news: SimpleQueue[News] = SimpleQueue()
        self._stop, self._painted = threading.Event(), threading.Event()
        # A daemon: a read that hangs in the kernel must not keep us from ending.
        self._thread = threading.Thread(target=self._run, name="loading", daemon=True)

    def start(self) -> None:
        """Open the first file; what takes longer waits for `go_on`."""
        self._thread.start()

    def go_on(self) -> None:
        """The first screen was drawn: compile and read, with all the processor that there is."""
        self._painted.set()

    def news(self) -> Iterator[News]:
        """What came since the last call; never waits."""
        while True:
            try:
                yield self._news.get_nowait()
            except Empty:
                return

    def close(self) -> None:
        """End the reading between two blocks."""
        self._stop.set()
        self._painted.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _run(self) -> None:
        try:
            shown = self._show_first() if self._live is None else set()
            self._painted.wait(_PAINT_S)
            if self._stop.is_set():
                return
            # Late: what they import takes as long as a third of the way to the first paint.
            if self._live is None:
                from triage.tui.file_reading import read_files

                read_files(self._paths, shown, self._prepare, self._news.put, self._stop.is_set)
            else:
                from triage.tui.live_reading import read_live

                read_live(self._live(), self._prepare, self._news.put, self._stop.is_set)
        except Exception as error:  # noqa: BLE001  (told to the screen, which ends with it)
            self._news.put(Failed(error))

    def _show_first(self) -> set[str]:
        """The first file that was named is seen before anything is compiled or scanned; the label of what is shown."""
        for path in self._paths[:1]:
            index = open_lines(path)
            if index is not None:
                self._news.put(Opened(LogFile(path, index)))
                return {path}
        return set()
