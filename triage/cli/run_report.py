"""What ``sgltriage run`` says when its server has ended: how, why, and what to type next."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from triage.cli.arguments import Namespace
from triage.cli.terminal import columns, speaks_unicode, wants_color
from triage.records import dataclass
from triage.reporting.exit_status import exit_code

if TYPE_CHECKING:
    from triage.knowledge.compiled import Knowledge
    from triage.model import Report
    from triage.reporting.outlet import Outlet
    from triage.running.death import Death
    from triage.running.host_before import HostBefore
    from triage.running.server import LogPlan
    from triage.running.survivors import Survivor
    from triage.watching.fan_out import FanOut
    from triage.watching.session import Ended

_MOST_LEFT = 10
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Watched:
    """What watching a server to its end gave: how that ended, and the report, which may know more than the last event."""

    knowledge: Knowledge
    ended: Ended
    report: Report


class RunReport:
    """The account of one run on standard error; ``begin`` before the server is started, ``started`` when it was, ``tell`` when it has ended."""

    def __init__(self, arguments: Namespace, without: frozenset[str], log: LogPlan | None) -> None:
        self._arguments, self._without, self._log = arguments, without, log
        self._host: HostBefore | None = None

    def begin(self) -> None:
        """Remember what the host says now."""
        if not self._arguments.no_host:
            from triage.running.host_before import HostBefore

            self._host = HostBefore()
            # A server that takes all memory at once can be killed before the second half of this second.
            self._host.wait(_LOOK_S)

    def started(self, server: int) -> None:
        """The server runs, as this process."""
        if self._host is not None:
            self._host.began(server)

    def tell(self, death: Death, left: Sequence[Survivor], watched: Watched | None, fan_out: FanOut) -> Report | None:
        """Print it; the report, None if there is none."""
        from triage.reporting.outlet import Outlet
        from triage.running.death import reason
        from triage.safety.redact import Redactor

        outlet = Outlet(Redactor())
        lines = reason(death)
        report, told = self._weighed(death, watched, fan_out)
        is_news = report is not None and (not death.was_asked_for or bool(exit_code(report, "error")))
        silence = _silence(report) if report is not None and is_news else ""
        if report is not None and self._arguments.report is not None:
            self._store(report)
        if report is not None and is_news and not silence:
            self._print(report, outlet)
        if death.shell_status:
            lines = [
                f"the server {'was ' if death.signal else 'ended with '}{lines[0]}",
                *lines[1:],
                *told,
                *filter(None, [silence]),
            ]
            self._write(outlet, lines)
        self._write(outlet, _left(left, outlet))
        if report is not None and is_news:
            self._write(outlet, self._next(report), "next")
        if watched is not None:
            fan_out.close(watched.ended)
        return report

    def _weighed(self, death: Death, watched: Watched | None, fan_out: FanOut) -> tuple[Report | None, list[str]]:
        """The report with what the host and the exit status say, and the host's answers as lines."""
        from triage.engine import with_origins
        from triage.running.death import shell_words
        from triage.watching.events import between

        if watched is None:
            return None, []
        report, told = watched.report, list[str]()
        if self._host is not None and not death.was_asked_for:
            report, told = self._host.compare(report, watched.knowledge, shell_words(death), self._without)
        for event in between(watched.ended.report, report, over=watched.ended.over):
            fan_out.tell(event)
        return (with_origins(report) if report.unexplained else report), told

    def _print(self, report: Report, outlet: Outlet) -> None:
        from triage.reporting.render import render
        from triage.reporting.words import exit_meaning

        terminal = sys.stderr.isatty()
        lines = render(
            report, "text", outlet, color=wants_color(self._arguments.color) and terminal,
            ascii_only=not speaks_unicode(), width=columns() if terminal else None, fail_on="never",
            gone=frozenset() if self._log is not None else frozenset(item.path for item in report.observation.inputs),
        )  # fmt: skip
        # The exit status is the server's, not the one that a scan of the same log would give.
        meaning = f"   {exit_meaning(report, 'never')}"
        sys.stderr.write("\n" + "".join(line.replace(meaning, "") for line in lines) + "\n")
        sys.stderr.flush()

    def _store(self, report: Report) -> None:
        """The report for ``fix`` and other programs."""
        from triage.cli.diagnostics import tell
        from triage.reporting.outlet import Outlet
        from triage.reporting.render import render
        from triage.safety.redact import Redactor

        path = str(self._arguments.report)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(descriptor, "w", encoding="utf-8") as stream:
                stream.writelines(render(report, "json", Outlet(Redactor())))
        except OSError as error:
            tell(f"--report: {path}: {error.strerror}")

    def _next(self, report: Report) -> Iterator[str]:
        """What to type now; where the log leaves the cause open, a look at the host comes before mending anything."""
        from triage.model import Verdict

        log = shlex.quote(self._log.path) if self._log is not None else ""
        probe = [f"sgltriage scan {log} --probe"] if log else []
        mend = []
        if report.diagnoses:
            first = report.diagnoses[0]
            if first.playbook and self._arguments.report is not None:
                mend.append(f"sgltriage fix {first.id} --report {shlex.quote(str(self._arguments.report))}")
            elif first.playbook and log:
                mend.append(f"sgltriage fix {first.id} --log {log}")
            else:
                mend.append(f"sgltriage explain {first.id}")
        elif not log:
            mend.append(
                "sgltriage run --log FILE -- ... keeps the output, so that it can be scanned and shown to others"
            )
        yield from [*probe, *mend] if report.verdict is Verdict.POSSIBLE else [*mend, *probe]

    def _write(self, outlet: Outlet, lines: Iterable[str], heading: str = "") -> None:
        front = f"{heading:<13}" if heading else "sgltriage: "
        for line in lines:
            sys.stderr.write(front + outlet.show(line) + "\n")
            front = " " * len(front) if heading else front
        sys.stderr.flush()


def _silence(report: Report) -> str:
    """Of a report that holds nothing that line alone: "no known problem" is no answer for one that died."""
    seen = report.observation
    if (
        report.diagnoses
        or report.recovered
        or report.unexplained
        or seen.limits_hit
        or any(i.notes for i in seen.inputs)
    ):
        return ""
    if not seen.lines:
        return "it printed nothing that tells why"
    return f"nothing that it printed tells why: {seen.lines:,} line{'' if seen.lines == 1 else 's'}, no error and no known problem in them"


def _left(left: Sequence[Survivor], outlet: Outlet) -> Iterator[str]:
    """Who outlived the server; nobody is ended who was not asked to be."""
    if left:
        number = len(left)
        yield f"{number} process{'' if number == 1 else 'es'} of the server still hold{'s' if number == 1 else ''} its output:"
    for item in left[:_MOST_LEFT]:
        yield f"  process {item.pid}: {' '.join(outlet.arguments(item.argv)) or '(its command cannot be read)'}"
    if len(left) > _MOST_LEFT:
        yield f"  and {len(left) - _MOST_LEFT} more"
