"""What the terminal is: how wide, whether it shows colours, whether it speaks Unicode."""

from __future__ import annotations

import os
import sys

_DEFAULT_COLUMNS = 80


def columns() -> int:
    """The width for people: $COLUMNS, else that of the terminal on stdout, else 80."""
    # Not shutil.get_terminal_size: shutil imports the compression libraries, which a scan of plain text does without.
    try:
        wanted = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        wanted = 0
    if wanted > 0:
        return wanted
    try:
        return os.get_terminal_size().columns or _DEFAULT_COLUMNS
    except OSError:
        return _DEFAULT_COLUMNS


def wants_color(choice: str) -> bool:
    """--color, then NO_COLOR, then FORCE_COLOR, then whether stdout is a terminal that can."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def speaks_unicode() -> bool:
    """Whether stdout's encoding holds more than ASCII."""
    return "utf" in (sys.stdout.encoding or "").lower()
