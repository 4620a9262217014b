"""The runs that there were, read from their journals; nothing is changed, and a run that is going on is not disturbed."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from triage.fixing.journal import SUFFIX
from triage.fixing.journal_store import (
    ChainBroken,
    JournalUnavailable,
    Record,
    open_file,
    open_folder,
    read_all,
    read_chain,
)
from triage.records import dataclass


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as the list of runs tells it. ``broken`` may be a torn end, which a resumed run mends."""

    path: Path
    run: str
    playbook: str
    time: str
    live: bool
    records: tuple[Record, ...]
    broken: ChainBroken | None

    @property
    def verdict(self) -> str:
        """How it ended, by its newest verdict; empty where it has none."""
        return next((str(item.data.get("verdict")) for item in reversed(self.records) if item.event == "verdict"), "")

    @property
    def is_over(self) -> bool:
        """Nothing of it is left to be gone on with: it was taken back, at least in part, or all its steps were looked at. What
        an operator broke off has a verdict too, and is not over."""
        last = next((item for item in reversed(self.records) if item.event in ("verdict", "undo-begin")), None)
        return last is not None and last.data.get("stopped") is not True


def verify(path: Path) -> ChainBroken | None:
    """What is wrong with a journal file, if anything; a torn end is told as such.

    Raises:
        JournalUnavailable: it cannot be read, or others can write it.
    """
    return _summary(path).broken


def list_runs(directory: Path) -> tuple[RunSummary, ...]:
    """All runs of a folder, the newest first; none where there is no folder. Files that are not ours alone are left out.

    Raises:
        JournalUnavailable: the folder is not ours alone.
    """
    if not directory.exists():
        return ()
    os.close(open_folder(directory, create=False))
    found = []
    for path in directory.glob(f"*{SUFFIX}"):
        with contextlib.suppress(JournalUnavailable):
            found.append(_summary(path))
    return tuple(sorted(found, key=lambda summary: (summary.time, summary.run), reverse=True))


def latest(directory: Path, playbook: str | None = None) -> RunSummary | None:
    """The newest run, or the newest of one playbook.

    Raises:
        JournalUnavailable: the folder is not ours alone.
    """
    return next((item for item in list_runs(directory) if playbook in (None, item.playbook)), None)


def cut_off(directory: Path, playbook: str | None = None) -> RunSummary | None:
    """The newest run that is not over. Of each playbook only its newest run counts: what came after it made up for it.

    Raises:
        JournalUnavailable: the folder is not ours alone.
    """
    newest: dict[str, RunSummary] = {}
    for item in list_runs(directory):
        newest.setdefault(item.playbook, item)
    return next((item for item in newest.values() if playbook in (None, item.playbook) and not item.is_over), None)


def _summary(path: Path) -> RunSummary:
    folder = open_folder(path.parent, create=False)
    try:
        file = open_file(folder, path, os.O_RDONLY)
    finally:
        os.close(folder)
    try:
        chain = read_chain(read_all(file))
        live = _is_held(file)
    except OSError as error:
        raise JournalUnavailable(f"the journal {path}: {error.strerror}") from error
    finally:
        os.close(file)
    first = chain.records[0] if chain.records else None
    playbook = str(first.data.get("playbook", "")) if first else ""
    return RunSummary(path, path.stem, playbook, first.time if first else "", live, chain.records, chain.broken)


def _is_held(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
