"""Tells each event as a line of text, for people or programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from triage.watching.listener import Told
    from triage.watching.live_state import LiveState
    from triage.watching.session import Ended


class LineTeller:
    """Writes what ``render`` makes of an event to ``out``, at once. ``at_end`` is called with the end, such as to write the
    report; what is told after that goes to ``late``, so that nothing stands behind it."""

    def __init__(
        self,
        out: TextIO,
        render: Callable[[Told], str],
        *,
        at_end: Callable[[Ended], None] | None = None,
        late: TextIO | None = None,
    ) -> None:
        self._out, self._render, self._at_end = out, render, at_end
        self._late = out if late is None else late

    def tell(self, told: Told) -> None:
        """One line."""
        self._out.write(self._render(told) + "\n")
        self._out.flush()

    def tick(self, state: LiveState) -> None:
        """Nothing: lines are for what changes."""

    def close(self, ended: Ended) -> None:
        """The end."""
        if self._at_end is not None:
            self._at_end(ended)
        self._out = self._late
