"""What moved between two reports on the same logs. Pure."""

from __future__ import annotations

from triage.model import Report
from triage.session.state import Move

_VISIBLE = 0.005
"""Half of the last digit that people are shown."""


def moves_between(old: Report, new: Report) -> tuple[Move, ...]:
    """Every diagnosis whose confidence changed by what can be seen, or that came or went; the largest change first."""
    before = {item.id: item for item in old.diagnoses}
    after = {item.id: item for item in new.diagnoses}
    found = [
        Move(
            name,
            (after.get(name) or before[name]).title,
            before[name].confidence if name in before else None,
            after[name].confidence if name in after else None,
        )
        for name in dict.fromkeys((*after, *before))
    ]
    moved = [item for item in found if None in (item.before, item.after) or abs(item.change) >= _VISIBLE]
    return tuple(sorted(moved, key=lambda item: (-abs(item.change), item.id)))
