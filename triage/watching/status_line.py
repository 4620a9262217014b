"""One line at the foot of a terminal: how the watched servers stand."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, TextIO

from triage.cells import cells, cut
from triage.model import Diagnosis
from triage.safety.redact import Redactor
from triage.safety.visible import visible
from triage.watching.events import whole_percent

if TYPE_CHECKING:
    from triage.watching.listener import Told
    from triage.watching.live_state import LiveState, SourceState
    from triage.watching.session import Ended

_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.-~=+*#"
_LABEL_CELLS = 24
_LEAST_WIDTH = 20


class StatusLine:
    """A `Listener` that draws over its own line with plain spaces and carriage returns, and only on a terminal. It takes
    itself away before an event is told, so it must be told before whoever prints events. ``width``: cells of the terminal;
    ``unicode``: may bars be drawn."""

    def __init__(self, out: TextIO, width: int, unicode: bool = True) -> None:
        self._out, self._width, self._unicode = out, width, unicode
        self._is_terminal = out.isatty()
        self._redactor = Redactor()
        self._shown = ""

    def tell(self, told: Told) -> None:
        """Make room for what is printed next; the next tick draws again."""
        self.clear()

    def tick(self, state: LiveState) -> None:
        """Draw how things stand, if that is something else than what stands there."""
        if not self._is_terminal:
            return
        text = status_text(state, self._room(), self._unicode, self._redactor)
        if text != self._shown:
            self._out.write("\r" + text + " " * (cells(self._shown) - cells(text)) + "\r")
            self._out.flush()
            self._shown = text

    def clear(self) -> None:
        """Leave the line empty."""
        if self._shown:
            self._out.write("\r" + " " * cells(self._shown) + "\r")
            self._out.flush()
            self._shown = ""

    def close(self, ended: Ended) -> None:
        """Nothing is left on the screen."""
        self.clear()

    def _room(self) -> int:
        """Cells that may be written: one less than there are, since some terminals wrap at the last. A window may have been
        made narrower meanwhile."""
        try:
            now = os.get_terminal_size(self._out.fileno()).columns
        except (OSError, ValueError):
            now = 0
        return max(min(self._width, now or self._width), _LEAST_WIDTH) - 1


def status_text(state: LiveState, room: int, unicode: bool, redactor: Redactor) -> str:
    """The line, at most ``room`` cells wide: what matters least is left out first, then the end is cut."""
    parts = [part for part in _parts(state, unicode, redactor) if part[1]]
    while len(parts) > 1 and sum(cells(text) + 2 for _, text in parts) - 2 > room:
        parts.remove(min(parts))
    return cut("  ".join(text for _, text in parts), room, "")


def _parts(state: LiveState, unicode: bool, redactor: Redactor) -> list[tuple[int, str]]:
    """(how much it matters, text), in the order of the line."""
    sources = state.sources
    running = _total([source.running for source in sources])
    queued = _total([source.queued for source in sources])
    usage = max((source.token_usage for source in sources if source.token_usage is not None), default=None)
    throughput = [source.throughput for source in sources if source.throughput is not None]
    requests = f"{running} running" if running is not None else ""
    return [
        (6, _stages(sources, redactor)),
        (7, "STALLED" if any(source.is_stalled for source in sources) else ""),
        (8, _worst(state, redactor)),
        (5, requests + (f" {queued} waiting" if queued else "")),
        (3, f"{usage:.0%} of tokens" if usage is not None else ""),
        (4, f"{sum(throughput):,.0f} tok/s" if throughput else ""),
        (1, _bars(state.throughput, unicode)),
        (2, f"{state.lines_per_s:,.0f} lines/s"),
    ]


def _stages(sources: tuple[SourceState, ...], redactor: Redactor) -> str:
    """Of one source its label, stage and time in it; of several how many are where."""
    if not sources:
        return "waiting for output"
    if len(sources) == 1:
        (only,) = sources
        stage = f"{only.stage} {_duration(only.in_phase_s)}" if only.stage else "watching"
        return f"{_label(only.label, redactor)}: {stage}"
    counts = Counter(source.stage or "unknown" for source in sources)
    return f"{len(sources)} sources: " + ", ".join(f"{count} {stage}" for stage, count in counts.most_common())


def _worst(state: LiveState, redactor: Redactor) -> str:
    if not state.holding:
        return ""
    worst: Diagnosis = max(state.holding, key=lambda item: (item.severity.rank, item.confidence))
    return f"{worst.severity.value} {visible(redactor.redact(worst.id))} {whole_percent(worst.confidence)}%"


def _bars(series: tuple[float, ...], unicode: bool) -> str:
    """Throughput against the highest of the time shown; nothing while nothing was generated."""
    most = max(series, default=0.0)
    if most <= 0:
        return ""
    marks = _BARS if unicode else _ASCII_BARS
    return "".join(marks[min(int(value / most * len(marks)), len(marks) - 1)] for value in series)


def _label(label: str, redactor: Redactor) -> str:
    """Of a long path its end, which tells it from its neighbours."""
    shown = "stdin" if label == "-" else visible(redactor.redact(label))
    return shown if cells(shown) <= _LABEL_CELLS else "..." + cut(shown[::-1], _LABEL_CELLS - 3, "")[::-1]


def _total(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _duration(seconds: float) -> str:
    """``42s``, ``3m12s``, ``5h07m``, ``3d04h``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"
