"""Facts from one line: the server's arguments, versions, memory, the command line. Everything else yields nothing."""

from __future__ import annotations

from itertools import islice

from triage.matching.fact_lines import FACT_LINES
from triage.model import Fact

_MOST_FACTS = 2000


def read_facts(message: str, origin: str) -> tuple[Fact, ...]:
    """The facts that one message (its prefix removed) tells, with ``origin`` (``file:line``) on each.

    Only a message that *is* such a line counts, not one that quotes it further on.
    """
    told = (
        Fact(name, value, origin)
        for line in FACT_LINES
        if (match := line.match(message)) is not None
        for name, value in line.read(match)
    )
    return tuple(islice(told, _MOST_FACTS))
