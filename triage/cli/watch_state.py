"""Where `sgltriage watch` stands in the files that it follows, on disk, for the next run to go on from there."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from triage.reading.follow_position import Position
    from triage.reading.following import FollowedFile
    from triage.watching.live_scan import LiveScan

_SAVE_EVERY_S = 1.0


class WatchState:
    """Where reading stands, on disk, if that is wanted."""

    def __init__(self, path: Path | None, files: dict[str, FollowedFile], scan: LiveScan) -> None:
        from triage.reading.follow_state import Saved, StateFile

        self._files, self._scan = files, scan
        self._file = StateFile(str(path)) if path is not None else None
        self._saved, self._last = Saved(), 0.0
        if self._file is not None:
            self._saved, note = self._file.load()
            if note is not None:
                sys.stderr.write(f"sgltriage: {note.text}\n")

    def position(self, path: str) -> Position | None:
        """Where an earlier run stopped in that file, or None."""
        return self._saved.positions.get(path)

    def save_now_and_then(self) -> None:
        """At most once a second."""
        if time.monotonic() - self._last >= _SAVE_EVERY_S:
            self.save()

    def save(self) -> None:
        """Put the positions down; trouble with the disk is told once, and watching goes on."""
        self._last = time.monotonic()
        if self._file is None:
            return
        # A line that has no end yet was not looked at, and is read again as a whole.
        known = {path: file.position(self._scan.unfinished(path)) for path, file in self._files.items()}
        note = self._file.save({path: position for path, position in known.items() if position is not None})
        if note is not None:
            sys.stderr.write(f"sgltriage: {note.text}\n")
