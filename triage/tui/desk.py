"""Everything the screens look at, in one place: the session, the files, how far reading has come. Knows nothing of widgets."""

from __future__ import annotations

import time

from triage.model import Place, Report
from triage.reporting.outlet import Outlet
from triage.reporting.words import count, percent, size
from triage.reporting.words import verdict as verdict_words
from triage.safety.redact import Redactor
from triage.session.session import Session
from triage.tui.background import Background
from triage.tui.loading import Failed, Live, Loading, News, Opened, Progress, Reported, Trouble
from triage.tui.log_file import LogFile
from triage.tui.marks import Mark, marks_of
from triage.tui.text import Words, short_names
from triage.watching.live_state import LiveState

_KEPT_TROUBLES = 100


class Desk:
    """What is known by now. ``revision`` grows with every change; ``error`` ends the program."""

    def __init__(self, loading: Loading) -> None:
        self.loading = loading
        self.background = Background()
        self.outlet = Outlet(Redactor())
        self.words = Words(self.outlet)
        self.session: Session | None = None
        self.files: dict[str, LogFile] = {}
        self.marks: tuple[Mark, ...] = ()
        self.troubles: list[str] = []
        self.error: Exception | None = None
        self.is_final = False
        self.revision = 0
        self._progress: Progress | None = None
        self._live: LiveState | None = None
        self._changed_at = ""

    @property
    def report(self) -> Report | None:
        """The report, once there is one."""
        return self.session.report if self.session is not None else None

    def take_news(self) -> bool:
        """Hear what the reading has to tell; True if anything changed."""
        before = self.revision
        for item in self.loading.news():
            self._take(item)
        return self.revision != before

    def change(self, session: Session) -> None:
        """Go on with another session: an answer, a host, more lines."""
        self.session = session
        self.marks = marks_of(session.report)
        self._changed_at = time.strftime("%H:%M:%S")
        self.revision += 1

    def file_of(self, place: Place) -> LogFile | None:
        """The file in which a place lies; None for places outside of the inputs."""
        return self.files.get(place.source)

    def status(self) -> str:
        """One line: what is read, how far, what is known, and since when; already fit to be shown."""
        names = [self.outlet.show(name) for name in self.words.names.values()]
        what = names[0] if len(names) == 1 else f"{len(self.files)} files" if names else "opening"
        return "  ".join(filter(None, (what, self._reading(), self._known())))

    def close(self) -> None:
        """End all threads, and give the files back."""
        self.loading.close()
        self.background.close()
        for file in self.files.values():
            file.close()

    def _reading(self) -> str:
        if self.is_final:
            return ""
        if self.loading.is_live:
            total = sum(file.index.size for file in self.files.values())
            speed = f", {self._live.lines_per_s:,.0f} lines/s" if self._live is not None else ""
            return f"live, {size(total)}{speed}"
        if self._progress is None:
            return "reading"
        read, whole = self._progress.read, self._progress.size
        # What is read of a packed file is more than what lies on the disk.
        return f"reading {read / whole:.0%}" if whole and read <= whole else f"reading {size(read)}"

    def _known(self) -> str:
        report = self.report
        if report is None:
            return ""
        best = f": {percent(report.diagnoses[0].confidence)}" if report.diagnoses else ""
        head = f"{report.verdict.value}{best}" if report.diagnoses else verdict_words(report)
        found = count(len(report.diagnoses), "cause") if report.diagnoses else ""
        return "  ".join(filter(None, (head, found, f"as of {self._changed_at}")))

    def _take(self, item: News) -> None:
        self.revision += 1
        if isinstance(item, Opened):
            self.files[item.file.label] = item.file
            self.words.names = short_names([*self.files])
            self.background.carry_on(item.file.index)
        elif isinstance(item, Progress):
            self._progress = item
        elif isinstance(item, Live):
            self._live = item.state
        elif isinstance(item, Reported):
            self._take_report(item)
        elif isinstance(item, Trouble):
            self.troubles = [*self.troubles, item.text][-_KEPT_TROUBLES:]
        elif isinstance(item, Failed):
            self.error = item.error

    def _take_report(self, item: Reported) -> None:
        self.is_final = item.is_final
        seen = item.report.observation
        if self.session is None:
            self.change(Session.begin(seen, item.knowledge, without=sorted(item.without)))
        elif self.session.state.observation != seen:
            self.change(self.session.with_observation(seen).session)
