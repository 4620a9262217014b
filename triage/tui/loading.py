"""Reading inputs beside the screen: a thread of its own, and a queue of what it has to tell."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from queue import Empty, SimpleQueue
from typing import TypeAlias

from triage.engine import Interrupted, scan_inputs
from triage.knowledge.compiled import Knowledge
from triage.model import Report
from triage.reading.inputs import open_inputs
from triage.reading.line_index import open_lines
from triage.reading.live import Chunk, Item, LiveSource
from triage.reading.live_merge import Merger
from triage.reading.source import ReadError, Source
from triage.reading.spool import Spool, SpooledSource
from triage.records import dataclass
from triage.tui.log_file import LogFile
from triage.watching.live_scan import LiveScan
from triage.watching.live_state import LiveState
from triage.watching.session import Watch

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Opened:
    """An input whose lines can be looked at from now on."""

    file: LogFile


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an input was read; ``size`` in bytes is None where nobody knows it."""

    label: str
    read: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Reported:
    """What is known by now, and by what knowledge. ``is_final``: nothing more comes."""

    report: Report
    knowledge: Knowledge
    without: frozenset[str]
    is_final: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that could not be read, in one line; the rest is read on."""

    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Reading ended by an error: nothing more comes."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Live:
    """How watched servers stand."""

    state: LiveState


News: TypeAlias = Opened | Progress | Live | Reported | Trouble | Failed


class Loading:
    """Reads ``paths`` to their end, or ``live`` sources (by label) as long as they last.

    ``prepare`` gives the knowledge and the signatures to leave out; it is called in the thread, for compiling them takes
    seconds after a change. Lines are shown before that.
    """

    def __init__(
        self,
        paths: Iterable[str],
        prepare: Callable[[], tuple[Knowledge, frozenset[str]]],
        *,
        live: Callable[[], Mapping[str, LiveSource]] | None = None,
    ) -> None:
        self._paths, self._prepare, self._live = [*paths], prepare, live
        self._without: frozenset[str] = frozenset()
        self.is_live = live is not None
        self._news: SimpleQueue[News] = SimpleQueue()
        self._stop = threading.Event()
        self._last: Report | None = None
        self._shown: set[str] = set()
        # A daemon: a read that hangs in the kernel must not keep us from ending.
        self._thread = threading.Thread(target=self._run, name="loading", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

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
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _run(self) -> None:
        try:
            if self._live is None:
                self._scan()
            else:
                self._watch(self._live())
        except Exception as error:  # noqa: BLE001  (told to the screen, which ends with it)
            self._news.put(Failed(error))

    def _scan(self) -> None:
        self._show_first()
        knowledge, self._without = self._prepare()
        sizes: dict[str, int | None] = {}

        def opened() -> Iterator[Source | ReadError]:
            for item in open_inputs(self._paths, stdin=sys.stdin.buffer if sys.stdin is not None else None):
                if isinstance(item, ReadError):
                    self._news.put(Trouble(str(item)))
                    yield item
                    continue
                sizes[item.label] = item.size
                yield self._lines_of(item)

        def read(label: str, count: int) -> None:
            if self._stop.is_set():
                raise Interrupted
            self._news.put(Progress(label, count, sizes.get(label)))

        result = scan_inputs(opened(), knowledge, without=self._without, on_bytes=read)
        if not self._stop.is_set():
            self._news.put(Reported(result.report, knowledge, self._without, is_final=True))

    def _show_first(self) -> None:
        """The first file that was named is seen before anything is compiled or scanned."""
        for path in self._paths[:1]:
            self._show(path)

    def _show(self, path: str) -> bool:
        """Tell of the lines of a plain file; False if it is none."""
        index = open_lines(path)
        if index is not None:
            self._shown.add(path)
            self._news.put(Opened(LogFile(path, index)))
        return index is not None

    def _lines_of(self, source: Source) -> Source:
        """The source; its lines are those on the disk, or kept in a spool as they are read."""
        if source.label in self._shown or self._show(source.label):
            return source
        spool = Spool()
        self._news.put(Opened(LogFile(source.label, spool.lines(), spool)))
        return SpooledSource(source, spool)

    def _watch(self, sources: Mapping[str, LiveSource]) -> None:
        spools = {label: Spool() for label in sources}
        for label, spool in spools.items():
            self._news.put(Opened(LogFile(label, spool.lines(), spool)))
        knowledge, self._without = self._prepare()
        merger = Merger(sources)
        watch = Watch(
            LiveScan(knowledge, self._without),
            _Kept(merger, spools),
            clock=time.monotonic,
            until="exit",
            stop=self._stop.is_set,
            on_tick=lambda state: self._told(state, knowledge),
        )
        try:
            for event in watch.events():
                if event.kind.value == "note":
                    self._news.put(Trouble(f"{event.id}: {event.text}"))
        finally:
            merger.close()
        if watch.ended is not None and not self._stop.is_set():
            self._news.put(Reported(watch.ended.report, knowledge, self._without, is_final=True))

    def _told(self, state: LiveState, knowledge: Knowledge) -> None:
        """A report that is not the last one that was told."""
        if state.report is not None and state.report is not self._last:
            self._last = state.report
            self._news.put(Reported(state.report, knowledge, self._without, is_final=False))
        self._news.put(Live(state))


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
