"""One text file changed for real: looked at first, backed up, replaced in one step, and put back byte for byte."""

from __future__ import annotations

import base64
import difflib
import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from triage.fixing.held_folder import MAX_BYTES, EditRefused, HeldFolder, held_folder
from triage.model import Value
from triage.private_cache import read_private
from triage.records import dataclass

__all__ = ["Applied", "EditRefused", "PreparedEdit", "apply", "prepare", "state", "undo"]


@dataclass(frozen=True, slots=True)
class PreparedEdit:
    """What the file would become. ``path`` has no links in it; ``before_digest`` is the SHA-256 of its bytes, '' where there is
    no file yet; ``diff`` are lines for people (not redacted); ``new_mode`` counts for a new file only."""

    path: str
    before_digest: str
    after: bytes
    diff: tuple[str, ...]
    new_mode: int = 0o600

    @property
    def after_digest(self) -> str:
        """SHA-256 of what the file will hold."""
        return _digest(self.after)

    @property
    def changes(self) -> bool:
        """False where the file says all that already."""
        return self.before_digest != self.after_digest

    def to_record(self) -> dict[str, Value]:
        """A JSON object that ``from_record`` reads."""
        after = base64.b64encode(self.after).decode("ascii")
        return {
            "path": self.path, "before": self.before_digest, "after": after, "diff": self.diff, "new_mode": self.new_mode,
        }  # fmt: skip

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> PreparedEdit:
        """What ``to_record`` gave.

        Raises:
            ValueError: it is no such record.
        """
        try:
            diff = record["diff"]
            if not isinstance(diff, (list, tuple)):
                raise TypeError("diff")
            return cls(
                str(record["path"]), str(record["before"]), base64.b64decode(str(record["after"]), validate=True),
                tuple(map(str, diff)), int(str(record["new_mode"])),
            )  # fmt: skip
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the record of an edit: {error}") from error


@dataclass(frozen=True, slots=True)
class Applied:
    """An edit that was made, with all that its undo needs. ``backup`` is '' where there was no file before; ``mode``, ``owner``,
    ``group`` and ``modified_ns`` are those that the file had."""

    path: str
    backup: str
    before_digest: str
    after_digest: str
    mode: int
    owner: int
    group: int
    modified_ns: int

    def to_record(self) -> dict[str, Value]:
        """A JSON object that ``from_record`` reads."""
        return {name: getattr(self, name) for name in _APPLIED}

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Applied:
        """What ``to_record`` gave.

        Raises:
            ValueError: it is no such record.
        """
        try:
            texts = [str(record[name]) for name in _APPLIED[:4]]
            numbers = [int(str(record[name])) for name in _APPLIED[4:]]
        except KeyError as error:
            raise ValueError(f"not the record of an edit that was made: {error}") from error
        return cls(texts[0], texts[1], texts[2], texts[3], numbers[0], numbers[1], numbers[2], numbers[3])


_APPLIED = ("path", "backup", "before_digest", "after_digest", "mode", "owner", "group", "modified_ns")


def prepare(path: Path, new_text: Callable[[str], str], *, new_mode: int = 0o600) -> PreparedEdit:
    """Ask ``new_text`` what the file should hold, given what it holds ('' where there is none). Nothing is written.

    Raises:
        EditRefused: the file is none that we change, or ``new_text`` raised ValueError.
    """
    with held_folder(path) as folder:
        found = folder.read()
        before = b"" if found is None else found[0]
        # Whatever bytes are no UTF-8 come back as they were.
        old = before.decode("utf-8", "surrogateescape")
        try:
            new = new_text(old)
            after = new.encode("utf-8", "surrogateescape")
        except ValueError as error:
            raise EditRefused(f"{path}: {error}") from error
        if len(after) > MAX_BYTES:
            raise EditRefused(f"{path} would be larger than {MAX_BYTES} bytes")
        place = str(folder.path / folder.name)
        diff = _diff(place if found else os.devnull, place, old, new)
        return PreparedEdit(place, "" if found is None else _digest(before), after, diff, new_mode)


