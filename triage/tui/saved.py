"""A session that is gone on with from its file: nothing is scanned again; its logs are shown where they are still there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

from triage.reading.line_index import open_lines
from triage.session.errand import Errand
from triage.session.session import Session
from triage.tui.log_file import LogFile
from triage.tui.news import Failed, News, Opened, Restored, Trouble


class SavedLoading:
    """Stands where ``Loading`` would: ``load`` reads the file, in a thread."""

    is_live = False

    def __init__(self, load: Callable[[], Session]) -> None:
        self._load = load
        self._news: SimpleQueue[News] = SimpleQueue()
        self._errand: Errand[None] | None = None

    def start(self) -> None:
        """Begin to read."""
        self._errand = Errand(self._run)

    def go_on(self) -> None:
        """Reading is short: it waits for no paint."""

    def news(self) -> Iterator[News]:
        """What came since the last call; never waits."""
        while True:
            try:
                yield self._news.get_nowait()
            except Empty:
                return

    def close(self) -> None:
        """Nothing is to be ended."""

    def _run(self) -> None:
        try:
            session = self._load()
        except Exception as error:  # noqa: BLE001  (told to the screen, which ends with it)
            self._news.put(Failed(error))
            return
        self._news.put(Restored(session))
        for item in () if session.is_frozen else session.state.observation.inputs:
            # What was read from a pipe or a packed file is not there as it was.
            path = Path(item.path)
            if not path.is_file() or path.stat().st_size < item.bytes:
                self._news.put(Trouble(f"{item.path} is not there as it was read: its lines cannot be shown"))
                continue
            index = open_lines(item.path)
            if index is not None:
                self._news.put(Opened(LogFile(item.path, index)))
