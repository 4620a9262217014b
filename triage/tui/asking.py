"""Probes of this host, asked beside the screen; the diagnoses are weighed again with what they say."""

from __future__ import annotations

from collections.abc import Sequence

from triage.host_view import ask_host
from triage.probing.probe import Probe
from triage.probing.snapshot import Snapshot
from triage.session.bench import Bench
from triage.session.errand import Errand
from triage.session.session import Change, Session


class Asking:
    """``names``: the probes that are at work now; ``moved``: what the last ones changed. ``revision`` grows with every change."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.names: frozenset[str] = frozenset()
        self.moved: Change | None = None
        self.revision = 0
        self._errand: Errand[tuple[Snapshot, Change]] | None = None
        self._asked: Session | None = None

    @property
    def is_busy(self) -> bool:
        """Probes are at work."""
        return self._errand is not None

    def why_not(self, session: Session) -> str:
        """Why this host is not asked, or an empty text."""
        if self.bench.read_only:
            return "nothing is asked of this host: this session is read-only"
        if session.is_elsewhere:
            return "the host of this session was recorded: this one is not mixed in"
        return ""

    def begin(self, session: Session, probes: Sequence[Probe]) -> None:
        """Ask; one set of probes at a time."""
        if self.is_busy or self.why_not(session) or not probes:
            return
        bench = self.bench

        def work() -> tuple[Snapshot, Change]:
            seen = ask_host(session.report, probes, bench.environment, python=bench.python, pid=bench.pid)
            return seen, session.with_probe(seen)

        self.names, self._asked, self.moved = frozenset(item.name for item in probes), session, None
        self._errand = Errand(work)
        self.revision += 1

    def take_news(self, session: Session | None) -> Change | None:
        """What the probes changed, once they have answered."""
        if self._errand is None or not self._errand.is_over:
            return None
        errand, self._errand, self.names = self._errand, None, frozenset()
        self.revision += 1
        seen, change = errand.answer()
        if session is not None and session is not self._asked:
            # More was read, or answered, meanwhile.
            change = session.with_probe(seen)
        self.moved = change
        return change
