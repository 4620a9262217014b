"""One input as the screens know it: its label, its lines, and what is said of it."""

from __future__ import annotations

from triage.reading.line_index import LineIndex
from triage.reading.spool import Spool
from triage.records import dataclass, field


@dataclass(slots=True)
class LogFile:
    """An input whose lines can be looked at. ``spool`` keeps them where they do not lie on the disk as they are read."""

    label: str
    index: LineIndex
    spool: Spool | None = None
    notes: list[str] = field(default_factory=list)

    def refresh(self) -> bool:
        """Look whether there is more of it; True if there is something new to draw."""
        change = self.index.refresh()
        if change in ("truncated", "replaced"):
            self.notes.append(f"{change} while it was read: open it again to diagnose what is there now")
        return change != "same"

    def close(self) -> None:
        """Give everything back."""
        self.index.close()
        if self.spool is not None:
            self.spool.close()
