"""Which file a command's first word runs, found and refused the way a shell does it."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_FOUND, NOT_EXECUTABLE = 127, 126


class CannotRun(Exception):  # noqa: N818  (an answer, not an error of ours)
    """A command cannot be run; the message is one plain line, ``status`` what a shell exits with."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


def find_program(name: str, environment: Mapping[str, str]) -> str:
    """The path of the file that ``name`` runs.

    Raises:
        CannotRun: there is none, or it is no program.
    """
    if "\0" in name:
        raise CannotRun(f"{name!r} holds a NUL character", NOT_FOUND)
    if "/" in name:
        return _checked(name, name)
    unusable = ""
    for folder in environment.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder or ".", name)  # noqa: PTH118  (an empty word of PATH is the current folder)
        if os.path.isfile(path):  # noqa: PTH113
            if os.access(path, os.X_OK):
                return path
            unusable = unusable or path
    if unusable:
        return _checked(name, unusable)
    raise CannotRun(f"{name}: command not found", NOT_FOUND)


def refusal(name: str, number: int) -> CannotRun:
    """What a shell says when the kernel refuses to execute ``name`` with errno ``number``."""
    if number == errno.ENOENT:
        return CannotRun(f"{name}: the interpreter that its first line names does not exist", NOT_FOUND)
    if number == errno.ENOEXEC:
        return CannotRun(
            f"{name}: neither a program nor a script whose first line names its interpreter", NOT_EXECUTABLE
        )
    return CannotRun(f"{name}: {os.strerror(number)}", NOT_EXECUTABLE)


def _checked(name: str, path: str) -> str:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError as error:
        status = NOT_FOUND if error.errno == errno.ENOENT else NOT_EXECUTABLE
        raise CannotRun(f"{name}: {error.strerror}", status) from error
    if stat.S_ISDIR(mode):
        raise CannotRun(f"{name}: {os.strerror(errno.EISDIR)}", NOT_EXECUTABLE)
    if not os.access(path, os.X_OK):
        raise CannotRun(f"{name}: {os.strerror(errno.EACCES)}", NOT_EXECUTABLE)
    return path
