"""Everything the screens look at, in one place: the session, the files, how far reading has come. Knows nothing of widgets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from triage.cells import cells, cut
from triage.model import Place, Report
from triage.reporting.outlet import Outlet
from triage.reporting.words import count, percent, size
from triage.reporting.words import verdict as verdict_words
from triage.safety.redact import Redactor
from triage.tui.background import Background
from triage.tui.loading import Loading
from triage.tui.log_file import LogFile
from triage.tui.marks import Mark, marks_of
from triage.tui.news import Failed, Live, News, Opened, Progress, Reported, Restored, Trouble
from triage.tui.text import Words, short_names

if TYPE_CHECKING:
    from triage.session.errand import Errand
    from triage.session.session import Session
    from triage.tui.asking import Asking
    from triage.tui.fixing import Fixing
    from triage.tui.saved import SavedLoading
    from triage.tui.terms import Terms
    from triage.watching.live_state import LiveState

_KEPT_TROUBLES = 100
_LEAST_NAME = 12
"""Cells of the name of a file, however narrow the screen."""


class Desk:
    """What is known by now. ``revision`` grows with every change but that of how far the reading came; ``error`` ends the
    program."""

    def __init__(self, loading: Loading | SavedLoading, terms: Terms | None = None) -> None:
        self.loading = loading
        self.terms = terms
        self.background = Background()
        # The scan comes first: nobody waits for line numbers as for the diagnosis.
        self.background.is_quiet = not loading.is_live
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
        self._asking: Asking | None = None
        self._fixing: Fixing | None = None
        self._origins: Errand[Report] | None = None
        self._left = ""

    @property
    def report(self) -> Report | None:
        """The report, once there is one."""
        return self.session.report if self.session is not None else None

    def take_news(self) -> bool:
        """Hear what the reading has to tell; True if anything changed."""
        before = self.revision
        for item in self.loading.news():
            self._take(item)
        self.error = self.error or self.background.error
        self._take_work()
        self._keep()
        return self.revision != before

    def change(self, session: Session) -> None:
        """Go on with another session: an answer, a host, more lines."""
        self.session = session
        self.marks = marks_of(session.report)
        self._changed_at = time.strftime("%H:%M:%S")
        self.revision += 1

    @property
    def read_only(self) -> bool:
        """Nothing is asked of this host, and nothing is carried out."""
        return self.terms is None or self.terms.bench.read_only

    @property
    def fixing(self) -> Fixing:
        """The playbook that is looked at."""
        if self._fixing is None:
            from triage.session.bench import Bench
            from triage.tui.fixing import Fixing

            self._fixing = Fixing(self.terms.bench if self.terms is not None else Bench({}, read_only=True))
        return self._fixing

    @property
    def is_fixing(self) -> bool:
        """A run of a playbook is under way, or waits for an answer."""
        return self._fixing is not None and self._fixing.is_open

    @property
    def asking(self) -> Asking:
        """Probes of this host."""
        if self._asking is None:
            from triage.session.bench import Bench
            from triage.tui.asking import Asking

            self._asking = Asking(self.terms.bench if self.terms is not None else Bench({}, read_only=True))
        return self._asking

    @property
    def last_words(self) -> str:
        """What to say of the session when the program has ended: that it was not saved, and how it would have been."""
        return self._left

    def file_of(self, place: Place) -> LogFile | None:
        """The file in which a place lies; None for places outside of the inputs."""
        return self.files.get(place.source)

    def status(self, width: int) -> str:
        """One line: what is read, how far, what is known, and since when; already fit to be shown. In less than ``width`` cells,
        if that takes no more than a shorter name and no time: what is known must be in sight."""
        names = [self.outlet.show(name) for name in self.words.names.values()]
        what = names[0] if len(names) == 1 else f"{len(self.files)} files" if names else self._nameless()
        since = f"as of {self._changed_at}" if self.report is not None else ""
        rest = "  ".join(filter(None, (self._reading(), self._known())))
        for parts in ((what, rest, since), (what, rest)):
            line = "  ".join(filter(None, parts))
            if cells(line) <= width:
                return line
        return "  ".join(filter(None, (cut(what, max(_LEAST_NAME, width - cells(rest) - 2)), rest)))

    def close(self) -> None:
        """End all threads, save what is not saved, and give the files back."""
        if self._fixing is not None:
            self._fixing.close()
            self._take_work()
        if self.terms is not None:
            keeper = self.terms.keeper
            self._left = keeper.close(self.session)
            if keeper.path is None and keeper.lacks(self.session):
                self._left = "the session was not saved: --session FILE keeps it"
        self.loading.close()
        self.background.close()
        for file in self.files.values():
            file.close()

    def _nameless(self) -> str:
        """What is looked at where no file is open."""
        if self.session is None:
            return "opening"
        return "a session recorded elsewhere, only to be read" if self.session.is_frozen else "a saved session"

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
        return "  ".join(filter(None, (head, found)))

    def _take_work(self) -> None:
        """What probes, runs of playbooks and a look at installed packages came to."""
        if self._asking is not None:
            seen = self._asking.revision
            change = self._asking.take_news(self.session)
            if change is not None:
                self.change(change.session)
            self.revision += seen != self._asking.revision
        if self._fixing is not None:
            seen = self._fixing.revision
            after = self._fixing.take_news(self.session)
            if after is not None:
                self.change(after)
            self.revision += seen != self._fixing.revision
        if self._origins is not None and self._origins.is_over:
            origins, self._origins = self._origins, None
            if self.session is not None:
                self.change(self.session.with_origins(origins.answer()))

    def _keep(self) -> None:
        """Save to the file that was named; not for every line of a log that grows."""
        if self.terms is None or self.session is None or not self.terms.keeper.needs(self.session):
            return
        if self.is_final or self.terms.keeper.lacks(self.session):
            trouble = self.terms.keeper.save_beside(self.session)
            self.troubles = [*self.troubles, trouble][-_KEPT_TROUBLES:] if trouble else self.troubles

    def _begin(self, item: Reported) -> None:
        """A session on what was read, with the host that was named."""
        from triage.session.session import Session

        terms = self.terms
        packs = [str(path) for path in terms.packs] if terms is not None else []
        seen = item.report.observation
        # A source that grows is reported in its own way; what was read to its end as a session would.
        known = item.report if item.is_final and not self.loading.is_live else None
        session = Session.begin(seen, item.knowledge, without=sorted(item.without), packs=packs, report=known)
        if terms is not None and terms.host is not None:
            session = session.with_host(terms.host, terms.host_label).session
        self.change(session)

    def _look_for_origins(self) -> None:
        """Where the lines that nothing explains are printed; a recorded host is to give the same answers everywhere."""
        terms, session = self.terms, self.session
        if terms is None or session is None or not session.report.unexplained:
            return
        if terms.host is None or terms.bench.python is not None:
            from triage.engine import with_origins
            from triage.session.errand import Errand

            self._origins = Errand(lambda: with_origins(session.report, terms.bench.python))

    def _take(self, item: News) -> None:
        if isinstance(item, Progress):
            self._progress = item
        elif isinstance(item, Live):
            self._live = item.state
        else:
            self.revision += 1
        if isinstance(item, Opened):
            self.files[item.file.label] = item.file
            self.words.names = short_names([*self.files])
            self.background.carry_on(item.file.index, later=True)
        elif isinstance(item, Reported):
            self._take_report(item)
        elif isinstance(item, Restored):
            self._take_restored(item.session)
        elif isinstance(item, Trouble):
            self.troubles = [*self.troubles, item.text][-_KEPT_TROUBLES:]
        elif isinstance(item, Failed):
            self.error = item.error

    def _take_report(self, item: Reported) -> None:
        self.is_final = item.is_final
        self.background.is_quiet = False
        if self.session is None:
            self._begin(item)
        elif self.session.state.observation != item.report.observation:
            self.change(self.session.with_observation(item.report.observation).session)
        if self.is_final:
            self._look_for_origins()

    def _take_restored(self, session: Session) -> None:
        self.is_final = True
        self.background.is_quiet = False
        if self.terms is not None:
            self.terms.keeper.holds(session)
        self.change(session)
