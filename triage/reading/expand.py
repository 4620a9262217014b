"""What a directory on the command line stands for: its log files, in order, and what was left out."""

from __future__ import annotations

import os
import stat
from collections import Counter

from triage.reading.opening import explain
from triage.reading.source import Limits, ReadError
from triage.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a directory as (path, stat) in order of name, remarks on what was skipped, and what failed."""

    files: list[tuple[str, os.stat_result]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    errors: list[ReadError] = field(default_factory=list)


def expand(directory: str, limits: Limits) -> Listing:
    """List the regular files under ``directory``, recursively; hidden entries, links to directories and special files
    are skipped and counted in the notes. A link to a file stands for the file."""
    listing = Listing()
    skipped: Counter[str] = Counter()
    for path, status in _walk(directory, limits.max_depth, skipped, listing.errors):
        if len(listing.files) == limits.max_files:
            listing.errors.append(
                ReadError(directory, f"holds more than {limits.max_files:,} files: the rest is not read")
            )
            break
        listing.files.append((path, status))
    listing.notes.extend(f"in {directory} skipped: {count:,} {what}" for what, count in sorted(skipped.items()))
    return listing


def _walk(
    directory: str, depth: int, skipped: Counter[str], errors: list[ReadError]
) -> Iterator[tuple[str, os.stat_result]]:
    try:
        with os.scandir(directory) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as error:
        errors.append(ReadError(directory, explain(error)))
        return
    for name in names:
        path = os.path.join(directory, name)  # noqa: PTH118  (keeps the path as it was typed)
        if name.startswith("."):
            skipped["hidden"] += 1
            continue
        try:
            link = stat.S_ISLNK(os.lstat(path).st_mode)
            status = os.stat(path)  # noqa: PTH116
        except OSError:
            skipped["that cannot be looked at (a dangling link, or gone)"] += 1
            continue
        if stat.S_ISREG(status.st_mode):
            yield path, status
        elif not stat.S_ISDIR(status.st_mode):
            skipped["special files (pipes, sockets, devices)"] += 1
        elif link:
            skipped["links to directories"] += 1
        elif depth == 0:
            skipped["directories that lie too deep"] += 1
        else:
            yield from _walk(path, depth - 1, skipped, errors)