def apply(prepared: PreparedEdit, backup_dir: Path) -> Applied:
    """Back the file up into ``backup_dir`` (ours alone, made where absent), then replace it in one step.

    Raises:
        EditRefused: the file is not as it was when it was looked at, or one of the two cannot be written.
    """
    path = Path(prepared.path)
    with held_folder(path) as folder:
        found = folder.read()
        if ("" if found is None else _digest(found[0])) != prepared.before_digest:
            raise EditRefused(f"{path} was changed since it was looked at")
        will_be = _foreseen(prepared, folder, found, backup_dir)
        if found is None:
            folder.create(prepared.after, prepared.new_mode)
            return will_be
        _back_up(found[0], Path(will_be.backup))
        folder.replace(prepared.after, will_be.mode, will_be.owner, will_be.group)
        return will_be


def foreseen(prepared: PreparedEdit, backup_dir: Path) -> Applied:
    """What ``apply`` would give, without anything being written: so that an edit which is cut off can be undone too.

    Raises:
        EditRefused: the file cannot be read.
    """
    with held_folder(Path(prepared.path)) as folder:
        return _foreseen(prepared, folder, folder.read(), backup_dir)


def _foreseen(
    prepared: PreparedEdit, folder: HeldFolder, found: tuple[bytes, os.stat_result] | None, backup_dir: Path
) -> Applied:
    after = prepared.after_digest
    if found is None:
        return Applied(prepared.path, "", "", after, prepared.new_mode, os.geteuid(), os.getegid(), 0)
    data, info = found
    # The same content of the same file has the same name, so that doing it again adds nothing.
    name = f"{_digest(os.fsencode(folder.path / folder.name))[:12]}-{_digest(data)[:16]}-{folder.name[:80]}"
    return Applied(
        prepared.path, str(backup_dir.resolve() / name), _digest(data), after, stat.S_IMODE(info.st_mode), info.st_uid,
        info.st_gid, info.st_mtime_ns,
    )  # fmt: skip


def undo(applied: Applied) -> bool:
    """Put back what was there: bytes, mode, owner and time; a file that was not there is removed. False: it was so already.

    Raises:
        EditRefused: somebody changed the file after us, or the backup is not what was saved.
    """
    path = Path(applied.path)
    with held_folder(path) as folder:
        found = folder.read()
        now = "" if found is None else _digest(found[0])
        if now == applied.before_digest:
            return False
        if now != applied.after_digest:
            raise EditRefused(
                f"{path} was changed by somebody else since, so it is not put back; the copy is {applied.backup}"
            )
        if not applied.backup:
            folder.remove()
            return True
        saved = read_private(Path(applied.backup))
        if saved is None or _digest(saved) != applied.before_digest:
            raise EditRefused(f"the copy {applied.backup} is not what was saved, so {path} is left as it is")
        folder.replace(saved, applied.mode, applied.owner, applied.group, applied.modified_ns)
        return True


def state(prepared: PreparedEdit) -> str:
    """``before``, ``after`` or ``other``: how far an edit came that was cut off.

    Raises:
        EditRefused: the file cannot be read.
    """
    with held_folder(Path(prepared.path)) as folder:
        found = folder.read()
    now = "" if found is None else _digest(found[0])
    return "before" if now == prepared.before_digest else "after" if now == prepared.after_digest else "other"


def _back_up(data: bytes, backup: Path) -> None:
    """A copy of ``data``, in a folder that is ours alone."""
    backup.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    info = backup.parent.stat()
    if info.st_uid != os.geteuid() or info.st_mode & 0o022:
        raise EditRefused(f"{backup.parent} can be written by others, so no copy is put there")
    if read_private(backup) != data:
        with held_folder(backup) as place:
            place.replace(data, 0o600, info.st_uid, os.getegid())


def _diff(old_name: str, new_name: str, old: str, new: str) -> tuple[str, ...]:
    """A unified diff without line ends; a last line that has none is marked as diff does it."""
    found: list[str] = []
    for line in difflib.unified_diff(_lines(old), _lines(new), old_name, new_name, n=2):
        found.append(line.removesuffix("\n"))
        if not line.endswith("\n"):
            found.append("\\ No newline at end of file")
    return tuple(found)


def _lines(text: str) -> list[str]:
    # Not splitlines: it also breaks where editors and shells do not.
    *whole, last = text.split("\n")
    return [*(line + "\n" for line in whole), *([last] if last else [])]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
