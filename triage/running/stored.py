"""The report once more, from the stored log, where the analysis had no time for all that a server printed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import BinaryIO

from triage.knowledge.compiled import Knowledge
from triage.model import Report
from triage.records import replace
from triage.running.server import LogPlan
from triage.watching.live_scan import LiveScan

_BLOCK = 4 << 20
_LONGEST_S = 60.0
"""The server is dead, and whoever is to start it again waits for our end."""


def report_from_log(
    log: LogPlan,
    size: int,
    label: str,
    knowledge: Knowledge,
    without: frozenset[str],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Report | None:
    """The report on the last ``size`` bytes of ``log`` and of the files that it was renamed to, called ``label``. None if they
    are not all there, or take longer than a minute. ``clock`` gives monotonic seconds."""
    scan, end, read = LiveScan(knowledge, without), clock() + _LONGEST_S, 0
    try:
        for block in stored(log, size):
            scan.take(label, block)
            read += len(block)
            if clock() > end:
                return None
    except OSError:
        return None
    if read != size:
        return None
    report = scan.finish()
    note = "the server printed faster than it could be looked at: this report was made from its log in the end"
    seen = report.observation
    return replace(report, observation=replace(seen, limits_hit=(*seen.limits_hit, note)))


def stored(log: LogPlan, size: int) -> Iterator[bytes]:
    """The last ``size`` bytes of a log and of what it was renamed to, the oldest first; fewer if there are fewer.

    Raises:
        OSError: a file cannot be read.
    """
    with ExitStack() as stack:
        files: list[tuple[BinaryIO, int]] = []
        # All are opened before one is read, the newest first: nobody renames them any more.
        for name in (log.path, *(f"{log.path}.{number}" for number in range(1, log.keep + 1))):
            if size <= 0:
                break
            try:
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                break
            stream: BinaryIO = stack.enter_context(open(descriptor, "rb"))
            length = os.fstat(descriptor).st_size
            files.append((stream, max(0, length - size)))
            size -= length
        for older, begin in reversed(files):
            older.seek(begin)
            while block := older.read(_BLOCK):
                yield block
