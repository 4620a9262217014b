"""The host before and after a run: what its kernel log and its control groups say of the time in between."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence

from triage.engine import observe_text
from triage.host_view import ask_host, with_host
from triage.knowledge.compiled import Knowledge
from triage.model import Fact, Observation, Report, Value, Verdict
from triage.probing.catalogue.container import CONTAINER_LIMITS
from triage.probing.catalogue.kernel_log import PROBES as KERNEL_PROBES
from triage.probing.host import answers
from triage.probing.probe import Probe, Transcript
from triage.probing.snapshot import Snapshot
from triage.records import replace
from triage.running.survivors import is_running

_KERNEL_LOG = KERNEL_PROBES[0]
_PROBES = (_KERNEL_LOG, CONTAINER_LIMITS)
_KILLS = "container.oom_kills"
_KILLED = "kernel.oom_killed"
_LONGEST_S = 10.0


class HostBefore:
    """Looks at the host on a thread of its own, so that no start waits long for it."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._server = 0
        self._is_late = False
        self._thread = threading.Thread(target=self._look, name="host", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait for the look, at most so long."""
        self._thread.join(seconds)

    def began(self, server: int) -> None:
        """The server was started, as this process. A look that ends only after it was killed may have seen the kill."""
        self._server = server

    def compare(
        self, report: Report, knowledge: Knowledge, words: str, without: frozenset[str]
    ) -> tuple[Report, list[str]]:
        """The report weighed with what this host tells of the time since, and with ``words``, lines about the end of the
        server; and what the host tells, as plain lines (hostile text: names of processes)."""
        self._thread.join(_LONGEST_S)
        before = self._snapshot or Snapshot({}, {})
        seen = report.observation
        if words:
            ended = observe_text(words.encode(), knowledge, "exit status")
            report = replace(report, observation=replace(seen, findings=(*seen.findings, *ended.findings)))
        after = _since(before, ask_host(report, _PROBES, os.environ))
        # Of what was there before a late look it is not known whether it was there before the start.
        probes = (_counting_from(Snapshot({}, {})),) if self._is_late else (_KERNEL_LOG, _counting_from(before))
        told = [fact for answer in answers(probes, after) for fact in answer.facts]
        return with_host(report, knowledge, probes, after, without), _lines(told)

    def _look(self) -> None:
        nothing = Report(Verdict.HEALTHY, Observation())
        self._snapshot = ask_host(nothing, _PROBES, os.environ)
        self._is_late = self._server != 0 and not is_running(self._server)


def _since(before: Snapshot, after: Snapshot) -> Snapshot:
    """``after`` with only those lines of the kernel's log that came since ``before``."""
    old = {item.label: item for item in before.transcripts.get(_KERNEL_LOG.name, ())}
    logs = tuple(
        _newer(item, old.get(item.label)) if item.label != "/proc/uptime" else item
        for item in after.transcripts.get(_KERNEL_LOG.name, ())
    )
    # Without the time of the recording nothing more is cut off by clocks, which know less.
    return replace(after, transcripts={**after.transcripts, _KERNEL_LOG.name: logs}, recorded="")


def _newer(item: Transcript, old: Transcript | None) -> Transcript:
    """The lines behind the last one that was there before. Without it, all: that is what the time of the run is held
    against afterwards. The last one stays, emptied of what it says, so that a log without news is still a log."""
    last = old.text.rstrip("\n").rpartition("\n")[2] if old is not None and old.status == "ok" else ""
    at = item.text.rfind(last + "\n") if last else -1
    if item.status != "ok" or at < 0:
        return item
    front = last[: last.find("]") + 1] if "]" in last else ""
    return replace(item, text=f"{front} log read before the server was started\n" + item.text[at + len(last) + 1 :])


def _counting_from(before: Snapshot) -> Probe:
    """The probe of the control groups, which counts kills since ``before`` only."""
    known = {fact.name: fact.value for answer in answers((CONTAINER_LIMITS,), before) for fact in answer.facts}
    old = known.get(_KILLS)

    def parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
        for name, value in CONTAINER_LIMITS.parse(transcripts):
            if name != _KILLS:
                yield name, value
            elif isinstance(value, int) and isinstance(old, int):
                # Without the count of before it cannot be told whose kills they were.
                yield name, max(0, value - old)

    return replace(CONTAINER_LIMITS, parse=parse)


def _lines(facts: Sequence[Fact]) -> list[str]:
    known = {fact.name: fact.value for fact in facts}
    lines = []
    if known.get(_KILLED) is True:
        names = known.get("kernel.oom_victims")
        victims = ", ".join(map(str, names)) if isinstance(names, tuple) else "a process"
        lines.append(f"the kernel's log since the start: killed for lack of memory: {victims}")
    elif known.get(_KILLED) is False:
        lines.append("the kernel's log since the start: nothing was killed for lack of memory")
    kills = known.get(_KILLS)
    if isinstance(kills, int):
        lines.append(
            f"the control group counted {kills} kill{'' if kills == 1 else 's'} for lack of memory since the start"
        )
    return lines
