"""The host: probes with their outcomes, asked one by one or all that matter; what is known, and where from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static

from triage import __version__
from triage.host_view import probes_that_matter
from triage.model import Report
from triage.probing.catalogue import all_probes
from triage.probing.probe import Probe
from triage.probing.snapshot import Snapshot, to_json
from triage.reporting import words
from triage.session.new_file import NewFileError, write_new
from triage.session.summary import moved_in_words
from triage.tui.screens.base import DeskScreen
from triage.tui.text import joined, own, stacked
from triage.tui.widgets.ask_box import AskBox
from triage.tui.widgets.key_bar import KeyBar
from triage.tui.widgets.page_scroll import PageScroll
from triage.tui.widgets.probe_list import ProbeList
from triage.tui.widgets.status_bar import StatusBar

_PROBE = "probe "
"""How the origin of a fact begins that a probe told."""
_MOVES = 3


class HostScreen(DeskScreen):
    """Probes above, what the selected one told and all other facts below."""

    TITLE_WORD = "Host and facts"
    FIRST = "#probes"
    CSS = """
    HostScreen #facts-scroll { height: 1fr; border-top: solid $panel; }
    HostScreen #moved { height: auto; max-height: 4; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "ask_all", "Ask all that matter"),
        Binding("w", "record", "Record"),
        Binding("escape", "leave", "Back", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Status, probes, facts, what moved, name of a file, keys."""
        yield StatusBar(self.desk, self.TITLE_WORD)
        yield ProbeList(id="probes", markup=False)
        with PageScroll(id="facts-scroll"):
            yield Static(id="facts", markup=False)
        yield Static(id="moved", markup=False)
        yield AskBox()
        yield KeyBar()

    def tell(self) -> None:
        """Draw what is known now."""
        report = self.desk.report
        if report is None:
            self.query_one("#facts", Static).update(own("reading"))
            return
        wanted = {item.name for item in self._that_matter(report)}
        results = {item.name: item for item in report.probes if item.outcome != "not-run"}
        self.query_one(ProbeList).show(all_probes(), wanted, results, self.desk.asking.names, self.desk.words)
        self.query_one("#moved", Static).update(stacked([*self._moved()]))
        self._draw_facts()

    def action_ask_one(self) -> None:
        """Ask the probe under the cursor, also once more."""
        name = self.query_one(ProbeList).selected
        self._ask([item for item in all_probes() if item.name == name])

    def action_ask_all(self) -> None:
        """Ask everything that diagnoses wait for."""
        if self.desk.report is not None:
            self._ask(self._that_matter(self.desk.report))

    def action_record(self) -> None:
        """Write what was seen of the host to a file."""
        if self._snapshot() is None:
            self.notify("no probe was run: there is nothing to record", timeout=4)
            return
        stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
        self.query_one(AskBox).ask("record", "name of the file", f"host-{stamp}.json")

    async def action_leave(self) -> None:
        """Stop asking for a name, or go back."""
        if self.query_one(AskBox).is_asking:
            self._stop_typing()
        else:
            await self.app.action_back()

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        self.action_ask_one()

    @on(OptionList.OptionHighlighted)
    def _moved_cursor(self) -> None:
        self._draw_facts()

    @on(AskBox.Submitted)
    def _named(self, event: AskBox.Submitted) -> None:
        self._stop_typing()
        snapshot, name = self._snapshot(), event.value.strip()
        if snapshot is None or not name:
            return
        path = Path(name).expanduser()
        now = datetime.now(timezone.utc).replace(microsecond=0).isoformat()
        made = Snapshot(snapshot.transcripts, snapshot.redacted, snapshot.recorded or now, __version__)
        try:
            write_new(path, to_json(made))
        except NewFileError as wrong:
            self.notify(self.desk.outlet.show(str(wrong)), severity="error", markup=False)
        else:
            hidden = words.count(sum(made.redacted.values()), "secret")
            self.notify(f"written: {self.desk.outlet.show(str(path))}; {hidden} replaced", markup=False)

    def _ask(self, probes: list[Probe]) -> None:
        session, asking = self.desk.session, self.desk.asking
        if session is None:
            return
        if why := asking.why_not(session):
            self.notify(why, severity="warning", timeout=5)
            return
        asking.begin(session, probes)
        self.desk.take_news()
        self.look()

    def _stop_typing(self) -> None:
        self.query_one(AskBox).stop()
        self.set_focus(self.query_one(ProbeList))

    def _snapshot(self) -> Snapshot | None:
        return self.desk.session.state.host if self.desk.session is not None else None

    def _that_matter(self, report: Report) -> list[Probe]:
        return probes_that_matter(report, all_probes())

    def _draw_facts(self) -> None:
        report = self.desk.report
        if report is not None:
            self.query_one("#facts", Static).update(stacked([*self._facts(report)]))

    def _facts(self, report: Report) -> Iterator[Content]:
        """Those of the selected probe, with its reason in full; then what no probe told."""
        ink, name = self.desk.words, self.query_one(ProbeList).selected
        result = next((item for item in report.probes if item.name == name), None)
        facts = report.observation.facts
        own_facts = [fact for fact in facts if fact.origin == f"{_PROBE}{name}"]
        others = [fact for fact in facts if not fact.origin.startswith(_PROBE)]
        if result is not None and name is not None:
            reason = joined(": ", ink.data(result.reason)) if result.reason else ""
            yield joined(ink.data(name, "bold"), "  ", ink.data(result.outcome), reason)
        for fact in own_facts:
            yield joined("  ", ink.data(f"{fact.name} = "), ink.value(fact.value, fact.name))
        yield own("Facts of logs and answers", "bold")
        for fact in others:
            origin = ink.data(f"   {fact.origin}", "$text-muted")
            yield joined("  ", ink.data(f"{fact.name} = "), ink.value(fact.value, fact.name), origin)
        if not others:
            yield own("  none was read")

    def _moved(self) -> Iterator[Content]:
        """What the last answers moved."""
        change = self.desk.asking.moved
        if self.desk.asking.is_busy:
            yield own("asking this host; nothing is changed there", "bold")
        elif change is None:
            yield own("* marks what a diagnosis waits for; what was asked can be asked again", "$text-muted")
        else:
            told = change.moves[:_MOVES]
            yield own("That moved:" if told else "That moved no diagnosis.", "bold")
            for move in told:
                yield joined("  ", self.desk.words.data(move.id), " ", own(moved_in_words(move)))
