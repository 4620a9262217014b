"""The file that lets a restarted watcher go on where the last one stopped."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from typing import TYPE_CHECKING, Any

from triage.reading.follow_position import Position, position_of
from triage.reading.live import Note
from triage.reading.opening import explain
from triage.records import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION = 1
_MOST = 1 << 22
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Saved:
    """What a state file holds: a position for each followed path, and whatever JSON else its user keeps beside them."""

    positions: dict[str, Position] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


class StateFile:
    """Positions on disk, replaced in one step and readable by us alone. No trouble with the disk is ever raised."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._written: bytes | None = None
        self._trouble: str | None = None

    def load(self) -> tuple[Saved, Note | None]:
        """What was saved; nothing, and a note, if that cannot be read; nothing, and no note, if there is no such file."""
        try:
            return _decoded(self._read()), None
        except FileNotFoundError:
            return Saved(), None
        except (OSError, ValueError) as error:
            reason = explain(error) if isinstance(error, OSError) else str(error)
            return Saved(), Note(
                "state",
                f"{self.path}: the stored positions cannot be used ({reason}): files are read as if for the first time",
                loss=True,
            )

    def save(self, positions: Mapping[str, Position], extra: Mapping[str, Any] | None = None) -> Note | None:
        """Store this instead of what was stored; nothing is written if it is the same.

        Returns a note when storing begins to fail, and when it works again; the old state stays while it fails.
        """
        record = {
            "schema_version": _VERSION,
            "positions": {path: position.record() for path, position in sorted(positions.items())},
            "extra": dict(extra or {}),
        }
        content = json.dumps(record, sort_keys=True).encode("ascii") + b"\n"
        if content == self._written:
            return None
        try:
            self._replace(content)
        except (OSError, ValueError) as error:
            return self._failed(explain(error))
        self._written = content
        if self._trouble is None:
            return None
        self._trouble = None
        return Note("state", f"{self.path}: positions are stored again")

    def _failed(self, reason: str) -> Note | None:
        if reason == self._trouble:
            return None
        self._trouble = reason
        return Note(
            "state", f"{self.path}: positions cannot be stored ({reason}): a restart would repeat what comes now"
        )

    def _read(self) -> bytes:
        # A pipe in its place must not make us wait, nor a link make us read a stranger's file.
        descriptor = os.open(self.path, _FLAGS)
        with open(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ValueError("not a regular file")
            content = stream.read(_MOST + 1)
        if len(content) > _MOST:
            raise ValueError("too large")
        return content

    def _replace(self, content: bytes) -> None:
        with contextlib.suppress(FileNotFoundError):
            mode = os.lstat(self.path).st_mode
            if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
                # Root would replace a device of the machine, such as /dev/null, as readily as a file.
                raise OSError(errno.EINVAL, "a device")
        # One name for each process, so that what a killed one left is overwritten by chance only, and then harmlessly.
        temporary = f"{self.path}.new-{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            # Not synced: that can take seconds on the busy disk of a server, and a lost state costs a repetition.
            with open(descriptor, "wb", buffering=0) as stream:
                view = memoryview(content)
                while view:
                    view = view[stream.write(view) :]
            os.replace(temporary, self.path)  # noqa: PTH105
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
            raise


def _decoded(content: bytes) -> Saved:
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("damaged") from None
    if not isinstance(record, dict) or record.get("schema_version") != _VERSION:
        raise ValueError("of another version")
    positions, extra = record.get("positions"), record.get("extra")
    if not isinstance(positions, dict) or not isinstance(extra, dict):
        raise ValueError("damaged")
    if not all(isinstance(entry, dict) for entry in positions.values()):
        raise ValueError("damaged")
    return Saved({path: position_of(entry) for path, entry in positions.items()}, extra)
