"""The inputs of one command, in the order in which they were given, each opened when its turn comes."""

from __future__ import annotations

import os
import stat

from triage.reading.opening import Refused, explain, is_null_device, open_path
from triage.reading.pipeline import assemble
from triage.reading.raw import RawFile, RawStream
from triage.reading.source import Limits, ReadError, Remarks, Source
from triage.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

_STDIN = "-"


@dataclass(slots=True)
class _Entry:
    """One file to be read; ``notes`` are known before it is opened. ``named`` is false inside a directory."""

    path: str
    named: bool = True
    notes: list[str] = field(default_factory=list)


def open_inputs(
    paths: Sequence[str],
    *,
    stdin: BinaryIO | None,
    stdin_name: str = _STDIN,
    limits: Limits = Limits(),  # noqa: B008  (frozen)
    binary_as_text: bool = False,
) -> Iterator[Source | ReadError]:
    """Yield a `Source` for each input, or the `ReadError` that says why there is none; the caller closes each source.

    ``-`` is ``stdin``, a directory stands for the log files in it, and a file that is met twice (by device and inode) is
    read once, with a note. Names that are not UTF-8 are strings with surrogate escapes, as ``os.fsdecode`` makes them.
    """
    for entry in _plan(paths, stdin is not None, stdin_name, limits):
        if isinstance(entry, ReadError):
            yield entry
            continue
        remarks = Remarks(entry.notes)
        try:
            if entry.path == _STDIN and stdin is not None:
                yield _open_stdin(stdin, stdin_name, remarks, limits, binary_as_text)
            else:
                yield _open_file(entry.path, remarks, limits, binary_as_text)
        except ReadError as error:
            yield ReadError(error.path, error.reason, harmless=error.harmless and not entry.named)


def _plan(paths: Sequence[str], has_stdin: bool, stdin_name: str, limits: Limits) -> list[_Entry | ReadError]:
    """What to open, in order. Nothing is opened yet; all is looked at, so that a file knows its other names."""
    plan: list[_Entry | ReadError] = []
    seen: dict[tuple[int, int], _Entry] = {}

    def add(path: str, status: os.stat_result, *, named: bool) -> _Entry:
        key = (status.st_dev, status.st_ino)
        if key in seen and status.st_ino:
            first = seen[key]
            first.notes.append(f"given again as {path}: read once" if path != first.path else "given twice: read once")
            return first
        seen[key] = entry = _Entry(path, named)
        plan.append(entry)
        return entry

    stdin_left = has_stdin
    for path in paths:
        if path == _STDIN:
            reason = "standard input can be read only once" if has_stdin else "there is no standard input"
            plan.append(_Entry(_STDIN) if stdin_left else ReadError(stdin_name, reason))
            stdin_left = False
            continue
        try:
            status = os.stat(path)  # noqa: PTH116
        except (OSError, ValueError) as error:
            plan.append(ReadError(path, explain(error)))
            continue
        if not stat.S_ISDIR(status.st_mode):
            add(path, status, named=True)
            continue
        from triage.reading.expand import expand

        listing = expand(path, limits)
        entries = [add(*found, named=False) for found in listing.files]
        if entries:
            entries[0].notes.extend(listing.notes)
        elif not listing.errors:
            plan.append(ReadError(path, "; ".join(["no log file in this directory", *listing.notes])))
        plan.extend(listing.errors)
    return plan


def _open_file(path: str, remarks: Remarks, limits: Limits, binary_as_text: bool) -> Source:
    try:
        opened = open_path(path, privileged=os.geteuid() == 0, fifo_wait_s=limits.fifo_wait_s)
    except Refused as error:
        raise ReadError(path, str(error)) from None
    return assemble(
        path,
        RawFile(opened.fd, remarks, seekable=opened.regular),
        remarks,
        limits=limits,
        first=opened.first,
        size=opened.status.st_size if opened.regular else None,
        at_hand=opened.regular,
        binary_as_text=binary_as_text,
    )


def _open_stdin(stdin: BinaryIO, name: str, remarks: Remarks, limits: Limits, binary_as_text: bool) -> Source:
    try:
        status: os.stat_result | None = os.fstat(stdin.fileno())
    except (OSError, ValueError):
        # A stream in memory, or a closed one, which the first read tells.
        status = None
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise ReadError(name, "standard input is a directory")
    if status is not None and stat.S_ISCHR(status.st_mode) and not (stdin.isatty() or is_null_device(status)):
        raise ReadError(name, "standard input is a device, which cannot be read as a log")
    regular = status is not None and stat.S_ISREG(status.st_mode)
    return assemble(
        name,
        RawStream(stdin, remarks),
        remarks,
        limits=limits,
        size=status.st_size if status is not None and regular else None,
        at_hand=regular,
        binary_as_text=binary_as_text,
    )
