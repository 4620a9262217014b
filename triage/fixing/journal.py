"""What a run was going to do, did and undid, on disk before and after each deed, so that a killed run can be taken up again."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from triage.fixing.journal_store import (
    FIRST_PREV,
    ChainBroken,
    Event,
    JournalUnavailable,
    Record,
    open_file,
    open_folder,
    read_all,
    read_chain,
    seal,
)

SUFFIX = ".jsonl"
"""How the name of a journal file ends; what stands before it is the name of the run."""
_LOCK_TRIES = 5
_LOCK_REST_S = 0.05

Now = Callable[[], datetime]


class RunGoingOn(JournalUnavailable):
    """Another process writes this journal. ``pid`` is 0 where the journal does not say."""

    def __init__(self, run: str, pid: int) -> None:
        super().__init__(f"run {run} is going on, pid {pid}" if pid else f"run {run} is going on")
        self.run, self.pid = run, pid


class JournalBroken(JournalUnavailable):
    """The journal is not what was written, so that nothing can be taken up from it."""

    def __init__(self, path: Path, broken: ChainBroken) -> None:
        super().__init__(f"{path}:{broken.line}: {broken.why}")
        self.broken = broken


def journal_directory(environment: Mapping[str, str]) -> Path:
    """``$XDG_STATE_HOME/sgltriage/journal``, else ``~/.local/state/sgltriage/journal``.

    Raises:
        JournalUnavailable: neither variable holds an absolute path.
    """
    state, home = Path(environment.get("XDG_STATE_HOME", "")), Path(environment.get("HOME", ""))
    if state.is_absolute():
        return state / "sgltriage" / "journal"
    if home.is_absolute():
        return home / ".local" / "state" / "sgltriage" / "journal"
    raise JournalUnavailable("there is no place for the journal: set XDG_STATE_HOME or HOME")


class Journal:
    """One run's journal, held by us alone until it is closed. Every record is on disk when ``append`` returns."""

    def __init__(self, path: Path, file: int, now: Now) -> None:
        self.path = path
        self._file, self._now = file, now
        self._records: list[Record] = []
        self._size = 0
        self._usable = True

    @classmethod
    def create(cls, directory: Path, plan_record: Mapping[str, Any], *, now: Now | None = None) -> Journal:
        """Begin a run: a new file whose first record is ``plan`` with ``plan_record``, of which ``playbook`` must be an id.

        Raises:
            JournalUnavailable: it cannot be written.
            ValueError: ``plan_record`` is no JSON, or names no playbook.
        """
        if not isinstance(plan_record.get("playbook"), str):
            raise ValueError("a plan names its playbook")
        now = now or _utc_now
        directory = directory.absolute()
        path = directory / f"{now():%Y%m%dT%H%M%SZ}-{os.urandom(4).hex()}{SUFFIX}"
        folder = open_folder(directory, create=True)
        try:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL
            journal = cls(path, open_file(folder, path, flags), now)
            try:
                with journal._closed_on_error():
                    journal._lock()
                    journal.append("plan", **{**plan_record, "pid": os.getpid()})
                    _sync_names(folder, directory)
            except BaseException:
                # Nothing was begun: a journal without a plan would only puzzle who lists the runs.
                with contextlib.suppress(OSError):
                    os.unlink(path.name, dir_fd=folder)
                raise
        finally:
            os.close(folder)
        return journal

    @classmethod
    def reopen(cls, path: Path, *, now: Now | None = None) -> Journal:
        """Take a run up again. What of its last record was never written is cut off, and told by a record ``torn``; then comes
        ``resume``.

        Raises:
            RunGoingOn: another process has it.
            JournalBroken: it is not what was written, by more than an unfinished last line.
            JournalUnavailable: it cannot be read or written.
        """
        folder = open_folder(path.parent, create=False)
        try:
            journal = cls(path, open_file(folder, path, os.O_RDWR | os.O_APPEND), now or _utc_now)
        finally:
            os.close(folder)
        with journal._closed_on_error():
            journal._lock()
            journal._load()
            journal.append("resume", pid=os.getpid())
        return journal

    @property
    def run(self) -> str:
        """The run's name."""
        return self.path.stem

    def append(self, event: Event, **data: Any) -> Record:
        """Write a record, and wait until it is on disk.

        Raises:
            JournalUnavailable: it could not be written. Nothing of it stays, and the journal takes no more.
            ValueError: ``data`` is no JSON, or an ``end`` does not say with ``ok`` whether its step succeeded.
        """
        if not self._usable:
            raise JournalUnavailable(f"the journal {self.path} could not be written before")
        if event in ("end", "undo-end") and not isinstance(data.get("ok"), bool):
            raise ValueError(f"{event} says whether it went well: ok=True or ok=False")
        try:
            # Ctrl-C may have come between a record and our knowing of it: the file, which we alone write, is what counts.
            if os.fstat(self._file).st_size != self._size:
                self._load()
        except OSError as error:
            raise JournalUnavailable(f"the journal {self.path}: {error.strerror}") from error
        prev = self._records[-1].hash if self._records else FIRST_PREV
        record, line = seal(len(self._records) + 1, _stamp(self._now()), self.run, event, data, prev)
        self._write(line)
        self._records.append(record)
        return record

    def records(self) -> tuple[Record, ...]:
        """All records of the run so far."""
        return tuple(self._records)

    def close(self) -> None:
        """Let go of the run; it can be taken up again."""
        if self._file >= 0:
            os.close(self._file)
        self._file, self._usable = -1, False

    def __enter__(self) -> Journal:  # noqa: PYI034  (Self came with Python 3.11)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        try:
            written = os.write(self._file, line)
            if written != len(line):
                raise OSError(errno.ENOSPC, "no space left for the whole record")
            os.fsync(self._file)
        except OSError as error:
            self._usable = False
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise JournalUnavailable(f"the journal {self.path}: {error.strerror}") from error
        self._size += len(line)

    def _lock(self) -> None:
        for _ in range(_LOCK_TRIES):
            try:
                return fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # Who lists the runs holds it for an instant.
                time.sleep(_LOCK_REST_S)
            except OSError as error:
                raise JournalUnavailable(f"the journal {self.path} cannot be locked: {error.strerror}") from error
        raise RunGoingOn(self.run, _writer(read_chain(read_all(self._file)).records))

    def _load(self) -> None:
        data = read_all(self._file)
        chain = read_chain(data)
        if chain.broken is not None and not (chain.broken.torn and chain.records):
            raise JournalBroken(self.path, chain.broken)
        self._records, self._size = list(chain.records), chain.size
        torn = data[chain.size :]
        if torn:
            os.ftruncate(self._file, chain.size)
            self.append("torn", bytes=len(torn), sha256=hashlib.sha256(torn).hexdigest())

    @contextlib.contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.close()
            raise JournalUnavailable(f"the journal {self.path}: {error.strerror}") from error
        except BaseException:
            self.close()
            raise


def _writer(records: Sequence[Record]) -> int:
    pids = (record.data.get("pid") for record in reversed(records) if record.event in ("plan", "resume"))
    found = next(pids, 0)
    return found if isinstance(found, int) else 0


def _sync_names(folder: int, directory: Path) -> None:
    """A file is only there after power loss if its folder was written, and that folder's name in its own."""
    os.fsync(folder)
    parent = os.open(directory.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


def _stamp(now: datetime) -> str:
    return now.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
