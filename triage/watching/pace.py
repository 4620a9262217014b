"""How often what is known may be weighed anew, so that reading never waits for it on the whole."""

from __future__ import annotations

REST_S = 0.02
"""Between two looks, so that lines which come together are told together."""
SHARE = 5.0
"""On the whole looks take at most one part in so many of the time."""
BURST_S = 0.25
"""What looks may take at once after a quiet time: a server that dies prints its causes one after the other."""


class Pace:
    """Told of every look; says when the next one may begin. Times are monotonic seconds."""

    __slots__ = ("_credit", "_until", "next_look")

    def __init__(self) -> None:
        self._credit = BURST_S
        self._until = self.next_look = 0.0

    def looked(self, began: float, ended: float) -> None:
        """A look took from ``began`` to ``ended``; ``next_look`` is set."""
        self._credit = min(BURST_S, self._credit + (began - self._until) / SHARE) - (ended - began)
        self._until = ended
        self.next_look = ended + max(REST_S, -self._credit * SHARE)
