"""A search in a log: the next hit, as soon as it is known."""

from __future__ import annotations

import re

from triage.tui.line_filter import Hits, text_pattern


class LogSearch:
    """Steps are 1 for the next hit and -1 for the previous one; ``awaited`` is the step whose hit is not known yet, or 0."""

    def __init__(self, hits: Hits) -> None:
        self.hits = hits
        self.awaited = 0

    @property
    def pattern(self) -> re.Pattern[bytes] | None:
        """What stands out in the lines."""
        return text_pattern(self.hits.wanted.text) if self.hits.wanted.text else None

    @property
    def refusal(self) -> str:
        """Why there is no hit, in words."""
        return "no further hit" if len(self.hits) else "not found"

    def step(self, offset: int, step: int) -> int | None:
        """Where the hit lies beside the line at ``offset``; None if there is none, or if it is awaited from now on."""
        known = self.hits.knows(offset, step)
        self.awaited = 0 if known else step
        if not known:
            self.hits.toward = step
            return None
        return self.hits.next(offset) if step > 0 else self.hits.previous(offset)
