"""A file written by a bash script: a copy kept, then the whole text as it is to be, with nothing in it that the shell reads."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from triage.safety.visible import strip_colour, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.playbook import FileContent
    from triage.reporting.outlet import Outlet

_MOST = 64 << 10


def why_not_written(file: FileContent, outlet: Outlet) -> str:
    """Why a script cannot hold this file as it is to be, or an empty text."""
    if len(file.text) > _MOST:
        return f"it is larger than {_MOST >> 10} KiB"
    if outlet.show(file.path) != file.path or "\\" in file.path:
        return "its name holds what does not show, or a backslash"
    # As a whole, since a key runs over many lines.
    if outlet.show(file.text) != visible(strip_colour(file.text)):
        return "it holds a secret"
    # A tab is shown as a blank, and is none of the two.
    lines = file.text.replace("\t", " ").split("\n")
    return "" if all(visible(line) == line for line in lines) else "it holds characters that do not show"


def write_lines(file: FileContent, backup: str) -> Iterator[str]:
    """Commands that keep the file as ``backup`` (where there is one) and write it; they fail if it is not as it was looked at."""
    path, kept = shlex.quote(file.path), shlex.quote(backup)
    if file.before:
        yield f"echo {shlex.quote(f'{file.before}  {file.path}')} | sha256sum -c > /dev/null  # as it was looked at"
        # Two commands: bash goes on where what stands before && fails.
        yield f"test ! -e {kept}"
        yield f"cp -p -- {path} {kept}"
    else:
        yield f"test ! -e {path}  # as it was looked at"
        yield f"install -m {file.mode:o} /dev/null {path}"
    if not file.text:
        yield f": > {path}"
        return
    lines = file.text.split("\n")
    end = next(word for word in _ends() if word not in lines)
    if lines[-1]:
        # Without a line feed at its end, which a here-document always has.
        yield f"printf %s \"$(cat <<'{end}'"
        yield from (*lines, end, f')" > {path}')
    else:
        yield f"cat > {path} <<'{end}'"
        yield from (*lines[:-1], end)


def undo_line(file: FileContent, backup: str) -> str:
    """The command that takes it back."""
    path = shlex.quote(file.path)
    return f"cp -p -- {shlex.quote(backup)} {path}" if file.before else f"rm -- {path}"


def _ends() -> Iterator[str]:
    number = 1
    yield "END_OF_FILE"
    while True:
        number += 1
        yield f"END_OF_FILE_{number}"
