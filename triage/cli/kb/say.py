"""Lines of a result on stdout."""

from __future__ import annotations

import sys

from triage.reporting.words import count
from triage.safety.visible import visible


def say(line: str) -> None:
    """One line, made visible: packs are other people's text."""
    sys.stdout.write(f"{visible(line)}\n")


def counted(number: int, noun: str) -> str:
    """``1 signature``, ``2 signatures``, ``2 near misses``."""
    return f"{number:,} {noun}es" if noun.endswith("s") and number != 1 else count(number, noun)
