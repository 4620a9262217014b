"""Files read to their end, with their lines at hand for the screen."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from triage.engine import Interrupted, scan_inputs
from triage.reading.inputs import open_inputs
from triage.reading.line_index import open_lines
from triage.reading.source import ReadError, Source
from triage.reading.spool import Spool, SpooledSource
from triage.tui.log_file import LogFile
from triage.tui.news import News, Opened, Progress, Reported, Trouble

if TYPE_CHECKING:
    from triage.tui.loading import Prepare


def read_files(
    paths: list[str], shown: set[str], prepare: Prepare, tell: Callable[[News], None], stop: Callable[[], bool]
) -> None:
    """Scan ``paths`` and tell the report, unless ``stop`` says that nobody waits for it. ``shown``: labels whose lines the
    screen has already.

    Raises:
        Whatever ``prepare`` raises.
    """
    knowledge, without = prepare()
    sizes: dict[str, int | None] = {}

    def opened() -> Iterator[Source | ReadError]:
        for item in open_inputs(paths, stdin=sys.stdin.buffer if sys.stdin is not None else None):
            if isinstance(item, ReadError):
                tell(Trouble(str(item)))
                yield item
                continue
            sizes[item.label] = item.size
            yield item if item.label in shown else _with_lines(item, tell)

    def read(label: str, count: int) -> None:
        if stop():
            raise Interrupted
        tell(Progress(label, count, sizes.get(label)))

    result = scan_inputs(opened(), knowledge, without=without, on_bytes=read)
    if not stop():
        tell(Reported(result.report, knowledge, without, is_final=True))


def _with_lines(source: Source, tell: Callable[[News], None]) -> Source:
    """The source; its lines are those on the disk, or kept in a spool as they are read."""
    index = open_lines(source.label)
    if index is not None:
        tell(Opened(LogFile(source.label, index)))
        return source
    spool = Spool()
    tell(Opened(LogFile(source.label, spool.lines(), spool)))
    return SpooledSource(source, spool)
