"""What every benchmark starts a command with: which sgltriage, in which environment; and sizes as words."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def command_here() -> list[str]:
    """The sgltriage beside this Python, else that of this checkout."""
    script = Path(sys.executable).with_name("sgltriage")
    return [str(script)] if script.exists() else [sys.executable, "-m", "triage"]


def environment_in(folder: Path) -> dict[str, str]:
    """The environment for measured commands, whose caches lie in ``folder``."""
    return {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONPATH": str(_ROOT),
        # Compiled modules are kept, as in any installation, but not beside the sources that are measured.
        "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
        "PYTHONDONTWRITEBYTECODE": "",
    }


def size_of(text: str) -> int:
    """Bytes, from a number with K, M or G. Raises ValueError."""
    unit = _UNITS.get(text[-1:].upper(), 0)
    return int(float(text[:-1]) * unit) if unit else int(text)
