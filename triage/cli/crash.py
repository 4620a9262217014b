"""The file that a bug of ours leaves behind."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import tempfile
import traceback
from pathlib import Path

from triage import __version__
from triage.safety.redact import Redactor
from triage.safety.visible import visible


def crash_report(error: BaseException) -> str | None:
    """Write what a bug report needs (Markdown, redacted, readable by its owner alone); its path, or None if no place was
    found for it."""
    trace = "".join(traceback.format_exception(error))
    text = (
        f"# sgltriage crash\n\n- sgltriage {__version__}\n- Python {platform.python_version()} on {platform.system()} "
        f"{platform.machine()}\n- arguments: `{' '.join(sys.argv[1:])}`\n\n```\n{trace}```\n"
    )
    safe = "\n".join(visible(line) for line in Redactor().redact(text).split("\n"))
    for folder in _crash_folders():
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, path = tempfile.mkstemp(prefix="crash-", suffix=".md", dir=folder)
            with open(descriptor, "w", encoding="utf-8") as stream:
                stream.write(safe)
            return path
    return None


def _crash_folders() -> list[Path]:
    state = os.environ.get("XDG_STATE_HOME", "")
    home = os.environ.get("HOME", "")
    folders = [Path(state, "sgltriage")] if state.startswith("/") else []
    folders += [Path(home, ".local", "state", "sgltriage")] if home.startswith("/") else []
    with contextlib.suppress(OSError):  # it tries to write, and finds no place on a full disk
        folders.append(Path(tempfile.gettempdir()))
    return folders
