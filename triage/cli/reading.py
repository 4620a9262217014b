"""Reading inputs for a verb: what to open, progress on a terminal, and Ctrl-C that still ends in a report."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType

from triage.cli.errors import UsageError
from triage.engine import Gate, ScanResult, scan_inputs
from triage.knowledge.compiled import Knowledge
from triage.reading.inputs import open_inputs

_PROGRESS_AFTER_S = 1.0
_PROGRESS_EVERY_S = 0.2


def read_and_scan(
    paths: Sequence[str],
    knowledge: Knowledge,
    *,
    stdin_name: str = "-",
    binary_as_text: bool = False,
    without: frozenset[str] = frozenset(),
) -> ScanResult:
    """Scan ``paths`` (none: standard input). The first SIGINT or SIGTERM ends the reading, the second the process."""
    if not paths:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("nothing to read: name a file, or pipe a log in")
        paths = ("-",)
    stdin = sys.stdin.buffer if sys.stdin is not None else None
    inputs = open_inputs(paths, stdin=stdin, stdin_name=stdin_name, binary_as_text=binary_as_text)
    gate = Gate()

    def break_off(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        gate.break_off()

    old = {number: signal.signal(number, break_off) for number in (signal.SIGINT, signal.SIGTERM)}
    progress = _Progress() if sys.stderr is not None and sys.stderr.isatty() else None
    try:
        return scan_inputs(inputs, knowledge, without=without, on_bytes=progress.show if progress else None, gate=gate)
    finally:
        if progress:
            progress.clear()
        for number, handler in old.items():
            signal.signal(number, handler)


class _Progress:
    """One line on stderr that is rewritten; only for scans that take longer than a second."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown = 0.0

    def show(self, label: str, count: int) -> None:
        now = time.monotonic()
        if now - self._began < _PROGRESS_AFTER_S or now - self._shown < _PROGRESS_EVERY_S:
            return
        from triage.safety.visible import visible

        self._shown = now
        sys.stderr.write(f"\r\x1b[Kreading {visible(label)}  {count / 1e6:,.0f} MB")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
