"""Files that an operator asks for: his alone, and never over another one."""

from __future__ import annotations

import os
from pathlib import Path


class NewFileError(ValueError):
    """The file cannot be written, in one line with its name."""


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, for us alone to read: what a log or a host shows is its owner's business.

    Raises:
        NewFileError: there is such a file, or it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except FileExistsError:
        raise NewFileError(f"{path} is there already: name another file") from None
    except OSError as error:
        raise NewFileError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise NewFileError(f"{path}: not a possible file name") from error
