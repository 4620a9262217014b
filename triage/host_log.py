"""The kernel's log beside a server's: which of its lines can have to do with what the server's log shows."""

from __future__ import annotations

from datetime import datetime, timezone

from triage.lazy_regex import lazy_regex
from triage.matching.prefix import parse_prefix
from triage.matching.timestamps import seconds_of
from triage.records import dataclass

_ZONES_WEST_S, _ZONES_EAST_S = 12 * 3600.0, 14 * 3600.0
"""How far the clocks of the world are behind and ahead of UTC: logs do not name their zone."""
_SLACK_S = 60.0
_STAMP = lazy_regex(r"(?:<\d{1,3}>)?\[ {0,8}(\d{1,10}\.\d{1,9})\]")
_UPTIME = lazy_regex(r"\d{1,10}(?:\.\d{1,6})?")
_KILL = lazy_regex(r"oom[-_]kill|oom_reaper|[Oo]ut of memory: Kill")


@dataclass(frozen=True, slots=True)
class Run:
    """What a kernel line is held against: times of the server's first and last line in seconds since 1970 (None: they name no
    date), whether its log shows no failure, and whether a GPU or its driver is at fault now."""

    first: float | None
    last: float | None
    is_healthy: bool
    has_gpu_fault: bool = False


def run_of(first_time: str | None, last_time: str | None, *, is_healthy: bool, has_gpu_fault: bool) -> Run:
    """The run that a log with these first and last times tells of."""
    return Run(seconds_of(first_time or ""), seconds_of(last_time or ""), is_healthy, has_gpu_fault)


def lines_of_run(text: str, uptime: str, recorded: str, run: Run) -> str:
    """``text`` without what lines say that cannot belong to ``run``; their fronts, and all numbers and offsets, stay.

    ``uptime``: the text of /proc/uptime, ``recorded``: ISO time, both of the moment in which the log was read. A line whose
    time is not known stays. A server that runs well is only told of what happened in its run, or still lasts; one that
    failed of everything but kills for memory outside its run, for a device may be broken since long ago.
    """
    now = _moment(recorded)
    seconds = _UPTIME.match(uptime)
    boot = now.timestamp() - float(seconds[0]) if now is not None and seconds is not None else None
    return "\n".join(line if _belongs(line, run, now, boot) else _emptied(line) for line in text.split("\n"))


def _emptied(line: str) -> str:
    end = parse_prefix(line).end
    return line[:end] + " " * len(line[end:].encode())


def _belongs(line: str, run: Run, now: datetime | None, boot: float | None) -> bool:
    if (not run.is_healthy or run.has_gpu_fault) and not _KILL.search(line):
        return True
    at = _seconds(line, now, boot)
    if at is None:
        return True
    if run.first is None or run.last is None:
        return not run.is_healthy
    return run.first - _ZONES_EAST_S - _SLACK_S <= at <= run.last + _ZONES_WEST_S + _SLACK_S


def _seconds(line: str, now: datetime | None, boot: float | None) -> float | None:
    """When the line was written: by the clock that it names, or counted from the start of the host."""
    stamp = _STAMP.match(line)
    if stamp is not None:
        at = None if boot is None else boot + float(stamp[1])
        # In some containers the clock of the host's uptime is another one than that of its log.
        return at if at is not None and now is not None and at <= now.timestamp() + _SLACK_S else None
    prefix = parse_prefix(line)
    if prefix.seconds is not None or prefix.time is None or now is None:
        return prefix.seconds
    # "Nov 21 21:24:40" names no year: it is the latest that is not ahead of the recording.
    written = (_dated(prefix.time, now.year - back) for back in (0, 1))
    return next((at for at in written if at is not None and at <= now.timestamp() + _ZONES_EAST_S), None)


def _dated(text: str, year: int) -> float | None:
    try:
        return datetime.strptime(f"{year:04} {text} +0000", "%Y %b %d %H:%M:%S %z").timestamp()
    except ValueError:
        return None


def _moment(recorded: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(recorded)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
