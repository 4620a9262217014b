"""What the values of options and positionals may be. Each is called with the word and names what is wrong."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


class WrongValue(ValueError):  # noqa: N818  (a word of the operator, not a fault)
    """A word that is no value; the message says why, and is shown behind the name of the argument."""


class Choice:
    """One of some words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def __call__(self, word: str) -> str:
        if word in self.words:
            return word
        from triage.knowledge.errors import did_you_mean

        raise WrongValue(f"'{word}' is none of {', '.join(self.words)}{did_you_mean(word, list(self.words))}")


class AtLeast:
    """A whole number from ``minimum`` on."""

    def __init__(self, minimum: int) -> None:
        self.minimum = minimum

    def __call__(self, word: str) -> int:
        try:
            number = int(word)
        except ValueError:
            raise WrongValue(f"'{word}' is no whole number") from None
        if number < self.minimum:
            raise WrongValue(f"{number} is less than {self.minimum}")
        return number


def existing_path(word: str) -> Path:
    """A file or folder that can be read."""
    return _readable(word, "path")


def existing_file(word: str) -> Path:
    """A file, or what is read like one, that can be read."""
    path = _readable(word, "file")
    if path.is_dir():
        raise WrongValue(f"'{word}' is a folder and no file")
    return path


def existing_folder(word: str) -> Path:
    """A folder that can be read."""
    path = _readable(word, "folder")
    if not path.is_dir():
        raise WrongValue(f"'{word}' is a file and no folder")
    return path


def file_to_write(word: str) -> Path:
    """A file that may exist or not."""
    if os.path.isdir(word):  # noqa: PTH112  (a path that cannot be looked at is left to whoever opens it)
        raise WrongValue(f"'{word}' is a folder and no file")
    return _path(word)


def folder_to_write(word: str) -> Path:
    """A folder that may exist or not."""
    if os.path.lexists(word) and not os.path.isdir(word):  # noqa: PTH112
        raise WrongValue(f"'{word}' is a file and no folder")
    return _path(word)


def _readable(word: str, kind: str) -> Path:
    # os.path and not Path: it takes what cannot be looked at, such as a name that is too long, for absent.
    if not os.path.exists(word):  # noqa: PTH110
        raise WrongValue(f"{kind} '{word}' does not exist")
    if not os.access(word, os.R_OK):
        raise WrongValue(f"{kind} '{word}' cannot be read")
    return _path(word)


def _path(word: str) -> Path:
    # Late: most calls name no such option, and pathlib takes milliseconds to load.
    from pathlib import Path

    return Path(word)
